import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import {
  addAccount,
  addRepository,
  type GitHub,
  revoke,
  startGitHub,
} from '../support/github/index.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { redisContents } from '../support/redisContents.ts'

const ANN = 'ghp_annannannannannannannannannannannann'
const BOB = 'github_pat_11BOB_bobbobbobbobbobbobbobbob'
const OWN = 'ghp_ownownownownownownownownownownownown'
const BAD = 'ghp_badbadbadbadbadbadbadbadbadbadbadbad'

const secret = { context_type: 'github_repo', params: { owner: 'acme', repo: 'secret' } }
const by = (token: string) => ({ 'x-github-token': token })

let github: GitHub
let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())
beforeEach(async () => {
  github = await startGitHub()
  addAccount(github.world, { login: 'ann', token: ANN })
  addAccount(github.world, { login: 'bob', token: BOB })
  addAccount(github.world, { login: 'service', token: OWN })
  addRepository(github.world, {
    owner: 'acme',
    name: 'secret',
    private: true,
    readers: ['ann', 'service'],
  })
})
afterEach(() => github.close())

const start = (env: Record<string, string> = {}): Promise<App> =>
  startApp({
    github,
    env: { ALLOW_CALLER_TOKENS: 'true', REDIS_URL: redis.url, LOG_LEVEL: 'trace', ...env },
  })

describe('a token of the caller', () => {
  it('reads what its owner may read, and nobody else reads it from a warm cache', async () => {
    await using app = await start()
    await using replica = await start()
    const first = await app.post(secret, by(ANN))
    expect([first.status, first.headers.vary]).toEqual([200, 'Accept, X-GitHub-Token'])
    expect((await app.post(secret, by(ANN))).headers['cache-status']).toContain('hit')
    expect((await replica.post(secret, by(ANN))).headers['cache-status']).toContain('hit')
    for (const other of [app, replica]) {
      expect((await other.post(secret, by(BOB))).status).toBe(404)
      expect((await other.post(secret)).status).toBe(404)
      const etag = { 'if-none-match': String(first.headers.etag) }
      expect((await other.post(secret, { ...by(BOB), ...etag })).status).toBe(404)
    }
    expect((await app.post(secret, by(ANN))).status).toBe(200)
  })

  it('is never helped out by the credential of the service', async () => {
    await using app = await start({ GITHUB_TOKEN: OWN })
    expect((await app.post(secret)).status).toBe(200)
    github.resetCounts()
    expect((await app.post(secret, by(BOB))).status).toBe(404)
    expect((await app.post(secret, by(BAD))).status).toBe(502)
    const spoken = github.requests.map(({ principal }) => principal)
    expect(new Set(spoken)).toEqual(new Set(['bob', 'unknown']))
    github.fault({ match: '/repos/*', kind: 'status', status: 500 })
    expect((await app.post({ ...secret, max_tokens: 500 }, by(BOB))).status).toBe(502)
  })

  it('loses what was kept for it as soon as GitHub says so', async () => {
    await using app = await start()
    expect((await app.post(secret, by(ANN))).status).toBe(200)
    revoke(github.world, 'ann', 'acme/secret')
    expect((await app.post({ ...secret, max_age: 0 }, by(ANN))).status).toBe(404)
    github.fault({ match: '/repos/*', kind: 'status', status: 500 })
    expect((await app.post(secret, by(ANN))).status).not.toBe(200)
  })

  it('is spoken of where GitHub refuses it, and not the one of the operator', async () => {
    await using app = await start({ GITHUB_TOKEN: OWN })
    const { code, detail, status } = (await app.post(secret, by(BAD))).json<Problem>()
    expect([status, code]).toEqual([502, 'upstream_auth'])
    expect(detail).toContain('X-GitHub-Token')
    expect(detail).not.toMatch(/GITHUB_TOKEN|operator/)
    // The same token, in the name of the service.
    await using wrong = await start({ GITHUB_TOKEN: BAD })
    expect((await wrong.post(secret)).json<Problem>().detail).toContain('GITHUB_TOKEN')
  })

  it.each([
    '',
    ' ',
    'two tokens',
    `${ANN}, ${BOB}`,
    'ghp_ä',
    'a"b',
    "a'b",
    'a;b',
    '<a>',
    'a\tb',
    '=',
    'x'.repeat(1025),
  ])('is refused as %j before GitHub hears of it', async (token) => {
    await using app = await start()
    github.resetCounts()
    const answer = await app.post(secret, by(token))
    expect([answer.status, answer.json<Problem>().code]).toEqual([400, 'invalid_request'])
    expect(answer.json<Problem>().detail).toContain('X-GitHub-Token')
    expect(github.count()).toBe(0)
  })

  it('is refused where none are taken', async () => {
    await using app = await start({ ALLOW_CALLER_TOKENS: 'false', GITHUB_TOKEN: OWN })
    github.resetCounts()
    const answer = await app.post(secret, by(ANN))
    expect(answer.json<Problem>()).toMatchObject({
      status: 403,
      code: 'forbidden',
      detail: expect.stringMatching(/takes no tokens.*ALLOW_CALLER_TOKENS/),
    })
    expect(github.count()).toBe(0)
  })

  it('stands in the document where it is taken', async () => {
    await using app = await start({ API_KEYS: 'ann:ann-key-0123456789' })
    const document = (await app.get('/openapi.json')).json<{
      security: unknown
      components: { securitySchemes: unknown }
    }>()
    expect(document.security).toEqual([{ apiKey: [] }, { apiKey: [], gitHubToken: [] }])
    expect(document.components.securitySchemes).toHaveProperty('gitHubToken')
  })

  it('is nowhere in Redis, logs, metrics or problems', async () => {
    await using app = await start({ GITHUB_TOKEN: OWN })
    const answers = []
    for (const token of [ANN, BOB, BAD, `${ANN} ${BOB}`]) {
      answers.push(await app.post(secret, by(token)))
      for (const kind of ['reset', 'garbage'] as const) {
        github.fault({ match: '/repos/*', kind })
        answers.push(await app.post({ ...secret, max_age: 0 }, by(token)))
        github.clearFaults()
      }
    }
    answers.push(await app.get('/metrics'))
    const stored = await redisContents(redis.url)
    expect(stored).toContain('gcs1:')
    const everything = [stored, JSON.stringify(app.logs), ...answers.map(({ text }) => text)].join()
    for (const token of [ANN, BOB, BAD, OWN]) {
      expect(everything).not.toContain(token)
      expect(everything).not.toContain(Buffer.from(token).toString('base64').replace(/=+$/, ''))
    }
  })
})
