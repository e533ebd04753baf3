import { Counter, type Registry } from '@prometheus-io/client'
import { byName, scraped } from './scraped.ts'
import type { MetricSources } from './sources.ts'

/** @returns told of each refresh in the background that failed */
export function createCacheMetrics(
  registry: Registry,
  { coalescing, memory }: MetricSources,
): () => void {
  const ofEach = (what: 'bytes' | 'maxBytes' | 'entries') => () =>
    Object.entries(memory()).flatMap(([part, { [what]: value }]) =>
      value === undefined ? [] : [{ labels: { part }, value }],
    )
  scraped(registry, {
    name: 'cache_memory_bytes',
    help: 'Bytes of the cache in this process, by part (answers, resources, past)',
    type: 'gauge',
    aggregator: 'sum',
    read: ofEach('bytes'),
  })
  scraped(registry, {
    name: 'cache_memory_max_bytes',
    help: 'Bytes that each part of the cache in this process may have',
    type: 'gauge',
    aggregator: 'sum',
    read: ofEach('maxBytes'),
  })
  scraped(registry, {
    name: 'cache_memory_entries',
    help: 'Answers in the cache in this process',
    type: 'gauge',
    aggregator: 'sum',
    read: ofEach('entries'),
  })
  scraped(registry, {
    name: 'cache_fetches_running',
    help: 'Fetches and refreshes that are under way: each for all who wait for it',
    type: 'gauge',
    aggregator: 'sum',
    read: () => [{ value: coalescing().running }],
  })
  scraped(registry, {
    name: 'cache_coalesced_total',
    help: 'Requests that waited for another’s fetch: in this process, or by a lease for a replica’s',
    type: 'counter',
    aggregator: 'sum',
    read: () => byName('by', { process: coalescing().joined, replica: coalescing().followed }),
  })
  scraped(registry, {
    name: 'cache_leases_total',
    help: 'Leases that were asked for to fetch for all replicas, by outcome (taken, held, unavailable)',
    type: 'counter',
    aggregator: 'sum',
    read: () => byName('outcome', coalescing().leases),
  })
  const failed = new Counter({
    name: 'cache_refresh_failures_total',
    help: 'Refreshes in the background that failed',
    registers: [registry],
  })
  return () => failed.inc()
}
