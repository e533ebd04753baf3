import { startRedis } from '../test/support/redis.ts'
import { type Bench, figure } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { type Load, pace } from './support/load.ts'
import {
  type Call,
  callsOf,
  forgetCalls,
  issueRequest,
  startSimulator,
  UNGOVERNED,
} from './support/service.ts'
import { sum } from './support/statistics.ts'
import { seeded, zipf } from './support/zipf.ts'

const KEYS = 10_000
const REPLICAS = 4
/** An uncached client makes two calls for each issue, and pays for both. */
const UNCACHED = 2
/** Requests a second: what is saved depends on how many there are, and must not on how fast the machine is. */
const RATE = 3_000
/** Milliseconds. Answers are stale after a minute, so the second part sees refreshes. */
const PARTS = [25_000, 75_000]

export const zipfLoad: Bench = {
  name: 'zipf',
  title: 'What popular and rare issues cost of the rate limit, over four processes on one Redis',
  async run() {
    await using redis = await startRedis()
    await using github = await startSimulator({ issues: KEYS, comments: 2, core: 'any' })
    const env = { ...UNGOVERNED, REDIS_URL: redis.url }
    await using fleet = await startFleet(REPLICAS, github, env)
    const draw = zipf(KEYS, seeded(1))
    const parts: { load: Load; calls: readonly Call[] }[] = []
    for (const ms of PARTS) {
      await forgetCalls(github)
      const load = await pace({
        urls: fleet.urls,
        connections: 32,
        request: () => issueRequest(draw()),
        rate: RATE,
        ms,
      })
      parts.push({ load, calls: await callsOf(github) })
    }
    const requests = sum(parts.map(({ load }) => load.requests))
    const points = (calls: readonly Call[]) => sum(calls.map(({ cost }) => cost))
    const all = parts.flatMap(({ calls }) => calls)
    const saved = (spent: number, of: number) => 100 * (1 - spent / (UNCACHED * of))
    const [first, second] = parts
    return [
      figure('points saved, from an empty cache on', saved(points(all), requests), '%', {
        least: 95,
      }),
      figure(
        'points saved in the first 25 s',
        saved(points(first?.calls ?? []), first?.load.requests ?? 0),
        '%',
      ),
      figure(
        'points saved after that',
        saved(points(second?.calls ?? []), second?.load.requests ?? 0),
        '%',
        {
          least: 95,
        },
      ),
      figure('points for 1,000 requests', (1000 * points(all)) / requests, 'points'),
      figure(
        'calls answered by 304, at no cost',
        all.filter(({ status }) => status === 304).length,
        'calls',
      ),
      figure('requests', requests, 'requests'),
      figure('failed requests', sum(parts.map(({ load }) => load.failed)), 'requests', { most: 0 }),
    ]
  },
}
