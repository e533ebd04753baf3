import { expect, it } from 'vitest'
import type { Answer } from '../support/app.ts'
import { type Replica, startFleet } from '../support/fleet.ts'
import { OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'
import { startRedis } from '../support/redis.ts'

const REPLICAS = 4
const MAX = 600
/** Requests on their way at once. */
const CALLERS = 16
const KEY = 'ann-key-0123456789'
const headers = { 'x-api-key': KEY }
const repo = { context_type: 'github_repo', params: { owner: 'octocat', repo: 'Hello-World' } }

it.each([
  ['all alike', (index: number) => index % REPLICAS],
  ['one of them nearly always', (index: number) => (index % 20 === 0 ? 1 + (index % 3) : 0)],
])('four processes together let the limit through, ± 5 %%, asked %s', async (_how, place) => {
  await using redis = await startRedis()
  await using github = await startGitHub()
  await using fleet = await startFleet(REPLICAS, {
    GITHUB_API_URL: github.url,
    GITHUB_TOKEN: OCTOCAT_TOKEN,
    REDIS_URL: redis.url,
    API_KEYS: `ann:${KEY}`,
    RATE_LIMIT_MAX: String(MAX),
    RATE_LIMIT_WINDOW_MS: '600000',
  })
  const answers: Answer[] = []
  let sent = 0
  const askOn = async () => {
    for (let index = sent++; index < 2 * MAX; index = sent++) {
      const { client } = fleet.replicas[place(index)] as Replica
      answers.push(await client.post(repo, headers))
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, askOn))
  const by = Object.groupBy(answers, (answer) => String(answer.status))
  expect(Object.keys(by).sort()).toEqual(['200', '429'])
  expect(by[200]?.length).toBeGreaterThanOrEqual(0.95 * MAX)
  expect(by[200]?.length).toBeLessThanOrEqual(1.05 * MAX)
  const remaining = answers.map((answer) => Number(answer.headers['ratelimit-remaining']))
  expect(Math.min(...remaining)).toBe(0)
  expect(by[429]?.every((answer) => answer.headers['retry-after'] !== undefined)).toBe(true)
})
