import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import {
  addAccount,
  addIssue,
  addRepository,
  type GitHub,
  startGitHub,
} from '../support/github/index.ts'
import { message, type Rpc } from '../support/mcp/client.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { redisContents } from '../support/redisContents.ts'

const ANN = { 'x-api-key': 'ann-key-0123456789' }
const BOB = { 'x-api-key': 'bob-key-0123456789' }
const CLEO = { 'x-api-key': 'cleo-key-0123456789' }
const API_KEYS = [ANN, BOB, CLEO]
  .map(({ 'x-api-key': key }) => `${key.split('-', 1)[0]}:${key}`)
  .join()
const SERVICE_TOKEN = `ghp_${'service'.repeat(5)}`
const CLEO_TOKEN = `ghp_${'cleocleo'.repeat(4)}`
const OPEN = '/mcp/context/github_repo?owner=acme&repo=open'
const SHUT = '/mcp/context/github_repo?owner=acme&repo=shut'
const SEARCH = '/mcp/context/github_issue_search?q=talk'
const JSON_TYPE = { 'content-type': 'application/json' }

let github: GitHub
let app: App
let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'policies-'))
  path = join(folder, 'policies.json')
  github = await startGitHub()
  addAccount(github.world, { login: 'service', token: SERVICE_TOKEN })
  addAccount(github.world, { login: 'cleo', token: CLEO_TOKEN })
  for (const name of ['open', 'shut']) {
    addRepository(github.world, { owner: 'acme', name })
    addIssue(github.world, `acme/${name}`, { title: `talk about ${name}` })
  }
  addRepository(github.world, {
    owner: 'acme',
    name: 'cleos',
    private: true,
    readers: ['cleo'],
  })
})
afterEach(async () => {
  await app?.close()
  await github.close()
  await rm(folder, { recursive: true })
})

