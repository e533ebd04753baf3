import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, type Block, startApp } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addFiles,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'

const COUNT = 130

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk', default_branch: 'main' })
  for (let i = 0; i < COUNT; i++) {
    addFiles(
      github.world,
      'octo/talk',
      { [i % 10 ? 'src/a.ts' : 'docs/b.md']: `${i}\n` },
      {
        message: i === 7 ? 'Teach the quokka to dance' : `Change ${i}\n\nBecause of ${i}.`,
        author: i % 2 ? 'ann' : 'octocat',
        date: time(i),
      },
    )
  }
  addRepository(github.world, { owner: 'octo', name: 'empty' })
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const time = (minute: number) =>
  new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString().replace('.000', '')

const request = (params: object = {}) => ({
  context_type: 'github_commits',
  params: { owner: 'octo', repo: 'talk', ...params },
})

interface Commit {
  readonly sha: string
  readonly author: string | null
  readonly author_name: string
  readonly message: string
}
const commitsOf = (blocks: readonly Block[]) =>
  blocks.flatMap(({ commits }) => commits as readonly Commit[])
const numberOf = ({ message }: Commit) =>
  message.includes('quokka') ? 7 : Number(/^Change (\d+)/.exec(message)?.[1])
const numbers = async (params: object) =>
  commitsOf((await app.context(request(params))).context).map(numberOf)
const ALL = Array.from({ length: COUNT }, (_, i) => COUNT - 1 - i)

