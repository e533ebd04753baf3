import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import {
  addAccount,
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { conversation, type Status, startConversation } from '../support/sessions.ts'

const ANN = 'ghp_annannannannannannannannannannannann'
const BOB = 'ghp_bobbobbobbobbobbobbobbobbobbobbobbob'
const KEYS = 'ann:ann-0123456789abcdef,bob:bob-0123456789abcdef'
const by = (name: string) => ({ 'x-api-key': `${name}-0123456789abcdef` })
const NOON = Date.parse('2026-01-31T12:00:00Z')

let github: GitHub
let redis: RedisServer
let folder: Awaited<ReturnType<typeof mkdtempDisposable>>
beforeAll(async () => {
  github = await startGitHub()
  redis = await startRedis()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  addIssue(github.world, 'octo/talk', { title: 'Login fails', body: 'It fails.', labels: ['bug'] })
  addIssue(github.world, 'octo/talk', { title: 'Logout fails', body: 'It fails too.' })
  for (const [login, token] of Object.entries({ ann: ANN, bob: BOB }))
    addAccount(github.world, { login, token })
})
afterAll(async () => {
  await redis.close()
  await github.close()
})
beforeEach(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), 'data-'))
})
afterEach(async () => {
  vi.useRealTimers()
  await folder.remove()
})

const stores = [
  ['SQLite', () => ({ DATA_DIR: folder.path })],
  ['Redis', () => ({ REDIS_URL: redis.url })],
] as const

