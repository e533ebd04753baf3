import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import {
  addApp,
  addInstallation,
  addRepository,
  appKeyPair,
  type GitHub,
  type Installation,
  type App as KnownApp,
  startGitHub,
} from '../support/github/index.ts'
import { startProcess } from '../support/process.ts'
import { startRedis } from '../support/redis.ts'
import { redisContents } from '../support/redisContents.ts'

const keys = appKeyPair()
const repo = (owner: string, name: string, max_age?: number) => ({
  context_type: 'github_repo',
  params: { owner, repo: name },
  ...(max_age === undefined ? {} : { max_age }),
})

let github: GitHub
let known: KnownApp
let installation: Installation
let env: Record<string, string>
beforeEach(async () => {
  github = await startGitHub()
  const { world } = github
  known = addApp(world, { publicKey: keys.publicKey, tokenDelayMs: 250 })
  addRepository(world, { owner: 'acme', name: 'secret', private: true })
  addRepository(world, { owner: 'umbrella', name: 'secret', private: true })
  installation = addInstallation(world, { app: known, login: 'acme' })
  env = {
    GITHUB_APP_ID: String(known.id),
    GITHUB_APP_PRIVATE_KEY: keys.privateKey.replaceAll('\n', '\\n'),
  }
})
afterEach(async () => {
  vi.useRealTimers()
  await github.close()
})

const using = (more: Record<string, string> = {}): Promise<App> =>
  startApp({ github, env: { ...env, ...more } })
/** Time goes by only when the test says so, for the service and for GitHub; timers run. */
function standStill(): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  known.tokenDelayMs = 0
  github.world.now = () => Date.now()
}
const tokens = () => [...github.world.tokens.values()].filter((token) => token.installation)

describe('the service as a GitHub App', () => {
  it('reads for accounts that have installed it, though GitHub learns late of its token', async () => {
    await using app = await using()
    const both = await Promise.all([
      app.post(repo('ACME', 'secret')),
      app.post({ ...repo('acme', 'secret'), max_tokens: 200 }),
    ])
    expect(both.map(({ status }) => status)).toEqual([200, 200])
    expect(github.count({ status: 401 })).toBeGreaterThan(0)
    expect(tokens()).toHaveLength(1)
  })

  it('reads for no other account', async () => {
    await using app = await using()
    const problem = (await app.post(repo('umbrella', 'secret'))).json<Problem>()
    expect(problem).toMatchObject({
      status: 403,
      code: 'forbidden',
      detail: expect.stringMatching(/^The GitHub App is not installed for umbrella\./),
    })
  })

  it('asks GitHub about no account that is not allowed', async () => {
    await using app = await using({ ALLOWED_REPOS: 'umbrella/*' })
    expect((await app.post(repo('acme', 'secret'))).status).toBe(403)
    expect(github.count()).toBe(0)
  })

  it('keeps its validators when its token rotates', async () => {
    standStill()
    await using app = await using()
    await app.post(repo('acme', 'secret'))
    vi.advanceTimersByTime(61 * 60_000)
    const answer = await app.post(repo('acme', 'secret', 0))
    expect([answer.status, tokens().length]).toEqual([200, 2])
    expect(github.count({ path: '/repos/acme/secret', status: 304 })).toBe(1)
  })

  it('asks once, and for another token next time, where a 401 does not follow the minting', async () => {
    standStill()
    await using app = await using()
    await app.post(repo('acme', 'secret'))
    github.resetCounts()
    vi.advanceTimersByTime(10_000)
    github.fault({ match: '/repos/*', kind: 'status', status: 401, times: 1 })
    const refused = await app.post(repo('acme', 'secret', 0))
    expect([refused.status, refused.json<Problem>().code]).toEqual([502, 'upstream_auth'])
    expect([github.count(), tokens().length]).toEqual([1, 1])
    expect((await app.post(repo('acme', 'secret', 0))).status).toBe(200)
    expect(tokens()).toHaveLength(2)
  })

  it('serves what it keeps while GitHub is away, and nothing once it is suspended', async () => {
    await using app = await using()
    await app.post(repo('acme', 'secret'))
    github.fault({ match: () => true, kind: 'reset' })
    expect((await app.post(repo('acme', 'secret'))).status).toBe(200)
    github.clearFaults()
    installation.suspended = true
    expect((await app.post(repo('acme', 'secret', 0))).status).toBe(403)
    expect((await app.post(repo('acme', 'secret'))).status).toBe(403)
  })

  it('leaves no token and no key in Redis, logs, metrics or problems', async () => {
    await using redis = await startRedis()
    await using app = await using({ REDIS_URL: redis.url, LOG_LEVEL: 'trace' })
    const answers = [await app.post(repo('acme', 'secret')), await app.post(repo('umbrella', 'x'))]
    github.fault({ match: '/repos/*', kind: 'reset' })
    answers.push(await app.post(repo('acme', 'secret', 0)), await app.get('/metrics'))
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 502, 200])
    const stored = await redisContents(redis.url)
    expect(stored).toContain('gcs1:')
    const everything = [stored, JSON.stringify(app.logs), ...answers.map(({ text }) => text)].join()
    expect(tokens().length).toBeGreaterThan(0)
    for (const { secret } of tokens()) expect(everything).not.toContain(secret)
    expect(everything).not.toMatch(/ghs_|PRIVATE KEY|Bearer ey/)
  })
})

describe('at the start', () => {
  it('goes on where GitHub knows the App', async () => {
    await using service = startProcess({ env: { ...env, PORT: '0', GITHUB_API_URL: github.url } })
    expect(await service.url).toMatch(/^http:/)
    expect(github.count({ path: '/app', status: 200 })).toBe(1)
  })

  it('stops with one line where it does not', async () => {
    const other = { ...env, GITHUB_APP_PRIVATE_KEY: appKeyPair().privateKey }
    await using service = startProcess({ env: { ...other, PORT: '0', GITHUB_API_URL: github.url } })
    expect((await service.exited).code).toBe(1)
    expect(service.stderr).toMatch(/^Cannot start: .*GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY\.\n$/)
  })
})
