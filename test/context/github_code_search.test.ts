import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type App,
  type Block,
  type ContextRequest,
  type Problem,
  startApp,
} from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addFiles,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  github.world.limits.code_search = 1_000
  addRepository(github.world, { owner: 'octo', name: 'talk', default_branch: 'main' })
  addRepository(github.world, { owner: 'acme', name: 'plans', default_branch: 'main' })
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const request = (q: string, params: object = {}) => ({
  context_type: 'github_code_search',
  params: { q, ...params },
})
const add = (repository: string, files: Record<string, string>) =>
  addFiles(github.world, repository, files)
/** A file for each number, each with the word. */
const many = (count: number, word: string) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `f${String(i).padStart(4, '0')}.ts`,
      `${word} ${i}\n`,
    ]),
  )
interface Result {
  repository: string
  path: string
  fragments: string[]
}
const resultsOf = (...blocks: readonly Block[]) =>
  blocks.flatMap(({ results }) => results as Result[])
const pathsOf = (...blocks: readonly Block[]) => resultsOf(...blocks).map(({ path }) => path)

describe('github_code_search', () => {
  it('shows of each file what is around the match', async () => {
    add('octo/talk', {
      'src/login.ts': 'one\ntwo\nfunction login() {\n  return 1\n}\nsix\n',
      'src/login/a.ts': 'nothing here\n',
    })
    const block = await app.block(request('login repo:octo/talk'))
    expect(block).toEqual({
      type: 'github_code_search',
      id: 'github_code_search:login repo:octo/talk',
      title: 'login repo:octo/talk',
      url: 'https://github.com/search?q=login+repo%3Aocto%2Ftalk&type=code',
      trust: 'maintainer',
      q: 'login repo:octo/talk',
      total: 2,
      incomplete: false,
      results: [
        {
          repository: 'octo/talk',
          path: 'src/login.ts',
          url: expect.stringMatching(
            /^https:\/\/github\.com\/octo\/talk\/blob\/[0-9a-f]{40}\/src\/login\.ts$/,
          ),
          sha: expect.stringMatching(/^[0-9a-f]{40}$/),
          fragments: ['one\ntwo\nfunction login() {\n  return 1\n}'],
        },
        expect.objectContaining({ path: 'src/login/a.ts', fragments: [] }),
      ],
      content:
        '# 2 of 2 files that match\n> login repo:octo/talk\n\n## octo/talk src/login.ts\n' +
        '> one\n> two\n> function login() {\n>   return 1\n> }\n\n' +
        '## octo/talk src/login/a.ts\n> (the name matches)',
      tokens: expect.any(Number),
    })
  })

  it('says so where GitHub ran out of time', async () => {
    add('octo/talk', { a: 'word' })
    github.world.searchesIncomplete = true
    const { context, omitted } = await app.context(request('word'))
    expect(context[0]).toMatchObject({ incomplete: true })
    expect(context[0]?.content).toContain('Incomplete: GitHub ran out of time; ask for less')
    expect(omitted).toEqual([{ what: 'results', reason: 'incomplete_results' }])
  })

  it('gives windows and the way to the rest, as far as GitHub shows results', async () => {
    add('octo/talk', many(45, 'needle'))
    const { context, omitted } = await app.context(request('needle'))
    expect(pathsOf(...context)).toHaveLength(20)
    expect(omitted).toEqual([
      {
        what: 'results',
        count: 25,
        reason: 'limit',
        next: request('needle', { limit: 20, offset: 20, sort: 'best-match' }),
      },
    ])
    const all = pathsOf(...context, ...(await follow(app, omitted)))
    expect([all.length, new Set(all).size]).toEqual([45, 45])
    add('acme/plans', many(1_000, 'needle'))
    const end = await app.context(request('needle', { offset: 990 }))
    expect(pathsOf(...end.context)).toHaveLength(10)
    expect(end.omitted).toEqual([{ what: 'results', count: 45, reason: 'search_cap' }])
  })

  it('fits a budget; following all gives each result once', async () => {
    add('octo/talk', many(30, 'needle in a haystack of many words'))
    const asked = { ...request('needle', { limit: 30 }), max_tokens: 300 }
    const { context, omitted, tokens } = await app.context(asked)
    expect(tokens).toBeLessThanOrEqual(300)
    const rest = await follow(app, omitted, { gaps: true })
    const paths = pathsOf(...context, ...rest)
    expect([paths.length, new Set(paths).size]).toEqual([30, 30])
  })

  it('asks GitHub once for a window, and no more than it allows', async () => {
    add('octo/talk', many(150, 'needle'))
    github.latencyMs = 200
    await app.context(request('needle', { limit: 100 }))
    expect(github.count()).toBe(1)
    github.resetCounts()
    await app.context(request('needle', { limit: 100, offset: 30 }))
    expect(github.rounds()).toBeLessThanOrEqual(2)
    expect(github.requests.every(({ path }) => path.startsWith('/search/code'))).toBe(true)
  })

  it('keeps odd names and texts on their lines', async () => {
    add('octo/talk', { 'a\n# Service.ts': 'needle\n# Service says\u2028> more\n' })
    const { content } = await app.block(request('needle'))
    expect(content.split('\n').slice(3)).toEqual([
      '## octo/talk a # Service.ts',
      '> needle',
      '> # Service says␤> more',
      '>',
    ])
  })

  it('is of what the credential may read, under its present name', async () => {
    addRepository(github.world, { owner: 'acme', name: 'hidden', private: true })
    add('acme/hidden', { a: 'needle' })
    add('octo/talk', { b: 'needle' })
    renameRepository(github.world, 'octo/talk', 'speech')
    expect(resultsOf(await app.block(request('needle')))).toMatchObject([
      { repository: 'octo/speech', path: 'b' },
    ])
    expect((await app.post(request('needle repo:acme/hidden'))).status).toBe(400)
  })

  it.each([
    ['nothing', '   ', 400],
    ['no words', 'repo:octo/talk', 400],
    ['too much', 'x'.repeat(1_001), 400],
  ])('refuses a query of %s', async (_name, q, status) => {
    expect((await app.post(request(q))).status).toBe(status)
  })

  it('may be refused', async () => {
    github.fault({ match: /search/, kind: 'status', status: 403 })
    expect((await app.post(request('needle'))).status).toBe(403)
  })

  it('is a query too', async () => {
    add('octo/talk', { 'a.ts': 'needle' })
    const q = encodeURIComponent('needle repo:octo/talk')
    const answer = await app.get(`/mcp/context/github_code_search?q=${q}&limit=5`)
    expect(pathsOf(...answer.json<{ context: Block[] }>().context)).toEqual(['a.ts'])
  })
})

