import type { ServiceError } from '../core/errors.ts'
import type { Urgency } from '../core/github.ts'
import type { AnswerEntry, Entry } from './entry.ts'
import { answerTimes, refusalTimes, standInOf } from './freshness.ts'
import type { Invalidations } from './invalidations.ts'
import type { MemoryStore } from './memory.ts'
import { isFailure, isRefusal } from './refusals.ts'
import { answerTag, type Cached, type CacheRequest, newer, outcomeOf, tagsOf } from './request.ts'
import type { Store } from './store.ts'

/** Who may read the repositories that answers are of, by GitHub's last word. */
export interface Publicity {
  /** Whether that lets an answer stand in that is too old for one of a private repository. */
  permits(entry: AnswerEntry, needed: 'unless_private' | 'if_public'): Promise<boolean>
  /** GitHub refused what it had given before. */
  lost(entry: AnswerEntry): void
}

export interface FillsOptions {
  readonly memory: MemoryStore
  /** Kept by all replicas together. */
  readonly shared: Store
  readonly invalidations: Invalidations
  readonly now: () => number
  readonly random: () => number
  readonly publicity: Publicity
  /** Told of an answer that relied on webhooks and has changed, though none came. */
  readonly untold: ((entry: AnswerEntry) => void) | undefined
}

/** What is kept, and by what GitHub says. */
export interface Fills {
  /**
   * Asks GitHub, and keeps what it says.
   * @param kept may stand in where GitHub fails and somebody waits
   * @throws ServiceError GitHub's refusal, which is remembered; its failure where nothing stands in
   */
  fill: (
    request: CacheRequest,
    kept: Entry | undefined,
    signal: AbortSignal,
    urgency: Urgency,
  ) => Promise<Cached>
  /** Keeps what another replica was told, just read from Redis, unless what is here is newer. */
  remember: (key: string, entry: Entry) => void
}

export function createFills(options: FillsOptions): Fills {
  const { invalidations, memory, now, publicity, shared, untold } = options

  return { fill, remember: (key, entry) => remember(key, entry, true) }

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
      if (relied(kept) && !invalidations.verdict(kept) && !kept.body.equals(body)) untold?.(kept)
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
    remember(key, entry, false)
    await shared.set(key, entry)
  }

  /** A slow fetch must not undo what GitHub said since. */
  function remember(key: string, entry: Entry, unpacked: boolean): void {
    const known = memory.get(key)
    if (!known || known.asOf <= entry.asOf) memory.set(key, entry, unpacked)
  }
}

const relied = (kept: Entry | undefined): kept is AnswerEntry =>
  kept?.kind === 'answer' && kept.told !== undefined
