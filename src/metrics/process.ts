import { createHistogram } from 'node:perf_hooks'
import { collectDefaultMetrics, type Registry } from '@prometheus-io/client'
import { scraped, single } from './scraped.ts'
import type { MetricSources } from './sources.ts'

/** Milliseconds between looks at the event loop. */
const LOOK_EVERY = 20
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
 * How late a timer comes. The client's own values are averages over processes, in which one that is
 * blocked among many does not show; and Node's `monitorEventLoopDelay` drops the first delay after
 * each reset, which is the one that began before the scrape.
 */
function createLoopDelay(registry: Registry): void {
  const delays = createHistogram()
  let last = performance.now()
  const look = () => {
    const now = performance.now()
    // Microseconds, of which it takes whole ones from 1 on.
    delays.record(Math.max(1, Math.round((now - last - LOOK_EVERY) * 1e3)))
    last = now
  }
  setInterval(look, LOOK_EVERY).unref()
  scraped(registry, {
    name: 'event_loop_delay_seconds',
    help: 'How late the event loop was since the last scrape, by quantile: the worst of all processes',
    type: 'gauge',
    aggregator: 'max',
    read() {
      const samples = QUANTILES.map((quantile) => ({
        labels: { quantile: String(quantile) },
        value: delays.count === 0 ? 0 : delays.percentile(quantile * 100) / 1e6,
      }))
      delays.reset()
      return samples
    },
  })
}