describe.each(stores)('sessions in %s', (_name, place) => {
  const start = (env: Record<string, string> = {}): Promise<App> =>
    startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN, ...place(), ...env } })

  it('work as a client of the reference server expects it', async () => {
    await using app = await start()
    const created = await app.send('POST', '/mcp/session/create')
    expect(created.status).toBe(201)
    const { session_id: id } = created.json<Status>()
    expect(id).toMatch(/^[\w-]{24}$/)
    expect(created.headers.location).toBe(`/mcp/session/${id}/status`)
    const session = conversation(app, id)
    const items = [{ type: 'code', content: 'let a = 1', metadata: { language: 'js' } }]
    expect((await session.tryAdd(items)).status).toBe(204)
    const query = '?repo_owner=octo&repo_name=talk&fetch_issues=true&fetch_prs=true'
    const fetched = await session.tryFetch(undefined, query)
    expect([fetched.status, fetched.text]).toEqual([204, ''])
    const turn = await session.invoke('Why does the login fail?', null)
    expect(turn).toMatchObject({ session_id: id, context_updates: [] })
    expect(turn.model_response).toContain('Why does the login fail?')
    const status = await session.status()
    expect(status.context.items).toMatchObject([
      items[0] as object,
      { type: 'github_issue', issue_id: 2, title: 'Logout fails', body: 'It fails too.' },
      {
        type: 'github_issue',
        issue_id: 1,
        title: 'Login fails',
        body: 'It fails.',
        state: 'open',
        labels: ['bug'],
        url: 'https://github.com/octo/talk/issues/1',
      },
    ])
    expect(status.history).toMatchObject([
      { user_input: 'Why does the login fail?', model_response: turn.model_response },
    ])
  })

  it('are made whatever an empty body is called', async () => {
    await using app = await start()
    const json = { 'content-type': 'application/json' }
    const answers = [
      await app.send('POST', '/mcp/session/create', json, ''),
      await app.send('POST', '/mcp/session/create', json, '{}'),
      await app.send('POST', '/mcp/session/create', json, ' \n'),
    ]
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
    const ids = answers.map((answer) => answer.json<Status>().session_id)
    expect(new Set(ids).size).toBe(3)
    const query = '?repo_owner=octo&repo_name=talk&fetch_issues=True&fetch_prs=False'
    const path = `/mcp/session/${ids[0]}/github_context${query}`
    expect((await app.send('POST', path, json, '')).status).toBe(204)
  })

  it('survive a restart of the service', async () => {
    let app = await start()
    const first = await startConversation(app)
    await first.add({ type: 'document', content: 'Text.' })
    await first.fetch([{ context_type: 'github_repo', params: { owner: 'octo', repo: 'talk' } }])
    await first.invoke('One?')
    const before = await first.status()
    await app.close()
    app = await start()
    const again = conversation(app, first.id)
    expect(await again.status()).toEqual({ ...before, expires_at: expect.any(String) })
    const turn = await again.invoke('Two?')
    expect(turn.usage.turns_sent).toBe(1)
    expect((await again.status()).history.map(({ user_input }) => user_input)).toEqual([
      'One?',
      'Two?',
    ])
    await app.close()
  })

  it('belong to the API key that made them', async () => {
    await using app = await start({ API_KEYS: KEYS })
    const session = await startConversation(app, by('ann'))
    await session.add({ type: 'document', content: 'Mine.' })
    const problems = async (id: string) => {
      const other = conversation(app, id, by('bob'))
      const answers = [
        await other.tryStatus(),
        await other.tryAdd([]),
        await other.tryFetch({ requests: [repo] }),
        await other.tryInvoke('Hi'),
        await other.remove(),
      ]
      return answers.map((answer) => ({ ...answer.json<Problem>(), request_id: '' }))
    }
    const found = await problems(session.id)
    expect(found.map(({ status }) => status)).toEqual(Array(5).fill(404))
    for (const { code, detail } of found)
      expect([code, detail]).toEqual(['not_found', expect.stringMatching(/^Session not found/)])
    // Nothing tells that there is such a session.
    expect(found).toEqual(await problems('A'.repeat(24)))
    expect((await session.status()).context.items).toHaveLength(1)
    expect((await conversation(app, session.id).tryStatus()).status).toBe(401)
    expect((await session.remove()).status).toBe(204)
    expect((await session.remove()).status).toBe(404)
  })

  it('belong to the GitHub token that they were made with', async () => {
    await using app = await start({ API_KEYS: KEYS, ALLOW_CALLER_TOKENS: 'true' })
    const own = { ...by('ann'), 'x-github-token': ANN }
    const session = await startConversation(app, own)
    await session.fetch([repo])
    expect((await session.status()).context.items).toHaveLength(1)
    for (const headers of [
      by('ann'),
      { ...by('ann'), 'x-github-token': BOB },
      { ...by('bob'), 'x-github-token': ANN },
    ])
      expect((await conversation(app, session.id, headers).tryStatus()).status).toBe(404)
    const plain = await startConversation(app, by('ann'))
    expect((await conversation(app, plain.id, own).tryStatus()).status).toBe(404)
  })

  it('take a caller’s token only where that is allowed', async () => {
    await using app = await start()
    const answer = await app.send('POST', '/mcp/session/create', { 'x-github-token': ANN })
    expect(answer.status).toBe(403)
  })

  it('expire after their last use', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON })
    await using app = await start({ SESSION_TTL_SECONDS: '600' })
    const session = await startConversation(app)
    vi.setSystemTime(Date.now() + 599_000)
    await session.invoke('Still there?')
    vi.setSystemTime(Date.now() + 599_000)
    const { created_at, expires_at } = await session.status()
    expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(1_798_000)
    vi.setSystemTime(Date.now() + 600_000)
    expect((await session.tryStatus()).status).toBe(404)
    expect((await session.tryInvoke('Now?')).status).toBe(404)
  })

  it('take many writers at once, in one order', async () => {
    await using app = await start()
    await using replica = await start()
    const session = await startConversation(app)
    const other = conversation(replica, session.id)
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        (index % 2 === 0 ? session : other).add(
          { type: 'note', content: `${index} first` },
          { type: 'note', content: `${index} second` },
        ),
      ),
    )
    const contents = (await session.status()).context.items.map(({ content }) => String(content))
    expect(contents).toHaveLength(120)
    for (const [index, content] of contents.entries())
      if (index % 2 === 1) expect(content).toBe(contents[index - 1]?.replace('first', 'second'))
    expect((await other.status()).context.items.map(({ content }) => content)).toEqual(contents)
  })

  it('say what they are worth in metrics and health', async () => {
    await using app = await start()
    const session = await startConversation(app)
    await session.invoke('Hi')
    const { checks } = (await app.get('/health')).json<{ checks: Record<string, unknown> }>()
    expect(checks.sessions).toEqual({ status: 'ok' })
    const metrics = (await app.get('/metrics')).text
    expect(metrics).toMatch(/^sessions_kept [1-9]/m)
    expect(metrics).toContain('session_turns_total{outcome="ok"} 1')
  })
})

const repo = { context_type: 'github_repo', params: { owner: 'octo', repo: 'talk' } }