/** Whole at every moment, as it should be replaced. */
async function write(policies: unknown): Promise<void> {
  const text = typeof policies === 'string' ? policies : JSON.stringify(policies)
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

async function start(policies: unknown, env: Record<string, string> = {}): Promise<void> {
  await write(policies)
  app = await startApp({
    github,
    env: { API_KEYS, GITHUB_TOKEN: SERVICE_TOKEN, POLICIES_FILE: path, ...env },
  })
}

const status = async (address: string, headers: Record<string, string>) =>
  (await app.get(address, headers)).status

const send = (address: string, headers: Record<string, string>, body: unknown) =>
  app.send('POST', address, { ...headers, ...JSON_TYPE }, JSON.stringify(body))

async function rpc(headers: Record<string, string>, method: string, params: object): Promise<Rpc> {
  const { body, headers: own } = message('2026-07-28', method, { ...params })
  const answer = await app.send('POST', '/mcp', { ...own, ...headers }, JSON.stringify(body))
  const data = /^data: (.*)$/m.exec(answer.text)?.[1] ?? answer.text
  return JSON.parse(data) as Rpc
}

const shutRequest = { context_type: 'github_repo', params: { owner: 'acme', repo: 'shut' } }
const openRequest = { context_type: 'github_repo', params: { owner: 'acme', repo: 'open' } }

describe('allowed_repos of a key', () => {
  beforeEach(() => start({ bob: { allowed_repos: ['acme/open'] } }))

  it('shuts out what others have in the cache, and nobody else', async () => {
    expect(await status(SHUT, ANN)).toBe(200)
    const refused = await app.get(SHUT, BOB)
    expect(refused.status).toBe(403)
    expect(refused.json<Problem>()).toMatchObject({
      code: 'forbidden',
      detail: expect.stringContaining('allowed_repos'),
    })
    expect(await status(OPEN, BOB)).toBe(200)
    expect(await status(SHUT, ANN)).toBe(200)
    const sent = github.count({ path: /shut/ })
    expect(await status('/mcp/context/github_issue?owner=ACME&repo=Shut&issue_number=1', BOB)).toBe(
      403,
    )
    expect(github.count({ path: /shut/ })).toBe(sent)
  })

  it('holds for addresses and for streams', async () => {
    const url = encodeURIComponent('https://github.com/acme/shut/issues/1')
    expect(await status(`/mcp/context?url=${url}`, BOB)).not.toBe(200)
    expect(await status(SHUT, { ...BOB, accept: 'text/event-stream' })).toBe(403)
    expect(await status(SHUT, { ...BOB, accept: 'text/markdown' })).toBe(403)
  })

  it('holds for each part of a batch', async () => {
    const answer = await send('/mcp/context/batch', BOB, { requests: [shutRequest, openRequest] })
    const { results } = answer.json<{ results: { status: number }[] }>()
    expect(results.map((result) => result.status)).toEqual([403, 200])
  })

  it('leaves out of a search what may not be read, and never by the cache of another', async () => {
    const titles = async (headers: Record<string, string>) => {
      const answer = await app.get(SEARCH, headers)
      expect(answer.status).toBe(200)
      return answer.text
    }
    expect(await titles(ANN)).toContain('talk about shut')
    expect(await titles(BOB)).not.toContain('shut')
    expect(await titles(BOB)).toContain('talk about open')
    expect(await titles(ANN)).toContain('talk about shut')
    expect(await status(`${SEARCH}%20repo:acme/shut`, BOB)).toBe(403)
  })

  it('holds for tools, resources and completions of MCP', async () => {
    const tool = { name: 'github_repo', arguments: { owner: 'acme', repo: 'shut' } }
    const allowed = { name: 'github_repo', arguments: { owner: 'acme', repo: 'open' } }
    expect((await rpc(ANN, 'tools/call', tool)).result.isError).toBeFalsy()
    const refused = await rpc(BOB, 'tools/call', tool)
    expect(refused.result.isError).toBe(true)
    expect(JSON.stringify(refused)).toContain('allowed_repos')
    expect((await rpc(BOB, 'tools/call', allowed)).result.isError).toBeFalsy()
    const resource = (repo: string) => ({ uri: `github://acme/${repo}` })
    const read = await rpc(ANN, 'resources/read', resource('shut'))
    expect(read.error).toBeUndefined()
    const forbidden = await rpc(BOB, 'resources/read', resource('shut'))
    expect(forbidden.result).toBeUndefined()
    expect((await rpc(BOB, 'resources/read', resource('open'))).error).toBeUndefined()
    const complete = async (headers: Record<string, string>) => {
      const ref = { type: 'ref/resource', uri: 'github://{owner}/{repo}' }
      const params = {
        ref,
        argument: { name: 'repo', value: '' },
        context: { arguments: { owner: 'acme' } },
      }
      return JSON.stringify((await rpc(headers, 'completion/complete', params)).result)
    }
    expect(await complete(ANN)).toContain('shut')
    expect(await complete(BOB)).toContain('open')
    expect(await complete(BOB)).not.toContain('shut')
  })

  it('holds for what is written', async () => {
    await app.close()
    await start({ bob: { allowed_repos: ['acme/open'] } }, { ENABLE_WRITES: 'true' })
    const create = (headers: Record<string, string>, repo: string) =>
      rpc(headers, 'tools/call', {
        name: 'github_create_issue',
        arguments: { repository: `acme/${repo}`, title: 'New' },
      })
    const written = () => github.count({ method: 'POST' })
    expect(JSON.stringify(await create(BOB, 'shut'))).toContain('allowed_repos')
    expect(written()).toBe(0)
    await create(BOB, 'open')
    expect(written()).toBe(1)
    await create(ANN, 'shut')
    expect(written()).toBe(2)
  })

  it('holds for what is fetched into a session, and for what is there when it is narrowed', async () => {
    const made = await app.send('POST', '/mcp/session/create', BOB)
    const { session_id: id } = made.json<{ session_id: string }>()
    const fetchInto = (request: object) =>
      send(`/mcp/session/${id}/github_context`, BOB, { requests: [request] })
    expect((await fetchInto(shutRequest)).status).toBe(403)
    expect((await fetchInto(openRequest)).status).toBe(204)
    const invoke = async () =>
      (await send(`/mcp/session/${id}/invoke`, BOB, { user_input: 'What is there?' })).json<{
        context_updates: readonly unknown[]
      }>()
    expect((await invoke()).context_updates).toEqual([])
    await write({ bob: { allowed_repos: ['acme/other'] } })
    await vi.waitFor(async () => expect(await status(OPEN, BOB)).toBe(403), { timeout: 10_000 })
    expect(JSON.stringify((await invoke()).context_updates)).toContain('open')
    const left = await app.get(`/mcp/session/${id}/status`, BOB)
    expect(left.json<{ context: { items: readonly unknown[] } }>().context.items).toEqual([])
  })
})

describe('what a policy may not do', () => {
  it('widen what the service is allowed', async () => {
    await start({ bob: { allowed_repos: ['acme/*'] } }, { ALLOWED_REPOS: 'acme/open' })
    expect(await status(OPEN, BOB)).toBe(200)
    const refused = await app.get(SHUT, BOB)
    expect(refused.json<Problem>()).toMatchObject({
      code: 'forbidden',
      detail: expect.stringContaining('ALLOWED_REPOS'),
    })
  })

  it('mean everything by an empty list', async () => {
    await start({ bob: { allowed_repos: [] } })
    expect(await status(OPEN, BOB)).toBe(403)
    expect(await status(OPEN, ANN)).toBe(200)
  })
})

describe('rate_limit of a key', () => {
  it('is its own, and told with every answer', async () => {
    await start({ bob: { rate_limit: { max: 2, window_ms: 60_000 } } })
    const answers = []
    for (let each = 0; each < 4; each += 1) answers.push(await app.get(OPEN, BOB))
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 429, 429])
    expect(answers.map(({ headers }) => headers['ratelimit-limit'])).toEqual(['2', '2', '2', '2'])
    expect(answers[2]?.json<Problem>().detail).toContain('More than 2 requests in 60 s')
    expect((await app.get(OPEN, ANN)).headers['ratelimit-limit']).toBe('600')
  })
})

