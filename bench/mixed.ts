import { ask } from './support/ask.ts'
import { type Bench, figure } from './support/figures.ts'
import { pace, saturate } from './support/load.ts'
import type { Server } from './support/servers.ts'
import {
  askIssue,
  issueRequest,
  startService,
  startSimulator,
  UNGOVERNED,
} from './support/service.ts'
import { median, quantile } from './support/statistics.ts'

const ISSUES = 20_000
const WARM = 50
/** One request in so many is for an issue that nobody asked for before. */
const COLD_EVERY = 20
const SHARE_OF_CAPACITY = 0.7
const ROUNDS = 4
const ROUND_MS = 4_000
const CONNECTIONS = 128

export const mixed: Bench = {
  name: 'mixed',
  title: 'Warm answers while one request in twenty is cold, at 70 % of capacity',
  async run() {
    await using github = await startSimulator({ issues: ISSUES, comments: 3, latency: 20 })
    await using service = await startService(github, { env: UNGOVERNED })
    for (let number = 1; number <= WARM; number += 1) await askIssue(service.url, number)
    const warm = (index: number) => issueRequest(1 + (index % WARM))
    let fresh = WARM
    const cold = new Set<number>()
    const some = (index: number) => {
      if (index % COLD_EVERY !== 0) return warm(index)
      cold.add(index)
      fresh += 1
      if (fresh > ISSUES) throw new Error('There are no cold issues left')
      return issueRequest(fresh)
    }
    const target = { urls: [service.url], connections: CONNECTIONS }
    await saturate({ ...target, connections: 48, request: some, ms: 2_000 })
    const full = await saturate({ ...target, connections: 48, request: some, ms: 3_000 })
    const rate = Math.floor((full.requests / full.seconds) * SHARE_OF_CAPACITY)

    const alone: number[] = []
    const beside: number[] = []
    const lags: number[] = []
    let failed = full.failed
    for (let round = 0; round < ROUNDS; round += 1) {
      const base = await pace({ ...target, request: warm, ms: ROUND_MS, rate })
      alone.push(quantile(base.latencies, 0.99))
      await lagOf(service)
      cold.clear()
      const warmOnes: number[] = []
      const load = await pace({
        ...target,
        request: some,
        ms: ROUND_MS,
        rate,
        onAnswer: ({ index, latency }) => void (cold.has(index) || warmOnes.push(latency)),
      })
      lags.push(await lagOf(service))
      beside.push(quantile(warmOnes, 0.99))
      failed += base.failed + load.failed
    }
    const ratios = beside.map((p99, round) => p99 / (alone[round] as number))
    return [
      figure('event-loop delay, p99, beside cold requests', median(lags), 'ms', { most: 20 }),
      figure('p99 of warm hits beside cold ones ÷ alone', median(ratios), 'ratio'),
      figure('p99 of warm hits beside cold ones', median(beside), 'ms'),
      figure('p99 of warm hits alone', median(alone), 'ms'),
      figure('rate', rate, 'requests/s'),
      figure('failed requests', failed, 'requests', { most: 0 }),
    ]
  },
}

/**
 * Milliseconds, since the last time that it was asked for. Not `nodejs_eventloop_lag_*`, which count the
 * ten milliseconds between two looks, too: they say eleven of a loop that does nothing.
 */
async function lagOf(server: Server): Promise<number> {
  const { body } = await ask(server.url, 'GET', '/metrics')
  const line = /^event_loop_delay_seconds\{quantile="0.99"\} (\S+)/m.exec(body.toString())
  return Number(line?.[1]) * 1000
}
