import { ServiceError } from '../../core/errors.ts'
import type { Urgency } from '../../core/github.ts'
import type { Budget, Purse } from './state.ts'
import { current } from './window.ts'

/** Of a window's calls, what is kept for callers who wait, and of these for who has had little. */
const KEPT = 0.2
/** The same of a minute's points. */
const KEPT_POINTS = 0.25
/** Milliseconds that a call waits for its turn at most. */
export const PATIENCE = 3_000
/** Of which some is left, when points come, to look for them and to ask. */
const POINTS_PATIENCE = 2_500
/** Seconds; GitHub's longest window. */
const LONGEST = 3_600

/** Why no call of this urgency may be sent, whatever is in hand; undefined where nothing forbids it. */
export function refusalOf(
  { closedUntil }: Purse,
  budget: Budget,
  urgency: Urgency,
  at: number,
): ServiceError | undefined {
  const window = current(budget.window, at)
  const usedUp = window?.remaining === 0 ? window.resetAt : 0
  const until = Math.max(closedUntil, budget.closedUntil, usedUp)
  if (until > at) return refusal("GitHub's rate limit for this credential is reached.", until, at)
  if (urgency === 'background' && window && window.remaining < KEPT * window.limit) {
    const kept = "What is left of GitHub's rate limit is kept for callers who wait."
    return refusal(kept, window.resetAt, at)
  }
  return undefined
}

/** Why what is left is not for this caller, who has had an even part of it while others were there. */
export function keptRefusal(
  purse: Purse,
  budget: Budget,
  caller: string | undefined,
  at: number,
): ServiceError | undefined {
  if (caller === undefined) return undefined
  const { left, most, points } = purse
  if (left + points < KEPT_POINTS * most && purse.shares.isOver(caller, purse.part, at)) {
    const kept = "What is left of this minute's calls to GitHub is kept for other callers."
    return refusal(kept, purse.moreAt, at)
  }
  const window = current(budget.window, at)
  if (!window || window.remaining - budget.inFlight >= KEPT * window.limit) return undefined
  const part = window.limit / Math.max(1, budget.replicas)
  if (!budget.shares.isOver(caller, part, at)) return undefined
  const kept = "What is left of GitHub's rate limit is kept for other callers."
  return refusal(kept, window.resetAt, at)
}

/** The points of this minute are used up, and more are too far off to wait for. */
export function pointsRefusal({ points, pointsAt }: Purse, at: number): ServiceError | undefined {
  return points === 0 && pointsAt > at + POINTS_PATIENCE
    ? refusal('This minute has had as many calls to GitHub as it may have.', pointsAt, at)
    : undefined
}

/** Nothing forbids the call, but its turn does not come. */
export function busy(at: number): ServiceError {
  return refusal('Too many calls to GitHub are under way for this credential.', at, at)
}

export function closing(): ServiceError {
  return new ServiceError('overloaded', 'This process is closing. Retry.', { retryAfter: 1 })
}

function refusal(reason: string, until: number, at: number): ServiceError {
  const retryAfter = Math.min(LONGEST, Math.max(1, Math.ceil((until - at) / 1000)))
  return new ServiceError('upstream_rate_limited', `${reason} Retry after ${retryAfter} s.`, {
    retryAfter,
  })
}