describe('github_token of a key', () => {
  let redis: RedisServer
  beforeEach(async () => {
    redis = await startRedis()
    vi.stubEnv('BOBS_TOKEN', SERVICE_TOKEN)
    const file = join(folder, 'token')
    await writeFile(file, `${CLEO_TOKEN}\n`)
    const cleo = { github_token: { file } }
    const bob = { github_token: { env: 'BOBS_TOKEN' } }
    await start({ bob, cleo }, { REDIS_URL: redis.url, LOG_LEVEL: 'trace' })
  })
  afterEach(() => redis.close())

  it('is the only one used for it, and its answers are nobody else’s', async () => {
    const cleos = '/mcp/context/github_repo?owner=acme&repo=cleos'
    expect(await status(cleos, CLEO)).toBe(200)
    expect(await status(cleos, ANN)).toBe(404)
    expect(await status(cleos, CLEO)).toBe(200)
    const calls = github.requests.length
    for (const key of [ANN, BOB, CLEO]) expect(await status(OPEN, key)).toBe(200)
    // The same token by another name is another principal.
    expect(github.requests.slice(calls).map(({ principal }) => principal)).toEqual([
      'service',
      'service',
      'cleo',
    ])
  })

  it('is never in Redis, in the log or in the metrics', async () => {
    expect(await status(OPEN, CLEO)).toBe(200)
    const seen = [
      await redisContents(redis.url),
      JSON.stringify(app.logs),
      (await app.get('/metrics')).text,
    ].map(String)
    for (const text of seen) {
      expect(text).not.toContain(CLEO_TOKEN)
      expect(text).not.toContain(SERVICE_TOKEN)
    }
  })
})

