import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Block, type Problem, startApp } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addAccount,
  addDiscussion,
  addDiscussionComments,
  addRepository,
  chooseAnswer,
  type DiscussionOptions,
  deleteDiscussion,
  type GitHub,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  addAccount(github.world, { login: 'octo', token: 'secret' })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  app = await startApp({ github, env: { GITHUB_TOKEN: 'secret' } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const request = (params: object = {}) => ({
  context_type: 'github_discussions',
  params: { owner: 'octo', repo: 'talk', ...params },
})

/** One a minute, from the oldest on. */
function fill(count: number, options: (number: number) => DiscussionOptions = () => ({})) {
  return Array.from({ length: count }, (_, i) => {
    const created_at = new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString().replace('.000', '')
    const number = i + 1
    return addDiscussion(github.world, 'octo/talk', { number, created_at, ...options(number) })
  })
}

const numbersOf = (...blocks: readonly Block[]) =>
  blocks.flatMap(({ discussions }) => discussions as { number: number }[]).map((one) => one.number)
const numbers = async (params: object) => numbersOf(await app.block(request(params)))
const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, i) => from - i)

describe('github_discussions', () => {
  it('tells of each discussion what a list needs', async () => {
    const [discussion] = fill(1, () => ({
      title: 'Which way?',
      body: `Left.\n\n${'More words. '.repeat(60)}`,
      labels: ['help'],
      category: 'Q&A',
      user: 'ann',
      author_association: 'NONE',
    }))
    if (!discussion) throw new Error('no discussion')
    const [comment] = addDiscussionComments(github.world, discussion, 2)
    if (comment) chooseAnswer(github.world, comment)
    github.resetCounts()
    const block = await app.block(request())
    expect(github.requests.map(({ path }) => path)).toEqual(['/graphql'])
    expect(block).toMatchObject({
      id: 'github_discussions:octo/talk',
      title: 'Discussions of octo/talk',
      url: 'https://github.com/octo/talk/discussions',
      trust: 'stranger',
      total: 1,
      discussions: [
        {
          title: 'Which way?',
          url: 'https://github.com/octo/talk/discussions/1',
          number: 1,
          state: 'open',
          author: 'ann',
          category: 'q-a',
          labels: ['help'],
          answered: true,
          comments_count: 2,
          excerpt: expect.stringMatching(/^Left\. More words\..* …$/),
        },
      ],
    })
    expect(block.content).toMatch(
      /^# 1 of 1 open discussions of octo\/talk\n\n## #1\nState: open · .*\n> Which way\?\n> Left\./,
    )
  })

  it('shows nothing where there is nothing', async () => {
    const { context, omitted } = await app.context(request())
    expect([numbersOf(...context), omitted]).toEqual([[], []])
    const [, gone] = fill(2, () => ({ user: null, body: '', title: 'Hm' }))
    if (gone) deleteDiscussion(github.world, gone)
    const block = await app.block({ ...request(), max_age: 0 })
    expect(block.discussions).toMatchObject([{ author: 'ghost', excerpt: '', number: 1 }])
    expect(block.content).not.toMatch(/null|undefined/)
  })

  it.each([
    ['words', 'word '.repeat(1_000), 279],
    ['a script without spaces', '話'.repeat(5_000), 280],
    ['one space at the start', `a ${'話'.repeat(5_000)}`, 280],
    ['pairs of surrogates', `x${'🦘'.repeat(5_000)}`, 279],
  ])('cuts a huge text short: %s', async (_name, body, length) => {
    fill(1, () => ({ body }))
    const [one] = (await app.block(request())).discussions as { excerpt: string }[]
    expect(one?.excerpt).toBe(`${body.slice(0, length)} …`)
  })

  it('goes by state and order', async () => {
    fill(6, (number) => ({
      state: number % 3 ? 'open' : 'closed',
      updated_at: `2026-02-0${9 - number}T00:00:00Z`,
    }))
    expect(await numbers({})).toEqual([1, 2, 4, 5])
    expect(await numbers({ state: 'closed' })).toEqual([3, 6])
    expect(await numbers({ state: 'all', sort: 'created' })).toEqual([6, 5, 4, 3, 2, 1])
  })

  it('goes by category in two rounds, and names those that there are', async () => {
    fill(4, (number) => ({ category: number % 2 ? 'Q&A' : 'Ideas' }))
    github.latencyMs = 400
    github.resetCounts()
    const block = await app.block(request({ category: 'ideas' }))
    expect([numbersOf(block), github.rounds()]).toEqual([[4, 2], 2])
    expect(block.url).toBe('https://github.com/octo/talk/discussions/categories/ideas')
    const answer = await app.post(request({ category: 'idea' }))
    expect(answer.json<Problem>()).toMatchObject({
      code: 'invalid_request',
      detail: expect.stringMatching(/^\/params\/category: .* it has q-a, ideas$/),
    })
    addRepository(github.world, { owner: 'octo', name: 'still' })
    const none = await app.post(request({ repo: 'still', category: 'ideas' }))
    expect(none.json<Problem>().detail).toContain('no categories')
  })

  it('goes by the new name after a rename, and by the address', async () => {
    fill(3)
    renameRepository(github.world, 'octo/talk', 'Speech')
    const { context, omitted } = await app.context(request({ limit: 2 }))
    expect(context[0]?.id).toBe('github_discussions:octo/Speech')
    expect(omitted[0]?.next?.params).toMatchObject({ repo: 'Speech' })
    expect(numbersOf(...(await follow(app, omitted)))).toEqual([1])
    const found = await app.get('/mcp/context?url=https://github.com/octo/talk/discussions')
    expect(numbersOf(...found.json<{ context: Block[] }>().context)).toEqual([3, 2, 1])
  })

  it('is hidden from those who may not see the repository', async () => {
    addRepository(github.world, { owner: 'acme', name: 'secret', private: true })
    addDiscussion(github.world, 'acme/secret')
    const answer = await app.post(request({ owner: 'acme', repo: 'secret' }))
    expect(answer.json<Problem>()).toMatchObject({ code: 'not_found' })
  })
})

