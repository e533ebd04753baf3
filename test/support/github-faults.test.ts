import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Agent, request } from 'undici'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type FaultKind, type GitHub, OCTOCAT_TOKEN, startGitHub } from './github/index.ts'

const PATH = '/repos/octocat/Hello-World'
let github: GitHub
let agent: Agent
beforeAll(async () => {
  github = await startGitHub({ graceMs: 0 })
  agent = new Agent({ headersTimeout: 200, allowH2: false })
})
afterEach(() => {
  github.clearFaults()
  github.resetCounts()
  github.resetLimits()
})
afterAll(async () => {
  await agent.destroy()
  await github.close()
})

async function get(path = PATH, origin = github.url) {
  const headers = { 'user-agent': 'test', authorization: `Bearer ${OCTOCAT_TOKEN}` }
  const response = await request(origin + path, { headers, dispatcher: agent })
  return {
    status: response.statusCode,
    headers: response.headers,
    text: await response.body.text(),
  }
}
const once1 = (fault: FaultKind) => github.fault({ ...fault, match: PATH, times: 1 })

it('answers with any status, as often as asked, where it matches', async () => {
  const fault = github.fault({ match: PATH, kind: 'status', status: 502, times: 2 })
  const statuses = [await get(), await get('/user'), await get(), await get()].map((a) => a.status)
  expect([statuses, fault.hits]).toEqual([[502, 200, 502, 200], 2])
  const custom = github.fault({
    match: /Hello/,
    kind: 'status',
    status: 500,
    body: 'oops',
    headers: { 'retry-after': '7' },
  })
  expect(await get()).toMatchObject({ status: 500, text: 'oops', headers: { 'retry-after': '7' } })
  custom.remove()
  expect((await get()).status).toBe(200)
  github.fault({ match: ({ principal }) => principal === 'octocat', kind: 'status', status: 503 })
  expect((await get('/meta')).status).toBe(503)
})

it('delays, and decides on arrival what it will say', async () => {
  github.fault({ match: '/repos/*', kind: 'delay', ms: 40 })
  const startedAt = performance.now()
  expect((await get()).status).toBe(200)
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(39)
})

it('hangs, resets and truncates', async () => {
  once1({ kind: 'hang' })
  await expect(get()).rejects.toMatchObject({ code: 'UND_ERR_HEADERS_TIMEOUT' })
  once1({ kind: 'reset' })
  await expect(get()).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|SOCKET/) })
  once1({ kind: 'truncate' })
  await expect(get()).rejects.toThrow()
  expect(github.requests.map(({ status, fault }) => [status, fault])).toEqual([
    [0, 'hang'],
    [0, 'reset'],
    [200, 'truncate'],
  ])
})

it('sends garbage, and bodies without an end', async () => {
  once1({ kind: 'garbage' })
  const garbage = await get()
  expect(garbage.status).toBe(200)
  expect(() => JSON.parse(garbage.text)).toThrow()
  once1({ kind: 'endless' })
  const { body } = await request(github.url + PATH, { headers: { 'user-agent': 'test' } })
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > 5_000_000) break
  }
  expect(bytes).toBeGreaterThan(5_000_000)
})

it('announces limits in all the ways GitHub does, and notices who does not listen', async () => {
  once1({ kind: 'primary-limit', resetInSeconds: 30, status: 429 })
  const primary = await get()
  expect([primary.status, primary.headers['x-ratelimit-remaining']]).toEqual([429, '0'])
  const reset = Number(primary.headers['x-ratelimit-reset'])
  expect(reset - Date.now() / 1000).toBeGreaterThan(28)
  expect(github.violations).toBe(0)
  expect([(await get()).status, github.violations]).toEqual([200, 1])
  github.resetLimits()
  once1({ kind: 'secondary-limit', retryAfter: 9 })
  expect(await get()).toMatchObject({
    status: 403,
    headers: { 'retry-after': '9' },
    text: expect.stringContaining('You have exceeded a secondary rate limit'),
  })
  once1({ kind: 'secondary-limit' })
  const bare = await get()
  expect([bare.headers['retry-after'], bare.headers['x-ratelimit-remaining']]).toEqual([
    undefined,
    '5000',
  ])
  once1({ kind: 'abuse', retryAfter: 3 })
  expect((await get()).text).toContain('abuse detection mechanism')
})

it('closes with requests hanging, and twice', async () => {
  await using other = await startGitHub()
  const fault = other.fault({ match: () => true, kind: 'hang' })
  const hanging = get(PATH, other.url)
  const refused = expect(hanging).rejects.toThrow()
  await expect.poll(() => fault.hits).toBe(1)
  await other.close()
  await other.close()
  await refused
})

it('runs as a process of its own, by remote control', async () => {
  const child = spawn(process.execPath, ['test/support/github/main.ts', '--core', '7'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string]
  const control = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) =>
    request(`${url}/_sim/${path}`, { method, body: body ? JSON.stringify(body) : null })
  const fault = { match: { regex: 'Hello' }, kind: 'status', status: 500 }
  expect((await control('POST', 'fault', fault)).statusCode).toBe(201)
  expect((await get(PATH, url)).status).toBe(500)
  expect((await control('DELETE', 'faults')).statusCode).toBe(204)
  expect((await get(PATH, url)).headers['x-ratelimit-limit']).toBe('7')
  const log = (await (await control('GET', 'requests')).body.json()) as { requests: unknown[] }
  expect(log).toMatchObject({ violations: 0, requests: [{ status: 500 }, { status: 200 }] })
  expect((await control('POST', 'reset')).statusCode).toBe(204)
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
})
