import { Counter, Registry } from '@prometheus-io/client'
import { problems } from '../core/errors.ts'
import type { CallReport } from '../github/call.ts'
import type { ReplyReport } from '../models/adapter.ts'
import { createCacheMetrics } from './cache.ts'
import { createGitHubMetrics } from './github.ts'
import { createHistogram, type Observe } from './histogram.ts'
import { createLoadMetrics } from './load.ts'
import { createModelMetrics } from './models.ts'
import { createProcessMetrics } from './process.ts'
import { createSessionMetrics } from './sessions.ts'
import type { MetricSources } from './sources.ts'

/** Seconds: a hit takes microseconds, a slow GitHub seconds. */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export interface Metrics {
  /** One series of requests, which counts their durations in seconds. */
  requests(labels: RequestLabels): Observe
  /** A caller met a problem: a request's own, or that of a part of it. */
  problemMet(code: string): void
  callDone(report: CallReport): void
  replyDone(report: ReplyReport): void
  refreshFailed(): void
  /** @param outcome `ok`, `aborted`, or a problem's code */
  turnDone(outcome: string): void
  /** @param event a name out of a closed set */
  webhookDelivered(event: string, outcome: string): void
  /** The present values as data, to be added to those of other processes. */
  snapshot(): Promise<object[]>
  /** Prometheus text format 0.0.4. */
  render(): Promise<string>
  readonly contentType: string
}

/** What requests are counted by: each a name out of a closed set. */
export interface RequestLabels {
  readonly route: string
  readonly type: string
  readonly status: string
  readonly outcome: string
}

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry()
  createProcessMetrics(registry, sources)
  createLoadMetrics(registry, sources)
  const requests = createHistogram({
    name: 'http_request_duration_seconds',
    help: 'Requests answered, by route, context type, status and cache outcome or problem code',
    buckets: REQUEST_BUCKETS,
    registry,
  })
  const met = new Counter({
    name: 'problems_total',
    help: 'Problems that callers met, by code: of requests, of parts of a batch, of tools',
    labelNames: ['code'],
    registers: [registry],
  })
  // From the start, as Prometheus sees no increase in what begins with 1.
  for (const code of Object.keys(problems)) met.inc({ code }, 0)
  const callDone = createGitHubMetrics(registry, sources)
  const refreshFailed = createCacheMetrics(registry, sources)
  const turnDone = createSessionMetrics(registry, sources)
  const replyDone = createModelMetrics(registry)
  const webhooks = new Counter({
    name: 'github_webhooks_total',
    help: 'Webhooks with a right signature, by event and by what became of them',
    labelNames: ['event', 'outcome'],
    registers: [registry],
  })

  return {
    requests: (labels) => requests({ ...labels }),
    problemMet: (code) => met.inc({ code }),
    callDone,
    replyDone,
    turnDone,
    refreshFailed,
    webhookDelivered: (event, outcome) => webhooks.inc({ event, outcome }),
    snapshot: () => registry.getMetricsAsJSON(),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
