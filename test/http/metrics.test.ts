import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'

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
async function samples(name: string): Promise<Sample[]> {
  const { text } = await app.get('/metrics')
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

async function value(name: string, labels: Labels = {}): Promise<number | undefined> {
  const [found] = (await samples(name)).filter((sample) =>
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
    const [bytes = 0, entries = 0] = [
      await value('cache_memory_bytes'),
      await value('cache_memory_entries'),
    ]
    await app.post({ ...repo, max_tokens: 5_000 }, headers)
    expect(await value('cache_memory_entries')).toBe(entries + 1)
    expect(await value('cache_memory_bytes')).toBeGreaterThan(bytes + 500)
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