describe('without a credential', () => {
  it('is refused, and takes nothing else away', async () => {
    await using stranger = await startApp({ github })
    const file: ContextRequest = {
      context_type: 'github_file',
      params: { owner: 'octocat', repo: 'Hello-World', path: 'README' },
    }
    await stranger.block(file)
    const answer = await stranger.post(request('needle'))
    expect([answer.status, answer.json<Problem>().code]).toEqual([403, 'upstream_forbidden'])
    expect(answer.json<Problem>().detail).toContain('GITHUB_TOKEN')
    const again = await stranger.post(file)
    expect(again.headers['cache-status']).toMatch(/hit/)
  })
})

describe('with an allowlist', () => {
  const limited = (allowed: string) =>
    startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN, ALLOWED_REPOS: allowed } })

  it('shows nothing of other repositories, nor how much there is', async () => {
    add('acme/plans', many(30, 'needle'))
    add('octo/talk', { mine: 'needle' })
    await using narrow = await limited('octo/*')
    const { context, omitted } = await narrow.context(request('needle', { limit: 100 }))
    expect(resultsOf(...context)).toMatchObject([{ repository: 'octo/talk', path: 'mine' }])
    expect(context[0]).toMatchObject({ total: null })
    expect(context[0]?.content).toMatch(/^# 1 files that match\n/)
    expect(omitted).toEqual([])
    expect(JSON.stringify(context)).not.toMatch(/acme|plans/)
  })

  it('answers a search of others alone as one that finds nothing', async () => {
    add('acme/plans', many(30, 'needle'))
    await using narrow = await limited('octo/talk')
    const about = async (word: string) => {
      const { context, omitted, tokens } = await narrow.context(request(word, { limit: 5 }))
      return [context.map(({ results, total }) => ({ results, total })), omitted, tokens]
    }
    expect(await about('needle')).toEqual(await about('absent'))
  })

  it('forbids naming others, but not leaving them out', async () => {
    add('octo/talk', { mine: 'needle' })
    await using narrow = await limited('octo/talk')
    for (const q of ['needle repo:acme/plans', 'needle REPO:"acme/plans" repo:octo/talk']) {
      const answer = await narrow.post(request(q))
      expect([answer.status, answer.json<Problem>().code]).toEqual([403, 'forbidden'])
    }
    expect(github.count()).toBe(0)
    const block = await narrow.block(request('needle -repo:acme/plans'))
    expect(pathsOf(block)).toEqual(['mine'])
  })
})
