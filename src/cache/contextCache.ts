import type { ServiceError } from '../core/errors.ts'
import type { CachePolicy } from '../core/provider.ts'
import type { AnswerEntry, Entry } from './entry.ts'
import { createFlights } from './flights.ts'
import { answerTimes, freshnessOf, refusalTimes } from './freshness.ts'
import type { MemoryStore } from './memory.ts'
import { isFailure, isRefusal } from './refusals.ts'
import type { Store } from './store.ts'

/** How an answer came about; the names are those of the metric. */
export type Outcome =
  | 'hit'
  | 'stale'
  | 'miss'
  | 'collapsed'
  | 'revalidated'
  | 'requested'
  | 'stale_if_error'

export interface Loaded {
  readonly body: Buffer
  readonly contextId: string
  readonly visibility: 'public' | 'private'
  /** Calls to GitHub that it took. */
  readonly calls: number
  /** Whether GitHub said of everything that it had not changed. */
  readonly unchanged: boolean
}

export interface CacheRequest {
  /** Principal and canonical request. */
  readonly key: string
  readonly policy: CachePolicy
  /** Seconds. */
  readonly maxAge: number | undefined
  readonly signal: () => AbortSignal
  readonly load: (signal: AbortSignal) => Promise<Loaded>
}

export interface Cached {
  readonly entry: AnswerEntry
  readonly outcome: Outcome
  /** Calls to GitHub made for this request. */
  readonly calls: number
  /** GitHub's failure that a kept answer stands in for. */
  readonly failure?: ServiceError
}

export interface ContextCacheOptions {
  readonly memory: MemoryStore
  /** Kept by all replicas together. */
  readonly shared: Store
  readonly now: () => number
  readonly random: () => number
  /** Aborted when the process closes: ends refreshes in the background. */
  readonly closing: AbortSignal
  readonly onRefreshFailure: (failure: unknown) => void
}

export interface ContextCache {
  /** @throws ServiceError what `load` throws, where no kept answer may stand in; a remembered refusal */
  get(request: CacheRequest): Promise<Cached>
}

/** Fresh → serve. Stale → serve, and refresh once behind. Missing → one fetch for all who wait. */
export function createContextCache(options: ContextCacheOptions): ContextCache {
  const { memory, shared, now, closing, onRefreshFailure } = options
  const flights = createFlights<Cached>(now)

  return {
    async get(request) {
      const known = memory.get(request.key)
      const served = known && serve(known, request)
      if (served) return served
      const notBefore = request.maxAge === undefined ? 0 : now() - request.maxAge * 1000
      const joined = await flights.run(
        request.key,
        request.signal(),
        (signal) => lookFurther(request, known, signal),
        notBefore,
      )
      return joined.collapsed ? asWaiter(joined.value) : joined.value
    },
  }

  /** The entry as an answer, where its age allows that; starts the refresh of a stale one. */
  function serve(entry: Entry, request: CacheRequest): Cached | undefined {
    const freshness = freshnessOf(entry, now(), request.maxAge)
    if (freshness !== 'fresh' && freshness !== 'stale') return undefined
    if (entry.kind === 'refusal') throw entry.error
    if (freshness === 'stale') refresh(request, entry)
    return { entry, outcome: freshness === 'fresh' ? 'hit' : 'stale', calls: 0 }
  }

  async function lookFurther(
    request: CacheRequest,
    inMemory: Entry | undefined,
    signal: AbortSignal,
  ): Promise<Cached> {
    const inShared = await shared.get(request.key)
    if (inShared) memory.set(request.key, inShared)
    const served = inShared && serve(inShared, request)
    return served ?? fill(request, inShared ?? inMemory, signal)
  }

  function refresh(request: CacheRequest, kept: AnswerEntry): void {
    flights
      .run(request.key, closing, (signal) => fill(request, kept, signal))
      .catch((failure: unknown) => {
        if (!closing.aborted) onRefreshFailure(failure)
      })
  }

  async function fill(
    request: CacheRequest,
    kept: Entry | undefined,
    signal: AbortSignal,
  ): Promise<Cached> {
    const asOf = now()
    try {
      const loaded = await request.load(signal)
      const times = answerTimes(asOf, request.policy, loaded.visibility, options.random)
      const entry: AnswerEntry = {
        kind: 'answer',
        contextId: loaded.contextId,
        body: loaded.body,
        ...times,
      }
      await write(request.key, entry)
      return { entry, outcome: outcomeOf(request, kept, loaded), calls: loaded.calls }
    } catch (error) {
      if (isRefusal(error)) {
        await write(request.key, { kind: 'refusal', error, ...refusalTimes(asOf, options.random) })
        throw error
      }
      const standIn = isFailure(error) ? standInOf(kept, request) : undefined
      if (!standIn) throw error
      return { entry: standIn, outcome: 'stale_if_error', calls: 0, failure: error as ServiceError }
    }
  }

  /** What may be served although GitHub fails: never more than the caller's own `max_age`. */
  function standInOf(kept: Entry | undefined, request: CacheRequest): AnswerEntry | undefined {
    if (kept?.kind !== 'answer' || request.maxAge !== undefined) return undefined
    return freshnessOf(kept, now(), undefined) === 'gone' ? undefined : kept
  }

  async function write(key: string, entry: Entry): Promise<void> {
    memory.set(key, entry)
    await shared.set(key, entry)
  }
}

function outcomeOf(
  { maxAge }: CacheRequest,
  kept: Entry | undefined,
  { unchanged }: Loaded,
): Outcome {
  if (maxAge !== undefined) return 'requested'
  return unchanged && kept?.kind === 'answer' ? 'revalidated' : 'miss'
}

/** A waiter made no call of its own; what it got from a fetch of another's is `collapsed`. */
function asWaiter(cached: Cached): Cached {
  const fetched =
    cached.outcome === 'miss' || cached.outcome === 'revalidated' || cached.outcome === 'requested'
  return { ...cached, calls: 0, outcome: fetched ? 'collapsed' : cached.outcome }
}
