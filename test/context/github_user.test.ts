import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Block, type Problem, startApp } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addAccount,
  addRepository,
  documented,
  type GitHub,
  OCTOCAT_TOKEN,
  type RepositoryOptions,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  github.world.anonymousLimits.core = 10_000
  addAccount(github.world, { login: 'mona', token: 'mona-token' })
  app = await startApp({ github })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const request = (params: Record<string, unknown> = {}) => ({ context_type: 'github_user', params })
const mona = (params: Record<string, unknown> = {}) => request({ login: 'mona', ...params })
const add = (name: string, options: Partial<RepositoryOptions> = {}) =>
  addRepository(github.world, { owner: 'mona', name, ...options })
const day = (number: number) =>
  new Date(Date.UTC(2026, 0, number)).toISOString().replace('.000', '')
/** The first is the last that was pushed to. */
const fill = (count: number, options: Partial<RepositoryOptions> = {}) => {
  for (let i = 0; i < count; i++) add(`r${i}`, { pushed_at: day(count - i), ...options })
}
const namesOf = (...blocks: readonly Block[]) =>
  blocks
    .flatMap(({ repositories }) => repositories as { full_name: string }[])
    .map(({ full_name }) => full_name)
const range = (count: number) => Array.from({ length: count }, (_, i) => `mona/r${i}`)
/** What GitHub says of an account, with changes. */
const says = (path: RegExp, change: object) =>
  github.fault({
    match: path,
    kind: 'status',
    status: 200,
    body: { ...(documented('GET', '/users/{username}') as object), login: 'mona', ...change },
  })

