import type { Pool } from 'undici'
import { type ContextCache, createContextCache } from '../../src/cache/contextCache.ts'
import { createHearing, type Hearing } from '../../src/cache/hearing.ts'
import { createInvalidations, type Invalidations } from '../../src/cache/invalidations.ts'
import type { Leases } from '../../src/cache/leases.ts'
import { createMemoryStore, type MemoryStore } from '../../src/cache/memory.ts'
import { createPastAnswers } from '../../src/cache/past.ts'
import { createRedisStore } from '../../src/cache/redisStore.ts'
import type { CacheRequest } from '../../src/cache/request.ts'
import type { Store } from '../../src/cache/store.ts'
import { createSharedTimes } from '../../src/cache/times.ts'
import { createEngine, type Engine } from '../../src/context/engine.ts'
import { createPublicity, type Publicity } from '../../src/context/publicity.ts'
import { everything } from '../../src/context/request/allowlist.ts'
import { type Coverage, createCoverage } from '../../src/context/webhooks/coverage.ts'
import type { RateGate } from '../../src/github/budget/rateGate.ts'
import { createGitHub } from '../../src/github/client.ts'
import type { Credential } from '../../src/github/credentials.ts'
import { createSharedResources } from '../../src/github/redisResources.ts'
import { createMemoryResources, type ResourceStore } from '../../src/github/resources.ts'
import { createUpstream } from '../../src/github/upstream.ts'
import { createTagDrift } from '../../src/github/validators.ts'
import type { FakeConnection } from '../support/fakeRedis.ts'
import type { StandIn, Who } from './github.ts'

/** Takes one part of the system away, or puts another in its place: to see that its loss is noticed. */
export interface Mutation {
  cache?(cache: ContextCache, now: () => number): ContextCache
  memory?(store: MemoryStore, now: () => number): MemoryStore
  shared?(store: Store): Store
  invalidations?(invalidations: Invalidations): Invalidations
  publicity?(publicity: Publicity): Publicity
  hearing?(hearing: Hearing, invalidations: Invalidations): Hearing
  coverage?(coverage: Coverage): Coverage
  resources?(store: ResourceStore, github: StandIn): ResourceStore
  dispatch?(dispatch: StandIn['dispatch']): StandIn['dispatch']
}

export interface ReplicaOptions {
  readonly now: () => number
  readonly github: StandIn
  readonly connection: FakeConnection
  readonly leases: Leases
  readonly mutation: Mutation
  /** Whether bodies of GitHub's are kept in Redis too. */
  readonly sharedResources: boolean
  /** Whether it is known that GitHub makes its tags otherwise than by the recipe. */
  readonly drifted: boolean
  /** Whether webhooks come. */
  readonly webhooks: boolean
  /** Sees every marking event as it happens. */
  readonly onMark: (...event: Parameters<Invalidations['mark']>) => void
  /** Sees every request as the engine makes it. */
  readonly watch: (request: CacheRequest) => CacheRequest
  readonly closing: AbortSignal
}

export interface Replica {
  readonly engine: Engine
  readonly invalidations: Invalidations
  readonly connection: FakeConnection
  /** What webhooks are relied on for. */
  readonly coverage: Coverage | undefined
  /** Whether bodies are packed or unpacked, or Redis is asked, which takes more than a turn. */
  busy(): boolean
}

const openGate: RateGate = {
  enter: () => ({ leave: () => {} }),
  remaining: () => undefined,
  budgets: () => [],
  close: () => {},
}