describe('what is left out', () => {
  it.each([1, 7, 30, 100])('past limit %i comes exactly once by what is named', async (limit) => {
    fill(130)
    const { context, omitted } = await app.context(request({ limit, sort: 'created' }))
    expect(numbersOf(...context).length).toBe(limit)
    const rest =
      limit === 1 ? await follow(app, omitted, { gaps: true }) : await follow(app, omitted)
    const end = limit === 1 ? 129 : 1
    expect([...numbersOf(...context), ...numbersOf(...rest)]).toEqual(down(130, end))
  })

  it('keeps the filters', async () => {
    fill(20, (number) => ({ category: number % 2 ? 'Ideas' : 'Q&A', state: 'closed' }))
    const params = { category: 'ideas', state: 'closed', limit: 4, sort: 'created' }
    const { context, omitted } = await app.context(request(params))
    const found = [...numbersOf(...context), ...numbersOf(...(await follow(app, omitted)))]
    expect(found).toEqual([19, 17, 15, 13, 11, 9, 7, 5, 3, 1])
  })

  it.each([undefined, 'quokka 7 33'])('for the budget comes exactly once: %s', async (query) => {
    fill(40, (number) => ({ title: `Talk ${number}`, body: `Body ${number}. `.repeat(20) }))
    const asked = { ...request({ limit: 40, sort: 'created' }), max_tokens: 1_000 }
    const { context, omitted, tokens } = await app.context({ ...asked, ...(query && { query }) })
    expect(tokens).toBeLessThanOrEqual(1_000)
    const kept = numbersOf(...context)
    expect(kept.length).toBeGreaterThan(2)
    if (query) expect(kept).toEqual(expect.arrayContaining([7, 33]))
    const rest = numbersOf(...(await follow(app, omitted, { gaps: true })))
    expect([...kept, ...rest].sort((a, b) => b - a)).toEqual(down(40, 1))
    expect(omitted.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(40 - kept.length)
  })

  it('for the budget of a later window comes exactly once as well', async () => {
    fill(40, (number) => ({ title: `Talk ${number}`, body: `Body ${number}. `.repeat(20) }))
    const { omitted: start } = await app.context(request({ limit: 20, sort: 'created' }))
    const [{ next } = {}] = start
    if (!next) throw new Error('no way on')
    const asked = { ...next, max_tokens: 200, query: '5' }
    const { context, omitted } = await app.context(asked)
    const kept = numbersOf(...context)
    expect(kept).not.toContain(20)
    const rest = numbersOf(...(await follow(app, omitted, { gaps: true })))
    expect([...kept, ...rest].sort((a, b) => b - a)).toEqual(down(20, 1))
  })
})
