import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import { type GitHub, startGitHub } from '../support/github/index.ts'

const ANN = { 'x-api-key': 'ann-key-0123456789' }
const BOB = { 'x-api-key': 'bob-key-0123456789' }
const API_KEYS = `ann:${ANN['x-api-key']},bob:${BOB['x-api-key']}`
const PATH = '/mcp/context/github_repo?owner=octocat&repo=Hello-World'

let github: GitHub
let app: App
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-01-31T12:00:00Z') })
  github = await startGitHub()
})
afterEach(async () => {
  await app.close()
  await github.close()
  vi.useRealTimers()
})

async function start(env: Record<string, string> = {}) {
  app = await startApp({
    github,
    env: { RATE_LIMIT_MAX: '3', RATE_LIMIT_WINDOW_MS: '60000', ...env },
  })
}

const statuses = async (times: number, path = PATH, headers = {}) => {
  const found: number[] = []
  for (let i = 0; i < times; i++) found.push((await app.get(path, headers)).status)
  return found
}

describe('the limit of a caller', () => {
  it('is told with every answer, and past it there is a problem that says how long', async () => {
    await start()
    const answers = []
    for (let i = 0; i < 4; i++) answers.push(await app.get(PATH))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429])
    expect(answers.map(({ headers }) => headers['ratelimit-limit'])).toEqual(['3', '3', '3', '3'])
    expect(answers.map(({ headers }) => headers['ratelimit-remaining'])).toEqual([
      '2',
      '1',
      '0',
      '0',
    ])
    const refused = answers[3]
    expect(refused?.headers).toMatchObject({
      'content-type': expect.stringContaining('application/problem+json'),
      'retry-after': '60',
      'ratelimit-reset': '60',
    })
    expect(refused?.json<Problem>()).toMatchObject({
      code: 'rate_limited',
      status: 429,
      retry_after: 60,
      detail: expect.stringContaining('More than 3 requests in 60 s'),
    })
    expect(github.count()).toBe(1)
  })

  it('is given back when the window is over', async () => {
    await start()
    expect(await statuses(4)).toEqual([200, 200, 200, 429])
    vi.setSystemTime(Date.now() + 59_000)
    const waiting = await app.get(PATH)
    expect([waiting.status, waiting.headers['retry-after']]).toEqual([429, '1'])
    vi.setSystemTime(Date.now() + 1_500)
    expect(await statuses(1)).toEqual([200])
  })

  it('counts each key for itself', async () => {
    await start({ API_KEYS })
    expect(await statuses(4, PATH, ANN)).toEqual([200, 200, 200, 429])
    expect(await statuses(1, PATH, BOB)).toEqual([200])
    const bearer = { authorization: `Bearer ${ANN['x-api-key']}` }
    expect(await statuses(1, PATH, bearer)).toEqual([429])
  })

  it('counts who guesses keys by address, without touching the limit of a key', async () => {
    await start({ API_KEYS })
    const guess = (i: number) => ({ 'x-api-key': `guess-${i}-0123456789` })
    const found: number[] = []
    for (let i = 0; i < 4; i++) found.push((await app.get(PATH, guess(i))).status)
    expect(found).toEqual([401, 401, 401, 429])
    expect(await statuses(1, PATH, ANN)).toEqual([200])
  })

  it('counts what does not exist, and what is not valid', async () => {
    await start()
    expect(await statuses(2, '/nothing/here')).toEqual([404, 404])
    expect((await app.post('{')).status).toBe(400)
    expect(await statuses(1, '/nothing/here')).toEqual([429])
  })

  it('does not count probes and metrics', async () => {
    await start()
    for (const path of ['/health', '/health/live', '/health/ready', '/metrics'])
      expect([path, ...(await statuses(4, path))]).toEqual([path, 200, 200, 200, 200])
    const { headers } = await app.get(PATH)
    expect(headers['ratelimit-remaining']).toBe('2')
  })

  it('believes X-Forwarded-For only behind a proxy that is trusted', async () => {
    const from = (address: string) => statuses(1, PATH, { 'x-forwarded-for': address })
    await start()
    await statuses(3)
    expect(await from('192.0.2.1')).toEqual([429])
    await app.close()
    await start({ TRUST_PROXY: 'true' })
    await statuses(3, PATH, { 'x-forwarded-for': '192.0.2.1' })
    expect(await from('192.0.2.1')).toEqual([429])
    expect(await from('192.0.2.2')).toEqual([200])
  })
})
