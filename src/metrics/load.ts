import type { Registry } from '@prometheus-io/client'
import { byName, scraped, single } from './scraped.ts'
import type { MetricSources } from './sources.ts'

/** What is in work, what waits, and what was refused because it was too much. */
export function createLoadMetrics(registry: Registry, { load }: Pick<MetricSources, 'load'>): void {
  scraped(registry, {
    name: 'requests_in_work',
    help: 'Requests that are worked on, streams that have begun not counted',
    type: 'gauge',
    aggregator: 'sum',
    read: () => single(load().inWork),
  })
  scraped(registry, {
    name: 'streams_open',
    help: 'Event streams and MCP subscriptions that callers have open',
    type: 'gauge',
    aggregator: 'sum',
    read: () => single(load().streams),
  })
  scraped(registry, {
    name: 'requests_shed_total',
    help: 'Requests refused with 503 (streams: 429): by the delay of the event loop (at the door: neither logged nor in other metrics), the concurrency in all, the share of one caller, its streams, or calls to GitHub that wait too long',
    type: 'counter',
    aggregator: 'sum',
    read: () => byName('why', load().shed),
  })
  scraped(registry, {
    name: 'work_waiting',
    help: 'What waits for its caller’s turn: connections to be read (door), work for the event loop, calls for a connection to GitHub',
    type: 'gauge',
    aggregator: 'sum',
    read: () => byName('for', load().waiting),
  })
}