describe('github_commits', () => {
  it('lists the newest first, with who and why', async () => {
    const { context, omitted } = await app.context(request({ limit: 2 }))
    expect(context).toEqual([
      {
        type: 'github_commits',
        id: 'github_commits:octo/talk@HEAD',
        title: 'Commits of octo/talk',
        url: 'https://github.com/octo/talk/commits',
        trust: 'maintainer',
        ref: null,
        path: null,
        commits: [
          {
            sha: expect.stringMatching(/^[0-9a-f]{40}$/),
            author: null,
            author_name: 'ann',
            date: time(129),
            message: 'Change 129\n\nBecause of 129.',
            url: expect.stringContaining('https://github.com/octo/talk/commit/'),
          },
          expect.objectContaining({
            author: 'octocat',
            message: expect.stringMatching(/^Change 128/),
          }),
        ],
        content: expect.stringMatching(
          /^# 2 commits of octo\/talk, newest first\n\n### [0-9a-f]{10} ann, 2026-01-01T02:09:00Z\n> Change 129\n>\n> Because/,
        ),
        tokens: expect.any(Number),
      },
    ])
    expect(omitted).toEqual([
      { what: 'commits', reason: 'limit', next: request({ limit: 2, offset: 2 }) },
    ])
  })

  it('goes by path, author, time and ref', async () => {
    expect(await numbers({ path: 'docs' })).toEqual(ALL.filter((n) => n % 10 === 0))
    expect(await numbers({ path: '/docs/b.md/', limit: 2 })).toEqual([120, 110])
    expect(await numbers({ author: 'octocat', limit: 3 })).toEqual([128, 126, 124])
    expect(await numbers({ since: time(126) })).toEqual([129, 128, 127, 126])
    expect(await numbers({ until: time(2) })).toEqual([2, 1, 0])
    const [commit] = commitsOf([await app.block(request({ until: time(5) }))])
    expect(await numbers({ ref: commit?.sha, limit: 2 })).toEqual([5, 4])
    expect(await numbers({ ref: 'heads/main', limit: 1 })).toEqual([129])
  })

  it('answers 404 for what is not there, and nothing for an empty repository', async () => {
    expect((await app.post(request({ ref: 'none' }))).status).toBe(404)
    expect((await app.post(request({ repo: 'none' }))).status).toBe(404)
    const { context, omitted } = await app.context(request({ repo: 'empty' }))
    expect([commitsOf(context), omitted]).toEqual([[], []])
  })

  it.each([
    ['ref', '../../x'],
    ['ref', 'a b'],
    ['path', '../x'],
    ['author', 'a b'],
    ['since', 'soon'],
    ['limit', 0],
  ])('refuses %s %o', async (name, value) => {
    const answer = await app.post(request({ [name]: value }))
    expect([answer.status, answer.json<{ errors: unknown }>().errors]).toMatchObject([
      400,
      [{ pointer: `/params/${name}` }],
    ])
  })

  it('trusts what is on a branch, but not what a sha or a pull request leads to', async () => {
    const [commit] = commitsOf([await app.block(request({ limit: 1 }))])
    const trust = async (ref: string | undefined) =>
      (await app.block(request({ limit: 1, ...(ref && { ref }) }))).trust
    expect(await trust('main')).toBe('maintainer')
    expect(await trust(commit?.sha)).toBe('stranger')
    expect(await trust(commit?.sha.slice(0, 8))).toBe('stranger')
  })

  it('keeps what hangs on a full sha, and asks again for what hangs on a branch', async () => {
    const [commit] = commitsOf([await app.block(request({ limit: 1 }))])
    const ttl = async (ref: string) => {
      const answer = await app.post(request({ ref, limit: 4 }))
      const again = await app.post(request({ ref, limit: 4 }))
      expect(again.headers['x-github-requests']).toBe('0')
      return Number(/ttl=(\d+)/.exec(String(again.headers['cache-status']))?.[1] ?? answer.status)
    }
    expect(await ttl('main')).toBeLessThan(100)
    expect(await ttl(commit?.sha ?? '')).toBeGreaterThan(400)
  })

  it('is exactly the window that was asked for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 150 }),
        fc.integer({ min: 1, max: 200 }),
        async (offset, limit) => {
          expect(await numbers({ offset, limit })).toEqual(ALL.slice(offset, offset + limit))
        },
      ),
      {
        numRuns: 20,
        examples: [
          [0, 130],
          [99, 2],
          [129, 1],
          [130, 5],
        ],
      },
    )
  })

  it('goes on to the end by what it names, each exactly once', async () => {
    const { context, omitted } = await app.context(request({ limit: 40, author: 'octocat' }))
    const found = [...commitsOf(context), ...commitsOf(await follow(app, omitted))]
    expect(found.map(numberOf)).toEqual(ALL.filter((n) => n % 2 === 0))
  })

  it('names the gaps that a budget makes, and fills them exactly once', async () => {
    const asked = { ...request({ limit: 130 }), max_tokens: 700 }
    const { context, omitted, tokens } = await app.context(asked)
    expect(tokens).toBeLessThanOrEqual(700)
    const kept = commitsOf(context).filter(({ message }) => !message.includes('tokens omitted'))
    expect(kept.length).toBeGreaterThan(5)
    const rest = commitsOf(await follow(app, omitted, { gaps: true }))
    const found = [...kept, ...rest].map(numberOf)
    expect(found.sort((a, b) => b - a)).toEqual(ALL)
  })

  it('finds the one commit in question', async () => {
    const asked = { ...request({ limit: 130 }), max_tokens: 300 }
    expect((await app.context(asked)).context[0]?.content).not.toContain('quokka')
    const { context } = await app.context({ ...asked, query: 'dancing quokka' })
    expect(context[0]?.content).toContain('Teach the quokka to dance')
  })

  it('asks GitHub in two rounds at most', async () => {
    github.resetCounts()
    github.latencyMs = 300
    await app.block({ ...request({ limit: 130 }), max_age: 0 })
    github.latencyMs = 0
    expect([github.count(), github.rounds()]).toEqual([2, 2])
  })

  it('has a GET form, and a page on GitHub', async () => {
    const get = async (path: string) =>
      commitsOf((await app.get(path)).json<{ context: Block[] }>().context).map(numberOf)
    const path = '/mcp/context/github_commits?owner=octo&repo=talk&ref=main&limit=1'
    expect(await get(path)).toEqual([129])
    const url = 'https://github.com/octo/talk/commits'
    expect(await get(`/mcp/context?url=${url}&limit=1`)).toEqual([129])
    expect(await get(`/mcp/context?url=${url}/main&limit=1`)).toEqual([129])
  })

  it('goes by the new name after a rename', async () => {
    renameRepository(github.world, 'octo/talk', 'Speech')
    const { context, omitted } = await app.context({ ...request({ limit: 2 }), max_age: 0 })
    expect(context[0]?.id).toBe('github_commits:octo/Speech@HEAD')
    expect(omitted[0]?.next?.params).toMatchObject({ repo: 'Speech' })
  })
})
