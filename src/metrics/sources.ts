import type { RateLimit } from '../github/limits.ts'

/** What is read at the time of a scrape. */
export interface MetricSources {
  pool(): PoolState
  memory(): Readonly<Record<MemoryPart, MemoryState>>
  coalescing(): Coalescing
  budgets(): Iterable<RateLimit>
  load(): LoadState
  /** Undefined where the store does not tell. */
  sessions(): Promise<number | undefined>
  /** Whether sessions can be read and written. */
  sessionsAvailable(): boolean
  /** Undefined where there is no Redis. */
  redis(): RedisState | undefined
  /** Undefined where there are no traces. */
  spansLost(): number | undefined
}

/** Requests in work, what waits for its turn, and what was refused since the start, by why. */
export interface LoadState {
  readonly inWork: number
  readonly streams: number
  readonly waiting: Readonly<Record<'door' | 'loop' | 'github', number>>
  readonly shed: Readonly<Record<'delay' | 'concurrency' | 'share' | 'streams' | 'github', number>>
}

/** The pool of connections to GitHub: sockets, and calls. */
export interface PoolState {
  readonly connected: number
  readonly free: number
  readonly pending: number
  readonly queued: number
  readonly running: number
}

/** `answers` that are served; `resources`: GitHub's bodies for revalidation; `past` answers of a day. */
export type MemoryPart = 'answers' | 'resources' | 'past'

export interface MemoryState {
  readonly bytes: number
  readonly maxBytes: number
  readonly entries?: number
}

/** How often one fetch did for several requests; all but `running` since the start. */
export interface Coalescing {
  /** Fetches and refreshes that are under way in this process. */
  readonly running: number
  /** Requests that waited for a fetch of this process. */
  readonly joined: number
  /** Requests that waited for a fetch of another replica. */
  readonly followed: number
  /** Leases that were asked for, by what came of it. */
  readonly leases: Readonly<Record<'taken' | 'held' | 'unavailable', number>>
}

export interface RedisState {
  readonly available: boolean
  /** Commands that failed or were not answered in time, since the start. */
  readonly failed: number
  /** Commands that were not sent, as Redis was left alone. */
  readonly skipped: number
}
