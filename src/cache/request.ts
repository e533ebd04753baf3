import type { ServiceError } from '../core/errors.ts'
import type { Urgency } from '../core/github.ts'
import type { Party } from '../core/party.ts'
import type { CachePolicy } from '../core/provider.ts'
import type { Span } from '../core/trace.ts'
import { redisKey } from '../redis/keys.ts'
import type { AnswerEntry, Entry } from './entry.ts'

/** How an answer came about; the names are those of the metric. */
export type Outcome =
  | 'hit'
  | 'hit_shared'
  | 'stale'
  | 'miss'
  | 'collapsed'
  | 'revalidated'
  | 'requested'
  | 'stale_if_error'

export interface Loaded {
  readonly body: Buffer
  readonly contextId: string
  readonly visibility: 'public' | 'private' | 'repository'
  readonly policy: CachePolicy
  /** Whether GitHub said of everything that it had not changed. */
  readonly unchanged: boolean
  /** What it depends on: events that name one of these make it stale or revoke it. */
  readonly tags: readonly string[]
}

export interface CacheRequest {
  /** Principal and canonical request. */
  readonly key: string
  /** Principal and what is asked for, whatever the budget: GitHub's refusal takes all of it away. */
  readonly subject: string
  /** Names every answer of the principal, for the moment in which its credential is refused. */
  readonly principalTag: string
  /** Seconds. */
  readonly maxAge: number | undefined
  readonly signal: () => AbortSignal
  /** What the search for it is part of, where it is traced. */
  readonly span?: Span | undefined
  /** Who waits for it; those who join the search later come to it. */
  readonly party?: () => Party
  readonly load: (signal: AbortSignal, urgency: Urgency) => Promise<Loaded>
}

export interface Cached {
  readonly entry: AnswerEntry
  readonly outcome: Outcome
  /** GitHub's failure that a kept answer stands in for. */
  readonly failure?: ServiceError
}

export function newer(left: Entry | undefined, right: Entry | undefined): Entry | undefined {
  if (!left || !right) return left ?? right
  return left.asOf >= right.asOf ? left : right
}

export function answerTag({ subject }: CacheRequest): string {
  return redisKey('subject', subject)
}

export function tagsOf(request: CacheRequest, { tags }: Loaded): readonly string[] {
  return [...tags, request.principalTag, answerTag(request)]
}

export function outcomeOf(
  { maxAge }: CacheRequest,
  kept: Entry | undefined,
  { unchanged }: Loaded,
): Outcome {
  if (maxAge !== undefined) return 'requested'
  return unchanged && kept?.kind === 'answer' ? 'revalidated' : 'miss'
}

/** A waiter made no call of its own; what it got from a fetch of another's is `collapsed`. */
export function asWaiter(cached: Cached): Cached {
  const fetched =
    cached.outcome === 'miss' || cached.outcome === 'revalidated' || cached.outcome === 'requested'
  return { ...cached, outcome: fetched ? 'collapsed' : cached.outcome }
}