describe('the file', () => {
  it('is read again when it changes; what cannot be used changes nothing, and is told once', async () => {
    await start({ bob: { allowed_repos: ['acme/open'] } })
    expect(await status(SHUT, BOB)).toBe(403)
    await write({ bob: { allowed_repos: ['acme/*'] } })
    await vi.waitFor(async () => expect(await status(SHUT, BOB)).toBe(200), { timeout: 10_000 })
    const secret = `ghp_${'typo'.repeat(9)}`
    await write(`{"bob": {"allowed_repos": [], "github_token": "${secret}"}}`)
    const errors = () => app.logs.filter(({ level }) => Number(level) >= 50)
    await vi.waitFor(() => expect(errors()).toHaveLength(1), { timeout: 10_000 })
    expect(String(errors()[0]?.msg)).toContain('POLICIES_FILE: /bob/github_token')
    expect(JSON.stringify(app.logs)).not.toContain(secret)
    expect(await status(SHUT, BOB)).toBe(200)
    await write({})
    await vi.waitFor(() => expect(app.logs.at(-1)?.msg).toContain('in force for 0 callers'), {
      timeout: 10_000,
    })
    expect(errors()).toHaveLength(1)
  })

  it.each([
    ['is not JSON', '{"bob": '],
    ['/bob/allowed_repos/0', { bob: { allowed_repos: ['acme'] } }],
    ['/bob/rate_limt', { bob: { rate_limt: {} } }],
    ['/rob is not the name of a key', { rob: { allowed_repos: [] } }],
    ['/bob/github_token leads to no token', { bob: { github_token: { env: 'UNSET_TOKEN' } } }],
    ['/bob/github_token leads to no token', { bob: { github_token: { file: '/nowhere' } } }],
  ])('stops the start: %s', async (fault, policies) => {
    await expect(start(policies)).rejects.toThrow(`POLICIES_FILE: ${fault}`)
  })
})

describe('a subscription that runs', () => {
  /** Those of the caller who listens to what is open, as text that comes. */
  async function listen(headers: Record<string, string>) {
    const { body, headers: own } = message('2026-07-28', 'subscriptions/listen', {
      notifications: { resourceSubscriptions: ['github://acme/open'] },
    })
    const answer = await fetch(`${app.url}/mcp`, {
      method: 'POST',
      headers: { ...own, ...headers },
      body: JSON.stringify(body),
    })
    const listener = { text: '', over: false, abort: () => reader.cancel() }
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
    void (async () => {
      for (let part = await reader.read(); !part.done; part = await reader.read())
        listener.text += Buffer.from(part.value).toString()
      listener.over = true
    })()
    await vi.waitFor(() => expect(listener.text).toContain('"github://acme/open"'))
    return listener
  }

  it('ends when the policy that permitted it is no longer in force, and no other does', async () => {
    await start({ ann: { allowed_repos: ['acme/open'] }, bob: { allowed_repos: ['acme/*'] } })
    const [ann, bob, cleo] = [await listen(ANN), await listen(BOB), await listen(CLEO)]
    await write({ ann: { allowed_repos: ['acme/shut'] }, bob: { allowed_repos: ['acme/*'] } })
    await vi.waitFor(() => expect(ann.over).toBe(true), { timeout: 10_000 })
    expect([bob.over, cleo.over]).toEqual([false, false])
    const again = await rpc(ANN, 'resources/read', { uri: 'github://acme/open' })
    expect(again.error).toBeDefined()

    await write({ bob: { allowed_repos: ['acme/*'] }, cleo: { allowed_repos: [] } })
    await vi.waitFor(() => expect(cleo.over).toBe(true), { timeout: 10_000 })
    expect(bob.over).toBe(false)
    await bob.abort()
  })
})
