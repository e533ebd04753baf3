import { LRUCache } from 'lru-cache'
import type { ServiceError } from '../core/errors.ts'
import type { Urgency } from '../core/github.ts'
import type { AnswerEntry, Entry } from './entry.ts'
import { createFlights } from './flights.ts'
import { answerTimes, type Freshness, freshnessOf, refusalTimes, standInOf } from './freshness.ts'
import type { Invalidations } from './invalidations.ts'
import type { Leases } from './leases.ts'
import type { MemoryStore } from './memory.ts'
import { isFailure, isRefusal } from './refusals.ts'
import {
  answerTag,
  asWaiter,
  type Cached,
  type CacheRequest,
  newer,
  outcomeOf,
  tagsOf,
} from './request.ts'
import type { Store } from './store.ts'

export interface ContextCacheOptions {
  readonly memory: MemoryStore
  /** Kept by all replicas together. */
  readonly shared: Store
  readonly leases: Leases
  readonly invalidations: Invalidations
  readonly now: () => number
  readonly random: () => number
  /** Aborted when the process closes: ends refreshes in the background. */
  readonly closing: AbortSignal
  readonly onRefreshFailure: (failure: unknown) => void
  readonly publicity: Publicity
  /** What webhooks tell of changes; absent where none come. */
  readonly told?: Told | undefined
}

/** Who may read the repositories that answers are of, by GitHub's last word. */
export interface Publicity {
  /** Whether that lets an answer stand in that is too old for one of a private repository. */
  permits(entry: AnswerEntry, needed: 'unless_private' | 'if_public'): Promise<boolean>
  /** GitHub refused what it had given before. */
  lost(entry: AnswerEntry): void
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
  const { memory, shared, leases, invalidations, now, closing, publicity, told } = options
  const isTold = told?.isTold ?? never
  const flights = createFlights<Cached>(now)
  let followed = 0
  /** Refreshes that failed just now: the next stale hit would only fail again. */
  const pausedUntil = new LRUCache<string, number>({ max: MOST_PAUSED })

  return {
    atHand,
    coalescing: () => ({ running: flights.size, joined: flights.joined, followed }),
    async get(request) {
      const served = atHand(request)
      if (served) return served
      const known = memory.get(request.key)
      const signal = request.signal()
      // Callers with another bound on age must not get each other's answers.
      const { key, maxAge } = request
      const flight = maxAge === undefined ? key : `${key}#${maxAge}`
      const bound = (maxAge ?? Number.POSITIVE_INFINITY) * 1000
      for (let notBefore = now() - bound; ; notBefore = now()) {
        const { value, collapsed } = await flights.run(
          flight,
          signal,
          notBefore,
          (abort) => lookFurther(request, known, abort),
          request.party,
        )
        if (!collapsed) return value
        // What another waited for may be from before an event that this caller came after.
        const verdict = invalidations.verdict(value.entry)
        const standsIn = value.outcome === 'stale_if_error' && verdict !== 'revoked'
        if (verdict === undefined || standsIn) return asWaiter(value)
      }
    },
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
    const { served, kept } = await lookInShared(request, known, 'hit_shared')
    return served ?? fetchOnce(request, kept, signal)
  }

