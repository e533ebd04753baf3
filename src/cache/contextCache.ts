import { LRUCache } from 'lru-cache'
import { createCells } from '../core/cells.ts'
import type { Span } from '../core/trace.ts'
import type { AnswerEntry, Entry } from './entry.ts'
import { createFills, type FillsOptions } from './fills.ts'
import { createFlights } from './flights.ts'
import { type Freshness, freshnessOf } from './freshness.ts'
import type { Leases } from './leases.ts'
import { asWaiter, type Cached, type CacheRequest, newer } from './request.ts'

export interface ContextCacheOptions extends Omit<FillsOptions, 'untold'> {
  readonly leases: Leases
  /** Aborted when the process closes: ends refreshes in the background. */
  readonly closing: AbortSignal
  readonly onRefreshFailure: (failure: unknown) => void
  /** What webhooks tell of changes; absent where none come. */
  readonly told?: Told | undefined
}

/** How far the word of webhooks goes. */
export interface Told {
  /** Whether this process would know by now of every change since then, as far as webhooks tell. */
  isTold(since: number): boolean
  /** An answer that relied on them has changed, and none came. */
  untold(entry: AnswerEntry): void
}

export interface ContextCache {
  /**
   * What this process holds and may serve at once; else undefined. Costs no promise.
   * @throws ServiceError a remembered refusal
   */
  atHand(request: CacheRequest): Cached | undefined
  /** @throws ServiceError what `load` throws, where no kept answer may stand in; a remembered refusal */
  get(request: CacheRequest): Promise<Cached>
}

export interface CountedCache extends ContextCache {
  /** Fetches under way, and requests so far that waited for one of this process or of another. */
  coalescing(): { readonly running: number; readonly joined: number; readonly followed: number }
}

/** Milliseconds after which a refresh that failed is tried again, and how many are remembered. */
const PAUSE = 5_000
const MOST_PAUSED = 10_000
/** Milliseconds. How long a replica waits for another's fetch before it makes its own. */
const WAIT_AT_MOST = 5_000

