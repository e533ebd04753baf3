import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'
import { startRedis } from '../support/redis.ts'

const KEY = 'ann-key-0123456789'
const headers = { 'x-api-key': KEY }
let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  app = await startApp({
    github,
    env: { GITHUB_TOKEN: OCTOCAT_TOKEN, API_KEYS: `ann:${KEY}` },
  })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

type Labels = Record<string, string>
interface Sample {
  labels: Labels
  value: number
}

/** All samples of one metric. */
async function samples(name: string, from: Pick<App, 'get'> = app): Promise<Sample[]> {
  const { text } = await from.get('/metrics')
  return [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].flatMap(([, found, labels, value]) =>
    found === name
      ? [
          {
            labels: Object.fromEntries(
              [...(labels ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]),
            ),
            value: Number(value),
          },
        ]
      : [],
  )
}

async function value(
  name: string,
  labels: Labels = {},
  from: Pick<App, 'get'> = app,
): Promise<number | undefined> {
  const [found] = (await samples(name, from)).filter((sample) =>
    Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  )
  return found?.value
}

const COUNT = 'http_request_duration_seconds_count'
const repo = { context_type: 'github_repo', params: { owner: 'octocat', repo: 'Hello-World' } }

describe('GET /metrics', () => {
  it('speaks Prometheus text 0.0.4', async () => {
    const answer = await app.get('/metrics')
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(answer.text).toMatch(/^# TYPE http_request_duration_seconds histogram$/m)
    expect(answer.text).toMatch(/^process_cpu_seconds_total /m)
  })

  it('counts each outcome by its name', async () => {
    await app.post(repo, headers)
    await app.post(repo, headers)
    await app.post({ ...repo, max_age: 0 }, headers)
    await app.post({ ...repo, params: { owner: 'octocat', repo: 'none' } }, headers)
    await app.post({}, headers)
    await app.post(repo)
    const route = '/mcp/context'
    const of = (status: string, outcome: string, type: string) =>
      value(COUNT, { route, status, outcome, type })
    expect([
      await of('200', 'miss', 'github_repo'),
      await of('200', 'hit', 'github_repo'),
      await of('200', 'requested', 'github_repo'),
      await of('404', 'not_found', 'github_repo'),
      await of('400', 'invalid_request', 'none'),
      await of('401', 'unauthorized', 'none'),
    ]).toEqual([1, 1, 1, 1, 1, 1])
  })

  it('tells of GitHub: calls, connections, what is left', async () => {
    const call = { resource: 'core', status: '200' }
    const before = (await value('github_call_duration_seconds_count', call)) ?? 0
    await app.post(
      { ...repo, params: { owner: 'octokit-fixture-org', repo: 'hello-world' } },
      headers,
    )
    expect(await value('github_call_duration_seconds_count', call)).toBe(before + 1)
    expect(await value('github_pool_connections', { state: 'connected' })).toBe(1)
    expect(await value('github_pool_connections', { state: 'running' })).toBe(0)
    const answer = await app.post(repo, headers)
    expect(await value('github_rate_limit_remaining', { resource: 'core' })).toBe(
      Number(answer.headers['x-github-ratelimit-remaining']),
    )
  })

  it('tells of broken calls as status 0', async () => {
    github.fault({ match: '/repos/*', kind: 'reset', times: 1 })
    await app.post({ ...repo, max_age: 0 }, headers)
    expect(await value('github_call_duration_seconds_count', { status: '0' })).toBe(1)
  })

  it('tells of the cache', async () => {
    const answers = { part: 'answers' }
    const sized = { ...repo, max_tokens: 5_000 }
    const entries = (await value('cache_memory_entries')) ?? 0
    await app.post(sized, headers)
    expect(await value('cache_memory_entries')).toBe(entries + 1)
    // What is asked for again is counted by itself; what came once by the segment.
    const bytes = (await value('cache_memory_bytes', answers)) ?? 0
    await app.post(sized, headers)
    expect(await value('cache_memory_entries')).toBe(entries + 1)
    expect(await value('cache_memory_bytes', answers)).toBeGreaterThan(bytes + 500)
    for (const part of ['resources', 'past'])
      expect(await value('cache_memory_bytes', { part })).toBeGreaterThan(100)
    const most = await samples('cache_memory_max_bytes')
    const sum = most.reduce((total, { value }) => total + value, 0)
    expect(Math.abs(sum - 134_217_728)).toBeLessThan(most.length)
  })

  it('counts who waits for another’s fetch, while it runs', async () => {
    const before = (await value('cache_coalesced_total', { by: 'process' })) ?? 0
    github.fault({ match: '/repos/*', kind: 'hang', times: 1 })
    const leaving = new AbortController()
    const asked = Array.from({ length: 5 }, () =>
      fetch(`${app.url}/mcp/context/github_repo?owner=octocat&repo=Hello-World&max_tokens=300`, {
        headers,
        signal: leaving.signal,
      }).catch(() => 'left'),
    )
    await vi.waitUntil(async () => (await value('cache_fetches_running')) === 1)
    await vi.waitUntil(
      async () => (await value('cache_coalesced_total', { by: 'process' })) === before + 4,
    )
    leaving.abort()
    expect(await Promise.all(asked)).toEqual(Array(5).fill('left'))
    await vi.waitUntil(async () => (await value('cache_fetches_running')) === 0)
    const left = { route: '/mcp/context/github_repo', status: '499', outcome: 'aborted' }
    await vi.waitUntil(async () => (await value(COUNT, left)) === 5)
  })

  it('counts each problem that a caller met, by whichever way', async () => {
    const met = async (code: string) => (await value('problems_total', { code })) ?? -1
    const before = await met('not_found')
    expect(await met('conflict')).toBe(0)
    const none = { ...repo, params: { owner: 'octocat', repo: 'none' } }
    await app.post(none, headers)
    const json = { ...headers, 'content-type': 'application/json' }
    const batch = JSON.stringify({ requests: [none, repo, { ...none, max_tokens: 200 }] })
    await app.send('POST', '/mcp/context/batch', json, batch)
    const params = { name: 'github_repo', arguments: { repository: 'octocat/none' } }
    const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
    await app.send('POST', '/mcp', json, call)
    expect(await met('not_found')).toBe(before + 4)
  })

  it('tells how late the event loop is, and counts anew after each scrape', async () => {
    await samples('event_loop_delay_seconds')
    const until = performance.now() + 300
    while (performance.now() < until);
    // It is taken down when the loop next turns.
    const longest = () => value('event_loop_delay_seconds', { quantile: '1' })
    await vi.waitUntil(async () => ((await longest()) ?? 0) > 0.2, { timeout: 10_000 })
    expect((await samples('event_loop_delay_seconds')).map(({ labels }) => labels)).toEqual(
      ['0.5', '0.99', '1'].map((quantile) => ({ quantile })),
    )
  })

  it('leaves out what is not configured, so that nothing looks broken', async () => {
    for (const name of [
      'redis_available',
      'redis_commands_unanswered_total',
      'trace_spans_lost_total',
    ])
      expect(await samples(name)).toEqual([])
    expect(await value('sessions_available')).toBe(1)
  })

  it('tells of Redis: leases, replicas that waited, what it did not carry out', async () => {
    await using redis = await startRedis()
    const env = { GITHUB_TOKEN: OCTOCAT_TOKEN, REDIS_URL: redis.url }
    await using one = await startApp({ github, env })
    await using other = await startApp({ github, env })
    // Long enough that the other comes meanwhile, however slow the machine; it waits for 2 s at most.
    github.fault({ match: '/repos/*', kind: 'delay', ms: 1_200, times: 1 })
    const first = one.post(repo)
    await vi.waitUntil(async () => value('cache_leases_total', { outcome: 'taken' }, one))
    const second = await other.post(repo)
    expect([second.status, (await first).status]).toEqual([200, 200])
    expect(await value('cache_leases_total', { outcome: 'held' }, other)).toBeGreaterThan(0)
    expect(await value('cache_coalesced_total', { by: 'replica' }, other)).toBe(1)
    expect(await value('redis_available', {}, one)).toBe(1)
    const unanswered = (why: string) => value('redis_commands_unanswered_total', { why }, one)
    // None, unless the machine stood still for longer than Redis is waited for.
    const before = (await unanswered('failed')) ?? 0
    await redis.kill()
    await one.post({ ...repo, max_tokens: 400 })
    await one.post({ ...repo, max_tokens: 500 })
    expect(await value('redis_available', {}, one)).toBe(0)
    expect(await unanswered('failed')).toBeGreaterThan(before)
    expect(await unanswered('skipped')).toBeGreaterThan(0)
  })

  it('grows with nothing that callers make up', async () => {
    await app.get('/made-up')
    await app.get('/mcp/context/made_up?owner=a&repo=b', headers)
    const before = (await samples(COUNT)).length
    for (let i = 0; i < 20; i++) {
      await app.get(`/made-up/${i}`)
      await app.get(`/mcp/context/made_up_${i}?owner=a&repo=b`, headers)
      await app.post({ context_type: `made_up_${i}` }, headers)
    }
    const after = await samples(COUNT)
    expect(after.length).toBeLessThanOrEqual(before + 1)
    expect(JSON.stringify(after)).not.toContain('made_up')
  })

  it('holds no secret, and nothing of what was asked', async () => {
    await app.post({ ...repo, max_tokens: 200, query: 'quokka' }, headers)
    const { text } = await app.get('/metrics')
    expect(text).not.toMatch(/quokka|octocat|Hello-World/i)
    expect(text).not.toContain(KEY)
    expect(text).not.toContain(OCTOCAT_TOKEN)
  })
})
