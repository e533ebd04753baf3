import { monitorEventLoopDelay } from 'node:perf_hooks'
import { collectDefaultMetrics, type Registry } from '@prometheus-io/client'
import { scraped, single } from './scraped.ts'
import type { MetricSources } from './sources.ts'

/** Milliseconds between looks at the event loop, which are part of what is measured. */
const RESOLUTION = 10
const QUANTILES = [0.5, 0.99, 1]

/** What the process itself tells, and what it depends on. */
export function createProcessMetrics(
  registry: Registry,
  { redis, spansLost }: Pick<MetricSources, 'redis' | 'spansLost'>,
): void {
  collectDefaultMetrics({ register: registry })
  createLoopDelay(registry)
  scraped(registry, {
    name: 'redis_available',
    help: 'Whether Redis is used: 1, or 0 while it is left alone; absent where none is configured',
    type: 'gauge',
    aggregator: 'min',
    read: () => single(redis()?.available),
  })
  scraped(registry, {
    name: 'redis_commands_unanswered_total',
    help: 'Commands that Redis did not carry out: failed (or too slow), skipped (while it is left alone)',
    type: 'counter',
    aggregator: 'sum',
    read() {
      const state = redis()
      if (!state) return []
      const { failed, skipped } = state
      return [
        { labels: { why: 'failed' }, value: failed },
        { labels: { why: 'skipped' }, value: skipped },
      ]
    },
  })
  scraped(registry, {
    name: 'trace_spans_lost_total',
    help: 'Spans that could not be delivered; absent where there are no traces',
    type: 'counter',
    aggregator: 'sum',
    read: () => single(spansLost()),
  })
}

/**
 * The client's own means are averages over processes, in which one that is blocked among many that
 * are not does not show.
 */
function createLoopDelay(registry: Registry): void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION })
  delays.enable()
  scraped(registry, {
    name: 'event_loop_delay_seconds',
    help: 'How late the event loop was since the last scrape, by quantile: the worst of all processes',
    type: 'gauge',
    aggregator: 'max',
    read() {
      const samples = QUANTILES.map((quantile) => ({
        labels: { quantile: String(quantile) },
        // Nanoseconds; of a loop that was never late, what is left is the timer's own.
        value: Math.max(0, delays.percentile(quantile * 100) / 1e6 - RESOLUTION) / 1e3,
      }))
      delays.reset()
      return samples
    },
  })
}
