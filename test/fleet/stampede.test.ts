import { expect, it } from 'vitest'
import { startFleet } from '../support/fleet.ts'
import { RECORDED_TOKEN, startGitHub } from '../support/github/index.ts'
import { startRedis } from '../support/redis.ts'

const REPLICAS = 4
const REQUESTS = 1_000
const issue = {
  context_type: 'github_issue',
  params: { owner: 'octocat', repo: 'Hello-World', issue_number: 1347 },
}

it('a thousand equal cold requests over four processes cost what one costs', async () => {
  await using redis = await startRedis()
  await using github = await startGitHub({ latencyMs: 50 })
  const env = { GITHUB_API_URL: github.url, GITHUB_TOKEN: RECORDED_TOKEN, REDIS_URL: redis.url }
  await using fleet = await startFleet(REPLICAS, env)
  github.resetCounts()

  const answers = await Promise.all(
    Array.from({ length: REQUESTS }, (_, index) =>
      fleet.replicas[index % REPLICAS]?.client.post(issue),
    ),
  )

  expect(new Set(answers.map((answer) => answer?.status))).toEqual(new Set([200]))
  expect(new Set(answers.map((answer) => answer?.text)).size).toBe(1)
  expect(github.requests.map(({ path }) => path).sort()).toEqual([
    '/repos/octocat/hello-world/issues/1347',
    '/repos/octocat/hello-world/issues/1347/comments?per_page=30&page=1',
  ])
})

it('without Redis every process makes one set of calls', async () => {
  await using redis = await startRedis()
  await using github = await startGitHub({ latencyMs: 50 })
  const env = { GITHUB_API_URL: github.url, GITHUB_TOKEN: RECORDED_TOKEN, REDIS_URL: redis.url }
  await using fleet = await startFleet(REPLICAS, env)
  await redis.kill()
  github.resetCounts()

  const answers = await Promise.all(
    Array.from({ length: REQUESTS }, (_, index) =>
      fleet.replicas[index % REPLICAS]?.client.post(issue),
    ),
  )

  expect(new Set(answers.map((answer) => answer?.status))).toEqual(new Set([200]))
  expect(github.requests).toHaveLength(2 * REPLICAS)
})

it('a replica that dies while it fetches delays the others by two seconds at most', async () => {
  await using redis = await startRedis()
  await using github = await startGitHub()
  const env = { GITHUB_API_URL: github.url, GITHUB_TOKEN: RECORDED_TOKEN, REDIS_URL: redis.url }
  await using fleet = await startFleet(2, env)
  const [leader, follower] = fleet.replicas
  const hang = github.fault({
    match: '/repos/octocat/hello-world/issues/1347*',
    kind: 'hang',
    times: 2,
  })
  const lost = leader?.client.post(issue).catch((error: Error) => error)
  await until(() => hang.hits === 2)

  const started = performance.now()
  const waiting = follower?.client.post(issue)
  leader?.process.signal('SIGKILL')
  const answer = await waiting

  expect(answer?.status).toBe(200)
  expect(performance.now() - started).toBeLessThan(2_000)
  expect(await lost).toBeInstanceOf(Error)
})

/** Looks at each turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
