import type { MetricSources } from '../../src/metrics/sources.ts'

const empty = { bytes: 0, maxBytes: 1_000 }

/** Of a service in which nothing happens. */
export const quiet: MetricSources = {
  pool: () => ({ connected: 0, free: 0, pending: 0, queued: 0, running: 0 }),
  memory: () => ({ answers: { ...empty, entries: 0 }, resources: empty, past: empty }),
  coalescing: () => ({
    running: 0,
    joined: 0,
    followed: 0,
    leases: { taken: 0, held: 0, unavailable: 0 },
  }),
  budgets: () => [],
  load: () => ({
    inWork: 0,
    streams: 0,
    waiting: { door: 1, loop: 0, github: 0 },
    shed: { delay: 0, concurrency: 0, share: 0, streams: 0, github: 0 },
  }),
  sessions: () => Promise.resolve(undefined),
  sessionsAvailable: () => true,
  redis: () => undefined,
  spansLost: () => undefined,
}