  async function lookInShared(
    request: CacheRequest,
    known: Entry | undefined,
    hit: 'hit_shared' | 'collapsed',
  ): Promise<{ served: Cached | undefined; kept: Entry | undefined }> {
    const found = await shared.get(request.key, request.span)
    // What cannot be judged is not served, nor kept for the time that GitHub fails.
    if (!found || !invalidations.informed) return { served: undefined, kept: known }
    remember(request.key, found)
    const served = serve(found, judged(found, request), hit, request)
    if (served && hit === 'collapsed') followed += 1
    return { served, kept: newer(found, known) }
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
        const { served } = await lookInShared(request, kept, 'collapsed')
        if (served) return served
        if (lease !== 'held') return await fill(request, kept, signal, 'interactive')
      } finally {
        if (lease !== 'held') await lease.release()
      }
      state = await leases.wait(request.key, signal)
      signal.throwIfAborted()
      const { served } = await lookInShared(request, kept, 'collapsed')
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
      const found = await shared.get(request.key, request.span)
      if (
        found &&
        found.asOf > kept.asOf &&
        invalidations.informed &&
        judged(found, request) === 'fresh'
      ) {
        remember(request.key, found)
        return found.kind === 'answer' ? { entry: found, outcome: 'hit_shared' } : asStale
      }
      return await fill(request, kept, signal, 'background')
    } finally {
      if (lease !== 'unavailable') await lease.release()
    }
  }

  async function fill(
    request: CacheRequest,
    kept: Entry | undefined,
    signal: AbortSignal,
    urgency: Urgency,
  ): Promise<Cached> {
    const asOf = now()
    try {
      const loaded = await request.load(signal, urgency)
      const times = answerTimes(asOf, loaded.policy, loaded.visibility, options.random)
      const { contextId, body } = loaded
      const entry: AnswerEntry = {
        kind: 'answer',
        contextId,
        body,
        tags: tagsOf(request, loaded),
        ...times,
      }
      if (relied(kept) && !invalidations.verdict(kept) && !kept.body.equals(body))
        told?.untold(kept)
      await write(request.key, entry)
      return { entry, outcome: outcomeOf(request, kept, loaded) }
    } catch (error) {
      if (isRefusal(error)) await remove(request, kept, error)
      // Behind a stale answer nobody needs a stand-in, and the failure should be told.
      const instead =
        isFailure(error) && urgency === 'interactive' ? await standIn(kept, request) : undefined
      if (!instead) throw error
      return { entry: instead, outcome: 'stale_if_error', failure: error as ServiceError }
    }
  }

  /** GitHub's refusal takes the principal's answer away everywhere, and stands in its place for a moment. */
  async function remove(
    request: CacheRequest,
    kept: Entry | undefined,
    error: ServiceError,
  ): Promise<void> {
    // As of now, not of when it was asked for: it ends whatever was fetched meanwhile.
    const asOf = now()
    await write(request.key, {
      kind: 'refusal',
      error,
      tags: [],
      ...refusalTimes(asOf, options.random),
    })
    const gone =
      error.code === 'upstream_auth'
        ? [request.principalTag]
        : kept?.kind === 'answer'
          ? [answerTag(request)]
          : []
    if (error.code !== 'upstream_auth' && kept?.kind === 'answer') publicity.lost(kept)
    await invalidations.mark('revoked', gone)
  }

  /** What may be served although GitHub fails: never more than the caller's own `max_age`. */
  async function standIn(
    kept: Entry | undefined,
    request: CacheRequest,
  ): Promise<AnswerEntry | undefined> {
    if (request.maxAge !== undefined) return undefined
    const latest = newer(memory.get(request.key), kept)
    if (latest?.kind !== 'answer') return undefined
    const needed = standInOf(latest, now())
    if (needed === 'no') return undefined
    if (needed !== 'yes' && !(await publicity.permits(latest, needed))) return undefined
    // Meanwhile it may have been refused, or revoked.
    if ((memory.get(request.key) ?? latest).kind === 'refusal') return undefined
    return invalidations.verdict(latest) === 'revoked' ? undefined : latest
  }

  async function write(key: string, entry: Entry): Promise<void> {
    remember(key, entry)
    await shared.set(key, entry)
  }

  /** A slow fetch must not undo what GitHub said since. */
  function remember(key: string, entry: Entry): void {
    const known = memory.get(key)
    if (!known || known.asOf <= entry.asOf) memory.set(key, entry)
  }
}

const never = () => false

const relied = (kept: Entry | undefined): kept is AnswerEntry =>
  kept?.kind === 'answer' && kept.told !== undefined
