import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, type Block, startApp } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addFiles,
  addPull,
  addRepository,
  type GitHub,
  mergePull,
  OCTOCAT_TOKEN,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'

const COUNT = 60

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk', default_branch: 'main' })
  addRepository(github.world, { owner: 'octo', name: 'quiet' })
  addFiles(github.world, 'octo/talk', { a: 'x' }, { branch: 'next' })
  for (let i = 1; i <= COUNT; i++) {
    const made = addPull(github.world, 'octo/talk', {
      title: i === 5 ? 'Tame the quokka' : `Change ${i}`,
      body: i === 9 ? null : `Because of ${i}. ${'More words. '.repeat(40)}`,
      user: i === 9 ? null : 'ann',
      author_association: 'CONTRIBUTOR',
      draft: i === 2,
      state: i % 10 === 0 ? 'closed' : 'open',
      labels: i === 3 ? ['bug', 'ui'] : [],
      created_at: `2026-01-01T00:${String(i - 1).padStart(2, '0')}:00Z`,
      ...(i % 4 === 0 && { base: 'next' }),
      ...(i === 7 && { fork: null }),
    })
    if (i === 20) mergePull(github.world, made, 'octocat')
  }
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const request = (params: object = {}) => ({
  context_type: 'github_pull_requests',
  params: { owner: 'octo', repo: 'talk', ...params },
})

interface Listed {
  readonly number: number
  readonly state: string
  readonly title: string
}
const listed = (blocks: readonly Block[]) =>
  blocks.flatMap(({ pull_requests }) => pull_requests as readonly Listed[])
const numbers = async (params: object) =>
  listed((await app.context(request(params))).context).map(({ number }) => number)
const down = (wanted: (number: number) => boolean) =>
  Array.from({ length: COUNT }, (_, i) => COUNT - i).filter(wanted)

