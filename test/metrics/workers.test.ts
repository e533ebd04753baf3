import { Registry } from '@prometheus-io/client'
import { expect, it, vi } from 'vitest'
import { createMetrics } from '../../src/metrics/metrics.ts'
import type { MetricSources } from '../../src/metrics/sources.ts'
import { quiet } from '../support/metrics.ts'

/** What the processes of one machine tell together, as the supervisor adds it up. */
async function together(...processes: Partial<MetricSources>[]): Promise<string[]> {
  const told = processes.map(async (sources) => {
    const snapshot = await createMetrics({ ...quiet, ...sources }).snapshot()
    // By the channel between processes, which is JSON.
    return JSON.parse(JSON.stringify(snapshot))
  })
  return (await Registry.aggregate(await Promise.all(told)).metrics()).split('\n')
}

const budget = (remaining: number) => [
  { resource: 'core', remaining, limit: 5_000, resetAt: Number.MAX_SAFE_INTEGER },
]
const redis = (available: boolean, failed: number) => ({ available, failed, skipped: 0 })
const leases = { taken: 3, held: 1, unavailable: 0 }

it('adds up what is each process’ own, and takes the worst of what all share', async () => {
  const lines = await together(
    {
      budgets: () => budget(4_000),
      sessions: async () => 7,
      sessionsAvailable: () => true,
      redis: () => redis(true, 1),
      spansLost: () => 2,
      coalescing: () => ({ running: 1, joined: 5, followed: 2, leases }),
      memory: () => ({
        ...quiet.memory(),
        answers: { bytes: 10, maxBytes: 100, entries: 1 },
      }),
    },
    {
      budgets: () => budget(3_000),
      sessions: async () => 7,
      sessionsAvailable: () => false,
      redis: () => redis(false, 3),
      spansLost: () => 4,
      coalescing: () => ({ running: 2, joined: 6, followed: 0, leases }),
      memory: () => ({
        ...quiet.memory(),
        answers: { bytes: 30, maxBytes: 100, entries: 2 },
      }),
    },
  )
  expect(lines).toEqual(
    expect.arrayContaining([
      'github_rate_limit_remaining{resource="core"} 3000',
      'sessions_kept 7',
      'sessions_available 0',
      'redis_available 0',
      'redis_commands_unanswered_total{why="failed"} 4',
      'trace_spans_lost_total 6',
      'cache_fetches_running 3',
      'cache_coalesced_total{by="process"} 11',
      'cache_coalesced_total{by="replica"} 2',
      'cache_leases_total{outcome="taken"} 6',
      'cache_memory_bytes{part="answers"} 40',
      'cache_memory_max_bytes{part="answers"} 200',
      'cache_memory_entries{part="answers"} 3',
    ]),
  )
})

it('leaves out of all what none has', async () => {
  const lines = await together({}, {})
  for (const name of ['redis_available', 'sessions_kept', 'trace_spans_lost_total'])
    expect(lines.filter((line) => line.startsWith(name))).toEqual([])
})

it('shows the one process whose event loop is late', async () => {
  const late = createMetrics(quiet)
  await late.snapshot()
  const until = performance.now() + 200
  while (performance.now() < until);
  await vi.waitUntil(
    async () => {
      const snapshots = [await late.snapshot(), await createMetrics(quiet).snapshot()]
      const text = await Registry.aggregate(snapshots).metrics()
      const [, longest] = /^event_loop_delay_seconds\{quantile="1"\} (\S+)$/m.exec(text) ?? []
      return Number(longest) > 0.1
    },
    { timeout: 10_000 },
  )
})
