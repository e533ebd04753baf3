import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import { type GitHub, startGitHub } from '../support/github/index.ts'

const KEY = 'ann-key:with=odd/characters+0123456789'
const PATH = '/mcp/context/github_repo?owner=octocat&repo=Hello-World'

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  app = await startApp({ github, env: { API_KEYS: `ann:${KEY}, bob:bob-key-0123456789` } })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

describe('API keys', () => {
  it.each<Record<string, string>>([
    { authorization: `Bearer ${KEY}` },
    { authorization: `bearer  ${KEY}` },
    { 'x-api-key': KEY },
    { 'x-api-key': 'bob-key-0123456789' },
    { authorization: 'Basic YTpi', 'x-api-key': KEY },
  ])('opens to %o', async (headers) => {
    expect((await app.get(PATH, headers)).status).toBe(200)
  })

  it.each<[Record<string, string>, RegExp]>([
    [{}, /^Send an API key/],
    [{ 'x-api-key': 'ann' }, /not known/],
    [{ 'x-api-key': KEY.slice(0, -1) }, /not known/],
    [{ 'x-api-key': `${KEY}x` }, /not known/],
    [{ 'x-api-key': `ann:${KEY}` }, /not known/],
    [{ 'x-api-key': KEY.toUpperCase() }, /not known/],
    [{ authorization: `Basic ${KEY}` }, /not known/],
    [{ authorization: 'Bearer' }, /not known/],
    [{ authorization: 'Bearer wrong', 'x-api-key': KEY }, /not known/],
  ])('stays shut to %o', async (headers, detail) => {
    github.resetCounts()
    const answer = await app.get(PATH, headers)
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="github-context-service"')
    expect(answer.json<Problem>()).toMatchObject({
      code: 'unauthorized',
      detail: expect.stringMatching(detail),
    })
    expect(github.count()).toBe(0)
  })

  it('are asked for before a body is looked at', async () => {
    expect((await app.post('{ not json')).status).toBe(401)
    expect((await app.post('x'.repeat(1_000_000))).status).toBe(401)
  })

  it.each(['/health', '/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs/'])(
    'are not needed for %s',
    async (path) => {
      expect((await app.get(path)).status).toBe(200)
    },
  )

  it('are needed for all else that the document describes, and it says so', async () => {
    const document = (await app.get('/openapi.json')).json<{
      security: unknown
      paths: Record<string, Record<string, { security?: unknown[] }>>
    }>()
    expect(document.security).toEqual([{ apiKey: [] }])
    const closed = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { security }]) =>
        security?.length === 0 ? [] : [[method.toUpperCase(), path] as const],
      ),
    )
    expect(closed.length).toBeGreaterThan(5)
    for (const [method, path] of closed)
      expect([path, (await app.send(method, path)).status]).toEqual([path, 401])
  })

  it('open to everybody where there are none', async () => {
    await using open = await startApp({ github })
    expect((await open.get(PATH)).status).toBe(200)
    expect((await open.get(PATH, { 'x-api-key': 'any' })).status).toBe(200)
    const { security } = (await open.get('/openapi.json')).json<{ security: unknown }>()
    expect(security).toEqual([{}, { apiKey: [] }])
  })
})

describe('other origins', () => {
  const preflight = (on: App, origin: string) =>
    on.send('OPTIONS', '/mcp/context', {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type, authorization',
    })

  it('may call from browsers where the operator lists them', async () => {
    const env = { API_KEYS: `ann:${KEY}`, CORS_ORIGINS: 'https://app.example' }
    await using listed = await startApp({ github, env })
    const { status, headers } = await preflight(listed, 'https://app.example')
    expect(status).toBe(204)
    expect(headers['access-control-allow-origin']).toBe('https://app.example')
    const answer = await listed.get(PATH, { origin: 'https://app.example', 'x-api-key': KEY })
    expect(answer.headers['access-control-expose-headers']).toContain('Cache-Status')
    // Who keeps the answer keeps it for this origin, this form and this credential.
    const varies = [answer.headers.vary].flat().join(', ').split(', ')
    expect(varies.toSorted()).toEqual(['Accept', 'Origin', 'X-GitHub-Token'])
    const other = await preflight(listed, 'https://evil.example')
    expect(other.headers['access-control-allow-origin']).not.toBe('https://evil.example')
  })

  it('may not otherwise', async () => {
    const { headers } = await preflight(app, 'https://app.example')
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })
})