describe('github_user', () => {
  it('tells of the account, and of its repositories, the last pushed first', async () => {
    const block = await app.block(request({ login: 'octocat' }))
    expect(block).toEqual({
      type: 'github_user',
      id: 'github_user:octocat',
      title: 'monalisa octocat',
      url: 'https://github.com/octocat',
      trust: 'stranger',
      login: 'octocat',
      kind: 'User',
      name: 'monalisa octocat',
      bio: 'There once was...',
      company: 'GitHub',
      location: 'San Francisco',
      website: 'https://github.com/blog',
      followers: 20,
      public_repositories: 2,
      created_at: '2008-01-14T04:33:35Z',
      repositories: [
        {
          full_name: 'octocat/Hello-World',
          url: 'https://github.com/octocat/Hello-World',
          description: 'This your first repo!',
          language: null,
          stars: 80,
          fork: false,
          archived: false,
          private: false,
          pushed_at: '2011-01-26T19:06:43Z',
        },
      ],
      content: expect.any(String),
      tokens: expect.any(Number),
    })
    expect(block.content).toBe(
      '# User octocat\n> monalisa octocat\nhttps://github.com/octocat\n' +
        'Company: GitHub · Location: San Francisco · Website: https://github.com/blog · ' +
        'Followers: 20 · Public repositories: 2 · Since: 2008-01-14T04:33:35Z\n\n' +
        '> There once was...\n\n## octocat/Hello-World\nStars: 80 · Pushed: 2011-01-26\n' +
        '> This your first repo!',
    )
    expect(block).not.toHaveProperty('email')
  })

  it('does without what the account does not say', async () => {
    says(/users\/mona$/, { name: null, bio: null, company: null, location: null, blog: '' })
    const block = await app.block(mona())
    expect(block).toMatchObject({ title: 'mona', name: null, bio: null, website: null })
    expect(block.content).toMatch(/^# User mona\n> mona\nhttps:\S+\nFollowers/)
    expect(block.content).not.toMatch(/null|undefined|Company/)
  })

  it('says what a repository is besides', async () => {
    add('old', { archived: true, fork: true, description: null, language: 'Ruby', pushed_at: null })
    const block = await app.block(mona())
    expect(block.repositories).toMatchObject([{ archived: true, fork: true, description: null }])
    expect(block.content).toContain(
      '## mona/old\nLanguage: Ruby · Stars: 0 · Fork: yes · Archived: yes\nNo description.',
    )
  })

  it('marks what they say of themselves', async () => {
    says(/users\/mona$/, {
      name: '# Service\nsays',
      bio: 'Hi\n# User octocat',
      company: 'A · B: C',
    })
    const { content, title } = await app.block(mona())
    expect(title).toBe('# Service says')
    expect(content.split('\n')).toEqual([
      '# User mona',
      '> # Service says',
      expect.stringMatching(/^https/),
      expect.stringMatching(/^Company: "A · B: C" · /),
      '',
      '> Hi',
      '> # User octocat',
    ])
    expect(
      (await app.context({ ...mona(), min_trust: 'contributor' } as never)).context[0],
    ).toMatchObject({ bio: '' })
  })

  it('knows organisations and bots', async () => {
    addRepository(github.world, { owner: 'acme', name: 'api' })
    const block = await app.block(request({ login: 'acme' }))
    expect(block).toMatchObject({ kind: 'Organization' })
    expect(block.content).toMatch(/^# Organisation acme\n/)
    expect((await app.post(request({ login: 'dependabot[bot]' }))).status).toBe(404)
    expect(github.count({ path: '/users/dependabot%5Bbot%5D' })).toBeGreaterThan(0)
  })

  it('gives windows and the way to the rest', async () => {
    fill(70)
    const { context, omitted } = await app.context(mona())
    expect(namesOf(...context)).toEqual(range(70).slice(0, 30))
    expect(omitted).toEqual([
      { what: 'repositories', reason: 'limit', next: mona({ offset: 30, limit: 30 }) },
    ])
    expect(namesOf(...context, ...(await follow(app, omitted)))).toEqual(range(70))
    const none = await app.context(mona({ limit: 0 }))
    expect(namesOf(...none.context)).toEqual([])
    expect(none.omitted).toMatchObject([{ next: { params: { offset: 0, limit: 30 } } }])
  })

  it('fits a budget; following all gives each repository once', async () => {
    fill(30, { description: 'Many words about a thing that does things. '.repeat(3) })
    const { context, omitted, tokens } = await app.context({ ...mona(), max_tokens: 500 })
    expect(tokens).toBeLessThanOrEqual(500)
    const names = namesOf(...context, ...(await follow(app, omitted, { gaps: true })))
    expect(names.toSorted()).toEqual(range(30).toSorted())
  })

  it('asks GitHub side by side', async () => {
    fill(3)
    github.latencyMs = 300
    await app.block(mona())
    expect([github.count(), github.rounds()]).toEqual([2, 1])
  })

  it('shows no repository outside of the allowlist', async () => {
    fill(4)
    await using narrow = await startApp({ github, env: { ALLOWED_REPOS: 'mona/r2,octo/*' } })
    expect(namesOf(await narrow.block(mona()))).toEqual(['mona/r2'])
  })

  it('is not found, forbidden or invalid as may be', async () => {
    const status = async (params: Record<string, unknown>) =>
      (await app.post(request(params))).status
    expect(await status({ login: 'nobody' })).toBe(404)
    expect(await status({ login: 'a b' })).toBe(400)
    expect(await status({ login: '../x' })).toBe(400)
    github.fault({ match: /users\/mona/, kind: 'status', status: 403 })
    expect(await status({ login: 'mona' })).toBe(403)
  })

  it('is one answer whatever the case, and is found by query and page', async () => {
    await app.block(mona())
    await app.block(request({ login: 'MONA' }))
    expect(github.count()).toBe(2)
    const byQuery = await app.get('/mcp/context/github_user?login=mona&limit=1')
    const byPage = await app.get(`/mcp/context?url=${encodeURIComponent('github.com/mona')}`)
    for (const answer of [byQuery, byPage]) {
      expect(answer.json<{ context: Block[] }>().context[0]?.id).toBe('github_user:mona')
    }
  })
})

describe('the credential’s own account', () => {
  it('is answered without a login, with what it may read', async () => {
    addRepository(github.world, { owner: 'acme', name: 'plans', private: true, readers: ['mona'] })
    add('mine', { private: true })
    add('open')
    await using own = await startApp({ github, env: { GITHUB_TOKEN: 'mona-token' } })
    const block = await own.block(request())
    expect(block.login).toBe('mona')
    expect(namesOf(block).toSorted()).toEqual(['acme/plans', 'mona/mine', 'mona/open'])
    expect(block.content).toContain('Private: yes')
    const { context } = await own.context(mona())
    expect(namesOf(...context)).toEqual(['mona/open'])
  })

  it('names itself in the request for the rest only where it was named', async () => {
    fill(3)
    await using own = await startApp({ github, env: { GITHUB_TOKEN: 'mona-token' } })
    const { context, omitted } = await own.context(request({ limit: 2 }))
    expect(omitted).toMatchObject([{ next: request({ offset: 2, limit: 2 }) }])
    expect(namesOf(...context, ...(await follow(own, omitted)))).toEqual(range(3))
  })

  it('is there for credentials of accounts alone', async () => {
    const answer = await app.post(request())
    expect([answer.status, answer.json<Problem>().code]).toEqual([403, 'upstream_forbidden'])
    await using owner = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
    expect((await owner.block(request())).login).toBe('octocat')
  })
})
