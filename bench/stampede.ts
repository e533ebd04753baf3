import { startRedis } from '../test/support/redis.ts'
import { type Bench, figure } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { saturate } from './support/load.ts'
import type { Server } from './support/servers.ts'
import { askIssue, callsOf, forgetCalls, issueRequest, startSimulator } from './support/service.ts'
import { median } from './support/statistics.ts'

const REPLICAS = 4
const REQUESTS = 1_000
const ROUNDS = 5
/** An issue takes two: itself and its comments. */
const CALLS = 2

export const stampede: Bench = {
  name: 'stampede',
  title: '1,000 equal requests at once for what nobody has, over four processes on one Redis',
  async run() {
    await using redis = await startRedis()
    await using github = await startSimulator({
      issues: 100,
      comments: 5,
      latency: 50,
      core: 'any',
    })
    await using fleet = await startFleet(REPLICAS, github, { REDIS_URL: redis.url })
    let next = 1
    // The first requests of a process take longer than any other.
    for (let round = 0; round < 10; round += 1) {
      for (const url of fleet.urls) await askIssue(url, next++)
    }
    const shared = await storm(github, fleet.urls, () => next++)
    await redis.kill()
    await askIssue(fleet.urls[0] as string, next++)
    const alone = await storm(github, fleet.urls, () => next++)
    return [
      figure('calls to GitHub for 1,000 requests', shared.calls, 'calls', { most: CALLS }),
      figure('the same with Redis gone', alone.calls, 'calls', { most: CALLS * REPLICAS }),
      figure('failed requests', shared.failed + alone.failed, 'requests', { most: 0 }),
      figure('all 1,000 answered, against one cold request', shared.ratio, 'ratio'),
      figure('all 1,000 answered', shared.ms, 'ms'),
    ]
  },
}

/** The most calls of any round; failures of all rounds; medians of the times. */
async function storm(github: Server, urls: readonly string[], nextIssue: () => number) {
  const rounds = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now()
    await askIssue(urls[round % urls.length] as string, nextIssue())
    const one = performance.now() - begun
    await forgetCalls(github)
    const request = issueRequest(nextIssue())
    const load = await saturate({
      urls,
      connections: REQUESTS,
      count: REQUESTS,
      request: () => request,
    })
    const { length: calls } = await callsOf(github)
    rounds.push({ calls, failed: load.failed, ms: load.seconds * 1000, one })
  }
  return {
    calls: Math.max(...rounds.map(({ calls }) => calls)),
    failed: rounds.reduce((total, { failed }) => total + failed, 0),
    ms: median(rounds.map(({ ms }) => ms)),
    ratio: median(rounds.map(({ ms, one }) => ms / one)),
  }
}