describe('github_pull_requests', () => {
  it('tells of each what a list needs', async () => {
    const { context } = await app.context(request({ state: 'all', offset: 56, limit: 2 }))
    expect(context[0]).toMatchObject({
      type: 'github_pull_requests',
      id: 'github_pull_requests:octo/talk',
      title: 'Pull requests of octo/talk',
      url: 'https://github.com/octo/talk/pulls',
      trust: 'contributor',
      state: 'all',
      pull_requests: [
        { number: 4, base: 'next' },
        {
          title: 'Change 3',
          url: 'https://github.com/octo/talk/pull/3',
          number: 3,
          state: 'open',
          draft: false,
          author: 'ann',
          author_association: 'CONTRIBUTOR',
          labels: ['bug', 'ui'],
          assignees: expect.any(Array),
          reviewers: [],
          milestone: null,
          base: 'main',
          base_sha: expect.stringMatching(/^[0-9a-f]{40}$/),
          head: 'topic-3',
          head_sha: expect.stringMatching(/^[0-9a-f]{40}$/),
          head_repository: 'octo/talk',
          created_at: '2026-01-01T00:02:00Z',
          closed_at: null,
          merged_at: null,
          excerpt: expect.stringMatching(/^Because of 3\. More words\..* …$/),
        },
      ],
    })
    expect(context[0]?.content).toMatch(
      /\n\n## #3\nState: open · Author: ann \(contributor\) · Created: 2026-01-01T00:02:00Z\nBranches: topic-3 → main · Labels: bug, ui\n> Change 3\n> Because of 3\./,
    )
  })

  it('tells drafts, merged ones, deleted accounts and forks that are gone', async () => {
    const all = listed((await app.context(request({ state: 'all', limit: 100 }))).context)
    const one = (number: number) => all.find((pull) => pull.number === number)
    expect(one(2)).toMatchObject({ draft: true })
    expect(one(20)).toMatchObject({ state: 'merged', merged_at: expect.any(String) })
    expect(one(30)).toMatchObject({ state: 'closed', merged_at: null })
    expect(one(9)).toMatchObject({ author: 'ghost', excerpt: '' })
    expect(one(7)).toMatchObject({ head_repository: null })
    const { context } = await app.context(request({ state: 'all', limit: 100 }))
    expect(context[0]?.content).not.toMatch(/null|undefined/)
    expect(context[0]?.content).toContain('topic-7 (of a repository that is gone) → main')
    expect(context[0]?.content).toContain('State: open (draft)')
  })

  it('goes by state, branches and order', async () => {
    expect(await numbers({ limit: 100 })).toEqual(down((n) => n % 10 !== 0))
    expect(await numbers({ state: 'closed' })).toEqual(down((n) => n % 10 === 0))
    expect(await numbers({ base: 'next', state: 'all', limit: 100 })).toEqual(
      down((n) => n % 4 === 0),
    )
    expect(await numbers({ head: 'octo:topic-3' })).toEqual([3])
    expect((await numbers({ state: 'all', sort: 'updated', limit: 1 }))[0]).toBe(20)
    for (const [name, value] of [
      ['head', 'topic'],
      ['sort', 'size'],
      ['state', 'merged'],
      ['base', '..'],
    ] as const) {
      const answer = await app.post(request({ [name]: value }))
      expect([name, answer.status]).toEqual([name, 400])
      expect(answer.text).toContain(`/params/${name}`)
    }
  })

  it('is empty where there are none, and 404 where there is no repository', async () => {
    const { context, omitted } = await app.context(request({ repo: 'quiet' }))
    expect([listed(context), omitted]).toEqual([[], []])
    expect((await app.post(request({ repo: 'none' }))).status).toBe(404)
  })

  it.each([1, 7, 100])('goes on past limit %i, each exactly once', async (limit) => {
    const { context, omitted } = await app.context(request({ state: 'all', limit }))
    const found = [...listed(context), ...listed(await follow(app, omitted))]
    expect(found.map(({ number }) => number)).toEqual(down(() => true))
  })

  it('names the gaps that a budget makes, and fills them exactly once', async () => {
    const asked = { ...request({ state: 'all', limit: 60 }), max_tokens: 1_200 }
    const { context, omitted, tokens } = await app.context(asked)
    expect(tokens).toBeLessThanOrEqual(1_200)
    expect(listed(context).length).toBeGreaterThan(2)
    const rest = listed(await follow(app, omitted, { gaps: true }))
    const found = [...listed(context), ...rest].map(({ number }) => number)
    expect(found.toSorted((a, b) => b - a)).toEqual(down(() => true))
    const needle = await app.context({ ...asked, max_tokens: 500, query: 'quokka' })
    expect(listed(needle.context).map(({ number }) => number)).toContain(5)
  })

  it('asks GitHub in two rounds at most', async () => {
    github.resetCounts()
    github.latencyMs = 300
    await app.block({ ...request({ state: 'all', limit: 60, offset: 1 }), max_age: 0 })
    github.latencyMs = 0
    expect([github.count(), github.rounds()]).toEqual([1, 1])
  })

  it('has a GET form, and a page on GitHub', async () => {
    for (const path of [
      '/mcp/context/github_pull_requests?owner=octo&repo=talk&base=main&limit=1',
      '/mcp/context?url=https://github.com/octo/talk/pulls&base=main&limit=1',
    ]) {
      const { context } = (await app.get(path)).json<{ context: Block[] }>()
      expect(listed(context).map(({ number }) => number)).toEqual([59])
    }
  })

  it('goes by the new name after a rename', async () => {
    renameRepository(github.world, 'octo/talk', 'Speech')
    const { context, omitted } = await app.context({ ...request({ limit: 2 }), max_age: 0 })
    expect(context[0]?.id).toBe('github_pull_requests:octo/Speech')
    expect(omitted[0]?.next?.params).toMatchObject({ repo: 'Speech' })
  })
})