/** Fresh → serve. Stale → serve, and refresh once behind. Missing → one fetch for all who wait. */
export function createContextCache(options: ContextCacheOptions): CountedCache {
  const { memory, shared, leases, invalidations, now, closing, told } = options
  const isTold = told?.isTold ?? never
  const { fill, remember } = createFills({ ...options, untold: told?.untold })
  const flights = createFlights<Cached>(now)
  const looks = createCells<Promise<Entry | undefined>>()
  let followed = 0
  /** Refreshes that failed just now: the next stale hit would only fail again. */
  const pausedUntil = new LRUCache<string, number>({ max: MOST_PAUSED })

  return {
    atHand,
    coalescing: () => ({ running: flights.size, joined: flights.joined, followed }),
    async get(request) {
      const served = atHand(request)
      if (served) return served
      const here = memory.get(request.key)
      if (flights.has(flightOf(request))) return fetchTogether(request, here, lookFurther)
      // Most are found here, in less time than anybody needs to leave: so nobody's leaving is watched.
      const found = await look(request)
      const shared = found && serve(found, judged(found, request), 'hit_shared', request)
      return shared ?? fetchTogether(request, newer(found, here), fetchOnce)
    },
  }

  /** One fetch of this process for all who wait. */
  async function fetchTogether(
    request: CacheRequest,
    known: Entry | undefined,
    first: typeof fetchOnce,
  ): Promise<Cached> {
    const flight = flightOf(request)
    const signal = request.signal()
    const bound = (request.maxAge ?? Number.POSITIVE_INFINITY) * 1000
    let work = first
    for (let notBefore = now() - bound; ; notBefore = now()) {
      const { value, collapsed } = await flights.run(
        flight,
        signal,
        notBefore,
        (abort) => work(request, known, abort),
        request.party,
      )
      if (!collapsed) return value
      // What another waited for may be from before an event that this caller came after.
      const verdict = invalidations.verdict(value.entry)
      const standsIn = value.outcome === 'stale_if_error' && verdict !== 'revoked'
      if (verdict === undefined || standsIn) return asWaiter(value)
      work = lookFurther
    }
  }

  /** Asks Redis once for all who want the same; what it says each judges for itself. */
  function look({ key, span }: CacheRequest): Promise<Entry | undefined> {
    const running = looks.get(key)
    if (running) return running
    const looking = lookOnce(key, span)
    looks.set(key, looking)
    return looking
  }

  async function lookOnce(key: string, span: Span | undefined): Promise<Entry | undefined> {
    try {
      return heard(key, await shared.get(key, span))
    } finally {
      looks.delete(key)
    }
  }

  async function readShared({ key, span }: CacheRequest): Promise<Entry | undefined> {
    return heard(key, await shared.get(key, span))
  }

  /** What Redis has, where it can be judged: else it is not served, nor kept for GitHub's failures. */
  function heard(key: string, found: Entry | undefined): Entry | undefined {
    if (!found || !invalidations.informed) return undefined
    remember(key, found)
    return found
  }

  function atHand(request: CacheRequest): Cached | undefined {
    const known = memory.get(request.key)
    return known && serve(known, inMemory(known, request), 'hit', request)
  }

  /** The entry as an answer, where its freshness allows that; starts the refresh of a stale one. */
  function serve(
    entry: Entry,
    freshness: Freshness,
    hit: 'hit' | 'hit_shared' | 'collapsed',
    request: CacheRequest,
  ): Cached | undefined {
    if (freshness !== 'fresh' && freshness !== 'stale') return undefined
    if (entry.kind === 'refusal') throw entry.error
    if (freshness === 'stale') refresh(request, entry)
    return { entry, outcome: freshness === 'fresh' ? hit : 'stale' }
  }

  /** What is here may have missed events: then it is no better than stale. */
  function inMemory(entry: Entry, request: CacheRequest): Freshness {
    const freshness = judged(entry, request)
    return freshness === 'fresh' && entry.asOf < invalidations.missedUntil ? 'stale' : freshness
  }

  function judged(entry: Entry, { maxAge }: CacheRequest): Freshness {
    const verdict = invalidations.verdict(entry)
    if (verdict === 'revoked') return 'gone'
    const freshness = freshnessOf(entry, now(), maxAge, isTold)
    return verdict === 'changed' && freshness !== 'gone' ? 'kept' : freshness
  }

  async function lookFurther(request: CacheRequest, known: Entry | undefined, signal: AbortSignal) {
    const found = await readShared(request)
    const served = found && serve(found, judged(found, request), 'hit_shared', request)
    return served ?? fetchOnce(request, newer(found, known), signal)
  }

  /** What another replica fetched meanwhile. */
  async function follow(request: CacheRequest): Promise<Cached | undefined> {
    const found = await readShared(request)
    const served = found && serve(found, judged(found, request), 'collapsed', request)
    if (served) followed += 1
    return served
  }

  /** One fetch for all replicas: whoever has the lease fetches, the others wait for what it writes. */
  async function fetchOnce(
    request: CacheRequest,
    kept: Entry | undefined,
    signal: AbortSignal,
  ): Promise<Cached> {
    if (request.maxAge !== undefined) return fill(request, kept, signal, 'interactive')
    const giveUpAt = now() + WAIT_AT_MOST
    for (let state: 'first' | 'released' | 'unsure' = 'first'; ; ) {
      const lease =
        state === 'released' || now() > giveUpAt ? 'unavailable' : await leases.acquire(request.key)
      if (lease === 'unavailable') return fill(request, kept, signal, 'interactive')
      try {
        // Its last holder may have written just before it was taken.
        const served = await follow(request)
        if (served) return served
        if (lease !== 'held') return await fill(request, kept, signal, 'interactive')
      } finally {
        if (lease !== 'held') await lease.release()
      }
      state = await leases.wait(request.key, signal)
      signal.throwIfAborted()
      const served = await follow(request)
      if (served) return served
    }
  }

  function refresh(request: CacheRequest, kept: AnswerEntry): void {
    const flight = `${request.key}#refresh`
    if (flights.has(flight) || (pausedUntil.get(flight) ?? 0) > now()) return
    flights
      .run(flight, closing, 0, (signal) => refreshOnce(request, kept, signal))
      .catch((failure: unknown) => {
        if (closing.aborted) return
        pausedUntil.set(flight, now() + PAUSE)
        options.onRefreshFailure(failure)
      })
  }

  /** A refresh that another replica has done, or is doing, need not be done again. */
  async function refreshOnce(
    request: CacheRequest,
    kept: AnswerEntry,
    signal: AbortSignal,
  ): Promise<Cached> {
    const asStale: Cached = { entry: kept, outcome: 'stale' }
    const lease = await leases.acquire(request.key)
    if (lease === 'held') return asStale
    try {
      const found = await readShared(request)
      if (found && found.asOf > kept.asOf && judged(found, request) === 'fresh') {
        return found.kind === 'answer' ? { entry: found, outcome: 'hit_shared' } : asStale
      }
      return await fill(request, kept, signal, 'background')
    } finally {
      if (lease !== 'unavailable') await lease.release()
    }
  }
}

const never = () => false

/** Callers with another bound on age must not get each other's answers. */
const flightOf = ({ key, maxAge }: CacheRequest) =>
  maxAge === undefined ? key : `${key}#${maxAge}`
