import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Block, startApp } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addComments,
  addIssue,
  addRepository,
  type GitHub,
  type IssueOptions,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  github.world.anonymousLimits.core = 10_000
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  app = await startApp({ github })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const request = (params: object = {}) => ({
  context_type: 'github_issues',
  params: { owner: 'octo', repo: 'talk', ...params },
})

/** One a minute, from the oldest on. */
function fill(count: number, options: (number: number) => IssueOptions = () => ({})) {
  for (let number = 1; number <= count; number++) {
    const created_at = new Date(Date.UTC(2026, 0, 1, 0, number)).toISOString().replace('.000', '')
    addIssue(github.world, 'octo/talk', { number, created_at, ...options(number) })
  }
}

const numbersOf = (...blocks: readonly Block[]) =>
  blocks.flatMap(({ issues }) => issues as { number: number }[]).map(({ number }) => number)
const numbers = async (params: object) => numbersOf(await app.block(request(params)))
const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, i) => from - i)

describe('github_issues', () => {
  it('tells of each issue what a list needs', async () => {
    fill(1, () => ({
      title: 'Login fails',
      body: `It fails.\n\n${'More words. '.repeat(60)}`,
      labels: ['bug', 'ui'],
      user: 'ann',
    }))
    const block = await app.block(request())
    expect(block).toEqual({
      type: 'github_issues',
      id: 'github_issues:octo/talk',
      trust: 'maintainer',
      title: 'Issues of octo/talk',
      url: 'https://github.com/octo/talk/issues',
      state: 'open',
      issues: [
        {
          name: 'octo/talk#1',
          title: 'Login fails',
          url: 'https://github.com/octo/talk/issues/1',
          number: 1,
          state: 'open',
          state_reason: null,
          author: 'ann',
          author_association: expect.any(String),
          labels: ['bug', 'ui'],
          assignees: expect.any(Array),
          milestone: null,
          created_at: '2026-01-01T00:01:00Z',
          updated_at: '2026-01-01T00:01:00Z',
          closed_at: null,
          comments_count: 0,
          excerpt: expect.stringMatching(/^It fails\. More words\..* …$/),
        },
      ],
      content: expect.stringMatching(
        /^# 1 open issues of octo\/talk\n\n## #1\nState: open .*\n> Login fails\n> It fails\./,
      ),
      tokens: expect.any(Number),
    })
    const [issue] = block.issues as { excerpt: string }[]
    expect(issue?.excerpt.length).toBeLessThanOrEqual(282)
    expect(block.content).toContain('Labels: bug, ui')
  })

  it('shows nothing where there is nothing', async () => {
    const { context, omitted } = await app.context(request())
    expect([numbersOf(...context), omitted]).toEqual([[], []])
    fill(1, () => ({ user: null, body: null }))
    const block = await app.block({ ...request(), max_age: 0 })
    expect(block.issues).toMatchObject([{ author: 'ghost', excerpt: '' }])
    expect(block.content).not.toMatch(/null|undefined/)
  })

  it('goes by state', async () => {
    fill(6, (number) => ({ state: number % 3 ? 'open' : 'closed' }))
    expect(await numbers({})).toEqual([5, 4, 2, 1])
    expect(await numbers({ state: 'closed' })).toEqual([6, 3])
    expect(await numbers({ state: 'all' })).toEqual([6, 5, 4, 3, 2, 1])
  })

  it('goes by labels: all of them', async () => {
    fill(4, (number) => ({ labels: number % 2 ? ['bug', 'good first issue'] : ['bug'] }))
    expect(await numbers({ labels: ['bug'] })).toEqual([4, 3, 2, 1])
    expect(await numbers({ labels: ['bug', 'good first issue'] })).toEqual([3, 1])
    expect(await numbers({ labels: ['none'] })).toEqual([])
  })

  it('goes by time and order', async () => {
    fill(4, (number) => ({ updated_at: `2026-02-0${5 - number}T00:00:00Z` }))
    expect(await numbers({ sort: 'updated' })).toEqual([1, 2, 3, 4])
    expect(await numbers({ since: '2026-02-03T00:00:00Z' })).toEqual([2, 1])
    const issue = addIssue(github.world, 'octo/talk', {
      number: 9,
      created_at: '2020-01-01T00:00:00Z',
    })
    addComments(github.world, issue, 3)
    expect((await numbers({ sort: 'comments' }))[0]).toBe(9)
    expect((await numbers({ sort: 'created', state: 'all' })).at(-1)).toBe(9)
  })

  it('goes by the new name after a rename', async () => {
    fill(3)
    renameRepository(github.world, 'octo/talk', 'Speech')
    const { context, omitted } = await app.context(request({ limit: 2 }))
    expect(context[0]?.id).toBe('github_issues:octo/Speech')
    expect(omitted[0]?.next?.params).toMatchObject({ repo: 'Speech' })
    expect(numbersOf(...(await follow(app, omitted)))).toEqual([1])
  })
})