/** A process of the service from the engine down, as `deps.ts` builds it, on what the model gives it. */
export function createReplica(options: ReplicaOptions): Replica {
  const { closing, connection, github, mutation, now, onMark, watch } = options
  const memory = createMemoryStore(1024 * 1024)
  const shared = createRedisStore(connection.commands, now)
  const real = createInvalidations({
    now,
    shared: { redis: connection.commands, bus: connection.bus },
  })
  const invalidations: Invalidations = Object.create(real, {
    mark: {
      value: async (...event: Parameters<Invalidations['mark']>) => {
        onMark(...event)
        await real.mark(...event)
      },
    },
  })
  const own = createPublicity(createSharedTimes(connection.commands, 'public'), now)
  const publicity = mutation.publicity?.(own) ?? own
  const judged = mutation.invalidations?.(invalidations) ?? invalidations
  const webhooks = options.webhooks ? webhooksOf(options, judged) : undefined
  const cache = createContextCache({
    publicity,
    told: webhooks && { isTold: webhooks.hearing.since, untold: webhooks.coverage.doubt },
    memory: mutation.memory?.(memory, now) ?? memory,
    shared: mutation.shared?.(shared) ?? shared,
    leases: options.leases,
    invalidations: judged,
    now,
    random: () => 0.5,
    closing,
    onRefreshFailure: () => {},
  })
  const mutated = mutation.cache?.(cache, now) ?? cache

  const bodies = createMemoryResources(1024 * 1024)
  const { store, busy } = inTurn(
    options.sharedResources ? createSharedResources(bodies, connection.commands) : bodies,
  )
  const origin = 'https://api.github.com'
  const dispatch = mutation.dispatch?.(github.dispatch) ?? github.dispatch
  const engine = createEngine({
    publicity,
    past: createPastAnswers(1024 * 1024, connection.commands, now),
    cache: {
      atHand: (asked) => mutated.atHand(watch(asked)),
      get: (asked) => mutated.get(watch(asked)),
    },
    github: createGitHub({
      upstream: {
        ...createUpstream({ apiUrl: origin, connections: 1, timeoutMs: 1 }),
        pool: { dispatch } as unknown as Pool,
      },
      gate: openGate,
      conditions: {
        resources: mutation.resources?.(store, github) ?? store,
        drift: options.drifted ? { trusted: () => false, compare: () => {} } : createTagDrift(now),
      },
      timeoutMs: 60_000,
      userAgent: 'model',
      now,
      // No delay before a retry fits: a step would have to wait for it.
      random: () => 1e6,
      onCall: () => {},
    }),
    credentialFor: ({ callerToken }) => credentialOf(callerToken as Who, github),
    allowed: everything,
    covers: webhooks?.coverage.covers,
    webUrl: 'https://github.com',
  })
  const isBusy = () => busy() || connection.busy()
  return { engine, invalidations, connection, coverage: webhooks?.coverage, busy: isBusy }
}

/** As `parts/contexts.ts` does it; signs of life are given by the model. */
function webhooksOf(
  { closing, connection, mutation, now }: ReplicaOptions,
  invalidations: Invalidations,
): { hearing: Hearing; coverage: Coverage } {
  const { bus, commands } = connection
  const real = createHearing({ bus, invalidations, ticks: now })
  real.close()
  const hearing = mutation.hearing?.(real, invalidations) ?? real
  const coverage = createCoverage({
    came: createSharedTimes(commands, 'came'),
    lists: createSharedTimes(commands, 'hook'),
    invalidations,
    hearing,
    now,
    closing,
  })
  return { hearing, coverage: mutation.coverage?.(coverage) ?? coverage }
}

/** One operation after the other: packing ends in any order, and equal seeds must give equal histories. */
function inTurn(store: ResourceStore): { store: ResourceStore; busy: () => boolean } {
  let last: Promise<unknown> = Promise.resolve()
  let running = 0
  function enqueue<T>(work: () => Promise<T>): Promise<T> {
    running += 1
    const result = last.then(work).finally(() => {
      running -= 1
    })
    last = result
    return result
  }
  return {
    busy: () => running > 0,
    store: {
      find: (principal, name) => enqueue(() => store.find(principal, name)),
      keep: (principal, name, resource) => enqueue(() => store.keep(principal, name, resource)),
      get bytes() {
        return store.bytes
      },
    },
  }
}

/** The identity is lasting, the token is not: as of a GitHub App's installation. */
function credentialOf(who: Who, github: StandIn): Credential {
  return {
    principal: who,
    anonymous: who === 'anyone',
    from: 'service',
    authorization: async () => github.authorization(who),
  }
}

export interface FakeLeases {
  of(connection: FakeConnection): Leases
  /** Ends the patience of those who wait. */
  tick(): void
}

/** Leases of the model's own time; the real ones are tested on a real Redis. */
export function createFakeLeases(): FakeLeases {
  const held = new Set<string>()
  const waiting = new Map<string, Set<(state: 'released' | 'unsure') => void>>()
  const wake = (key: string, state: 'released' | 'unsure') => {
    const wakers = waiting.get(key)
    waiting.delete(key)
    for (const resolve of wakers ?? []) resolve(state)
  }
  return {
    tick() {
      for (const key of [...waiting.keys()]) wake(key, 'unsure')
    },
    of: (connection) => ({
      async acquire(key) {
        if (!connection.reachable) return 'unavailable'
        if (held.has(key)) return 'held'
        held.add(key)
        return {
          async release() {
            held.delete(key)
            wake(key, 'released')
          },
        }
      },
      wait(key, signal) {
        const { promise, resolve } = Promise.withResolvers<'released' | 'unsure'>()
        const wakers = waiting.get(key) ?? new Set()
        waiting.set(key, wakers.add(resolve))
        signal.addEventListener('abort', () => resolve('unsure'))
        return promise
      },
    }),
  }
}
