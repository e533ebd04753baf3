import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'
import type { CallReport } from './github/call.ts'
import type { RateLimit } from './github/limits.ts'
import { createHistogram, type Observe } from './histogram.ts'
import type { ReplyReport } from './models/adapter.ts'

/** Seconds: a hit takes microseconds, a slow GitHub seconds. */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const UPSTREAM_BUCKETS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const MODEL_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

export interface Metrics {
  /** One series of requests, which counts their durations in seconds. */
  requests(labels: RequestLabels): Observe
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

/** What is read at the time of a scrape. */
export interface MetricSources {
  pool(): { connected: number; free: number; pending: number; queued: number; running: number }
  memory(): { bytes: number; entries: number }
  budgets(): Iterable<RateLimit>
  /** Undefined where the store does not tell. */
  sessions(): Promise<number | undefined>
  /** Undefined where there is no Redis. */
  redis(): boolean | undefined
}

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const requests = createHistogram({
    name: 'http_request_duration_seconds',
    help: 'Requests answered, by route, context type, status and cache outcome or problem code',
    buckets: REQUEST_BUCKETS,
    registry,
  })
  const calls = new Histogram({
    name: 'github_call_duration_seconds',
    help: 'Calls to GitHub, by rate-limit resource and status (0: no answer)',
    labelNames: ['resource', 'status'],
    buckets: UPSTREAM_BUCKETS,
    registers,
  })
  const replyDone = createModelMetrics(registers)
  const turns = new Counter({
    name: 'session_turns_total',
    help: 'Turns of sessions, by what became of them (ok, aborted, a problem code)',
    labelNames: ['outcome'],
    registers,
  })
  new Gauge({
    name: 'sessions_kept',
    aggregator: 'max',
    help: 'Sessions that are kept, of all replicas; absent while the store does not tell',
    registers,
    async collect() {
      this.reset()
      const kept = await sources.sessions()
      if (kept !== undefined) this.set(kept)
    },
  })
  const failedRefreshes = new Counter({
    name: 'cache_refresh_failures_total',
    help: 'Refreshes in the background that failed',
    registers,
  })
  const webhooks = new Counter({
    name: 'github_webhooks_total',
    help: 'Webhooks with a right signature, by event and by what became of them',
    labelNames: ['event', 'outcome'],
    registers,
  })
  new Gauge({
    name: 'github_pool_connections',
    help: 'The pool of connections to GitHub: connected and free sockets; running, pending and queued calls',
    labelNames: ['state'],
    registers,
    collect() {
      const { connected, free, pending, queued, running } = sources.pool()
      for (const [state, value] of Object.entries({ connected, free, pending, queued, running }))
        this.set({ state }, value)
    },
  })
  new Gauge({
    name: 'github_rate_limit_remaining',
    aggregator: 'min',
    help: 'Calls left in the running window, by resource: the lowest of all credentials',
    labelNames: ['resource'],
    registers,
    collect() {
      this.reset()
      for (const [resource, remaining] of lowest(sources.budgets()))
        this.set({ resource }, remaining)
    },
  })
  new Gauge({
    name: 'cache_memory_bytes',
    help: 'Bytes of the cache in this process',
    registers,
    collect() {
      this.set(sources.memory().bytes)
    },
  })
  new Gauge({
    name: 'cache_memory_entries',
    help: 'Answers in the cache in this process',
    registers,
    collect() {
      this.set(sources.memory().entries)
    },
  })

  new Gauge({
    name: 'redis_available',
    aggregator: 'min',
    help: 'Whether Redis is used: 1, or 0 while it is left alone; absent where none is configured',
    registers,
    collect() {
      const available = sources.redis()
      if (available !== undefined) this.set(available ? 1 : 0)
    },
  })

  return {
    requests: (labels) => requests({ ...labels }),
    callDone: ({ resource, status, duration }) =>
      calls.observe({ resource, status: String(status) }, duration / 1000),
    replyDone,
    turnDone: (outcome) => turns.inc({ outcome }),
    refreshFailed: () => failedRefreshes.inc(),
    webhookDelivered: (event, outcome) => webhooks.inc({ event, outcome }),
    snapshot: () => registry.getMetricsAsJSON(),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

function createModelMetrics(registers: Registry[]): Metrics['replyDone'] {
  const replies = new Histogram({
    name: 'model_reply_duration_seconds',
    help: 'Replies of models, by provider, family of models, and outcome (ok, aborted, a problem code)',
    labelNames: ['provider', 'model', 'outcome'],
    buckets: MODEL_BUCKETS,
    registers,
  })
  const firstTokens = new Histogram({
    name: 'model_first_token_seconds',
    help: 'Time until the first token of a reply, retries included',
    labelNames: ['provider', 'model'],
    buckets: MODEL_BUCKETS,
    registers,
  })
  const tokens = new Counter({
    name: 'model_tokens_total',
    help: 'Tokens of whole replies as the providers count them, by direction (in, out)',
    labelNames: ['provider', 'model', 'direction'],
    registers,
  })
  const retries = new Counter({
    name: 'model_retries_total',
    help: 'Calls of models that were sent again',
    labelNames: ['provider'],
    registers,
  })
  return ({ duration, firstToken, model, outcome, provider, retries: again, usage }) => {
    replies.observe({ provider, model, outcome }, duration / 1000)
    if (firstToken !== undefined) firstTokens.observe({ provider, model }, firstToken / 1000)
    if (again > 0) retries.inc({ provider }, again)
    if (!usage) return
    tokens.inc({ provider, model, direction: 'in' }, usage.input)
    tokens.inc({ provider, model, direction: 'out' }, usage.output)
  }
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
