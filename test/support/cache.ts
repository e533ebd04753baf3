import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ContextCache, createContextCache, type Told } from '../../src/cache/contextCache.ts'
import { createInvalidations, type Invalidations } from '../../src/cache/invalidations.ts'
import { createLeases, type Leases, noLeases } from '../../src/cache/leases.ts'
import { createMemoryStore, type MemoryStore } from '../../src/cache/memory.ts'
import { createRedisStore } from '../../src/cache/redisStore.ts'
import type { Cached, CacheRequest, Loaded } from '../../src/cache/request.ts'
import { noStore, type Store } from '../../src/cache/store.ts'
import { createSharedTimes } from '../../src/cache/times.ts'
import { createPublicity } from '../../src/context/publicity.ts'
import { ServiceError } from '../../src/core/errors.ts'
import type { Urgency } from '../../src/core/github.ts'
import type { Bus } from '../../src/redis/bus.ts'
import type { GuardedRedis } from '../../src/redis/guarded.ts'

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  advance(seconds: number): void
}

export function createClock(): Clock {
  let time = Date.parse('2026-01-31T12:00:00Z')
  return {
    now: () => time,
    advance(seconds) {
      time += seconds * 1000
    },
  }
}

export interface ReplicaOptions {
  now: () => number
  random?: () => number
  redis?: { readonly commands: GuardedRedis; readonly bus: Bus }
  shared?: Store
  leases?: Leases
  told?: Told
}

export interface Replica extends ContextCache {
  readonly memory: MemoryStore
  readonly invalidations: Invalidations
  /** What refreshes in the background met. */
  readonly refreshFailures: readonly unknown[]
  /** Ends refreshes in the background. */
  close(): void
}

/** The context cache as a process has it, on the parts that are given. */
export function createReplica({ now, random = () => 0.5, ...options }: ReplicaOptions): Replica {
  const { redis } = options
  const memory = createMemoryStore(64 * 1024 * 1024)
  const invalidations = createInvalidations({
    now,
    shared: redis && { redis: redis.commands, bus: redis.bus },
  })
  const closing = new AbortController()
  const refreshFailures: unknown[] = []
  const cache = createContextCache({
    memory,
    publicity: createPublicity(redis && createSharedTimes(redis.commands, 'public'), now),
    told: options.told,
    shared: options.shared ?? (redis ? createRedisStore(redis.commands, now) : noStore),
    leases: options.leases ?? (redis ? createLeases(redis.commands, redis.bus) : noLeases),
    invalidations,
    now,
    random,
    closing: closing.signal,
    onRefreshFailure: (failure) => void refreshFailures.push(failure),
  })
  return { ...cache, memory, invalidations, refreshFailures, close: () => closing.abort() }
}

const POLICY = { freshFor: 60, staleFor: 300, keepFor: 86_400 }

/** One call of a load function that waits for its answer. */
export interface Load {
  readonly signal: AbortSignal
  readonly urgency: Urgency
  answer(body: string, loaded?: Partial<Loaded>): Promise<void>
  fail(error: unknown): Promise<void>
}

/** A load function made by hand: it answers when told to. */
export interface Source {
  readonly load: CacheRequest['load']
  readonly loads: readonly Load[]
  /** The load begun last. */
  readonly last: Load
  /** From now on each load answers this at once. */
  answers(body: string, loaded?: Partial<Loaded>): void
  fails(error: unknown): void
  /** From now on loads wait to be told. */
  waits(): void
}

export function createSource(): Source {
  const loads: Load[] = []
  let reply: ((load: Load) => void) | undefined
  return {
    loads,
    get last() {
      const load = loads.at(-1)
      if (!load) throw new Error('nothing was loaded')
      return load
    },
    answers(body, loaded) {
      reply = (load) => void load.answer(body, loaded)
    },
    fails(error) {
      reply = (load) => void load.fail(error)
    },
    waits() {
      reply = undefined
    },
    load(signal, urgency) {
      const { promise, resolve, reject } = Promise.withResolvers<Loaded>()
      signal.addEventListener('abort', () => reject(signal.reason))
      const load: Load = {
        signal,
        urgency,
        async answer(body, loaded) {
          const made = {
            contextId: body,
            visibility: 'public',
            policy: POLICY,
            unchanged: false,
            tags: [],
          } as const
          resolve({ body: Buffer.from(body), ...made, ...loaded })
          await nextTurn()
        },
        async fail(error) {
          reject(error)
          await nextTurn()
        },
      }
      loads.push(load)
      reply?.(load)
      return promise
    },
  }
}

/** A request in the name of `principal`. */
export function requestOf(
  load: CacheRequest['load'],
  { principal = 'ann', name = 'issue', ...given }: RequestOptions = {},
): CacheRequest {
  return {
    key: `${principal}:${name}`,
    subject: `${principal}:${name}`,
    principalTag: `principal:${principal}`,
    maxAge: undefined,
    signal: () => new AbortController().signal,
    load,
    ...given,
  }
}

export interface RequestOptions extends Partial<Omit<CacheRequest, 'key' | 'principalTag'>> {
  principal?: string
  name?: string
}

/** What a caller sees of an answer. */
export const seen = ({ entry, outcome }: Cached) => `${outcome} ${entry.body}`

export const failures = {
  badGateway: () => new ServiceError('upstream_error', 'GitHub: 502.', { upstreamStatus: 502 }),
  limited: () =>
    new ServiceError('upstream_rate_limited', 'Wait.', { upstreamStatus: 403, retryAfter: 60 }),
  unreachable: () => new ServiceError('upstream_unreachable', 'No connection.'),
  timeout: () => new ServiceError('upstream_timeout', 'Too slow.'),
}

export const refusals = {
  auth: () => new ServiceError('upstream_auth', 'GitHub: 401.', { upstreamStatus: 401 }),
  forbidden: () => new ServiceError('upstream_forbidden', 'GitHub: 403.', { upstreamStatus: 403 }),
  notFound: () => new ServiceError('not_found', 'GitHub: 404.', { upstreamStatus: 404 }),
}
