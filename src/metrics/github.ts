import { Histogram, type Registry } from '@prometheus-io/client'
import type { CallReport } from '../github/call.ts'
import type { RateLimit } from '../github/limits.ts'
import { byName, scraped } from './scraped.ts'
import type { MetricSources } from './sources.ts'

/** Seconds. */
const BUCKETS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** @returns told of each call to GitHub */
export function createGitHubMetrics(
  registry: Registry,
  { budgets, pool }: MetricSources,
): (report: CallReport) => void {
  const calls = new Histogram({
    name: 'github_call_duration_seconds',
    help: 'Calls to GitHub, by rate-limit resource and status (0: no answer)',
    labelNames: ['resource', 'status'],
    buckets: BUCKETS,
    registers: [registry],
  })
  scraped(registry, {
    name: 'github_pool_connections',
    help: 'The pool of connections to GitHub: connected and free sockets; running, pending and queued calls',
    type: 'gauge',
    aggregator: 'sum',
    read() {
      const { connected, free, pending, queued, running } = pool()
      return byName('state', { connected, free, pending, queued, running })
    },
  })
  scraped(registry, {
    name: 'github_rate_limit_remaining',
    help: 'Calls left in the running window, by resource: the lowest of all credentials',
    type: 'gauge',
    aggregator: 'min',
    read: () => byName('resource', Object.fromEntries(lowest(budgets()))),
  })
  return ({ resource, status, duration }) =>
    calls.observe({ resource, status: String(status) }, duration / 1000)
}

function lowest(budgets: Iterable<RateLimit>): ReadonlyMap<string, number> {
  const remaining = new Map<string, number>()
  for (const budget of budgets) {
    remaining.set(
      budget.resource,
      Math.min(budget.remaining, remaining.get(budget.resource) ?? Number.POSITIVE_INFINITY),
    )
  }
  return remaining
}