describe('pull requests in GitHub’s list', () => {
  it.each([
    ['every second', 2, 60, 20],
    ['nine of ten', 10, 400, 30],
    ['all but a few', 50, 600, 10],
  ])('%s: left out, and the limit filled all the same', async (_name, every, count, limit) => {
    fill(count, (number) => (number % every ? { pull_request: true } : {}))
    const issues = down(count, 1).filter((number) => number % every === 0)
    expect(await numbers({ limit })).toEqual(issues.slice(0, limit))
    expect(github.count({ path: '/repos/octo/talk/issues' })).toBeLessThanOrEqual(10)
  })

  it('fetches what it needs after the first page side by side', async () => {
    fill(500, (number) => (number % 5 ? { pull_request: true } : {}))
    github.latencyMs = 500
    expect(await numbers({ limit: 80 })).toHaveLength(80)
    expect(github.rounds()).toBe(2)
  })

  it('only: says that it stopped looking, and where to go on', async () => {
    fill(1_205, (number) => (number > 3 ? { pull_request: true } : {}))
    const { context, omitted } = await app.context(request({ limit: 5 }))
    expect(numbersOf(...context)).toEqual([])
    expect(omitted).toMatchObject([
      { what: 'issues', reason: 'scan_limit', next: { params: { offset: 1_000 } } },
    ])
    expect(numbersOf(...(await follow(app, omitted)))).toEqual([3, 2, 1])
  })
})

describe('what is left out', () => {
  it.each([1, 7, 30, 100])('past limit %i comes exactly once by what is named', async (limit) => {
    fill(130, (number) => (number % 3 ? { pull_request: true } : {}))
    const { context, omitted } = await app.context(request({ limit }))
    expect(numbersOf(...context).length).toBe(Math.min(limit, 43))
    const found = [...numbersOf(...context), ...numbersOf(...(await follow(app, omitted)))]
    expect(found).toEqual(down(130, 1).filter((number) => number % 3 === 0))
  })

  it('keeps the filters', async () => {
    fill(20, (number) => ({ labels: number % 2 ? ['bug'] : [], state: 'closed' }))
    const params = { labels: ['bug'], state: 'closed', limit: 4, sort: 'updated' }
    const { context, omitted } = await app.context(request(params))
    const found = [...numbersOf(...context), ...numbersOf(...(await follow(app, omitted)))]
    expect(found.sort((a, b) => a - b)).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17, 19])
  })

  it('for the budget comes exactly once by what is named, and is nowhere else', async () => {
    fill(80, (number) =>
      number % 2 ? { pull_request: true } : { body: `Body ${number}. `.repeat(20) },
    )
    const asked = { ...request({ limit: 40 }), max_tokens: 1_000 }
    const { context, omitted, tokens } = await app.context(asked)
    expect(tokens).toBeLessThanOrEqual(1_000)
    const kept = numbersOf(...context)
    expect(kept.length).toBeGreaterThan(2)
    expect(kept).toEqual(
      down(80, 1)
        .filter((number) => number % 2 === 0)
        .slice(0, kept.length),
    )
    for (const { content, issues } of context) {
      for (const { title, excerpt } of issues as { title: string; excerpt: string }[]) {
        expect(content).toContain(title)
        expect(content).toContain(excerpt)
      }
    }
    const rest = await follow(app, omitted, { gaps: true })
    expect([...kept, ...numbersOf(...rest)]).toEqual(down(80, 1).filter((n) => n % 2 === 0))
  })

  it('is what matters least to the caller', async () => {
    fill(60, (number) => ({ title: number === 3 ? 'Quokka escapes' : `Remark ${number}` }))
    const asked = { ...request({ limit: 60 }), max_tokens: 500 }
    expect(numbersOf(...(await app.context(asked)).context)).not.toContain(3)
    const { context, omitted } = await app.context({ ...asked, query: 'quokka' })
    expect(numbersOf(...context)).toContain(3)
    const rest = await follow(app, omitted, { gaps: true })
    expect([...numbersOf(...context), ...numbersOf(...rest)].sort((a, b) => b - a)).toEqual(
      down(60, 1),
    )
  })
})
