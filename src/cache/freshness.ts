import type { CachePolicy } from '../core/provider.ts'
import type { Entry, Times } from './entry.ts'

/** `fresh`: as good as new; `stale`: serve and refresh; `kept`: only if GitHub fails; `gone`: never. */
export type Freshness = 'fresh' | 'stale' | 'kept' | 'gone'

/** Seconds. How long an answer may stand in for GitHub, whatever its policy says. */
const KEPT_AT_MOST = { public: 86_400, private: 900 } as const
const REFUSAL_SECONDS = 10
const JITTER = 0.1

/**
 * The times of an answer fetched at `asOf`. Lifetimes are jittered by ±10 % so that what was filled
 * together does not expire together.
 */
export function answerTimes(
  asOf: number,
  policy: CachePolicy,
  visibility: 'public' | 'private',
  random: () => number,
): Times {
  const stretch = 1 + JITTER * (2 * random() - 1)
  const freshUntil = asOf + policy.freshFor * 1000 * stretch
  const staleUntil = freshUntil + policy.staleFor * 1000 * stretch
  const kept = Math.min(policy.keepFor, KEPT_AT_MOST[visibility])
  const keepUntil = Math.max(freshUntil, asOf + kept * 1000)
  return { asOf, freshUntil, staleUntil: Math.min(staleUntil, keepUntil), keepUntil }
}

export function refusalTimes(asOf: number, random: () => number): Times {
  const until = asOf + REFUSAL_SECONDS * 1000 * (1 + JITTER * (2 * random() - 1))
  return { asOf, freshUntil: until, staleUntil: until, keepUntil: until }
}

/** @param maxAge seconds; the caller's own bound on age, which turns an older answer into a kept one */
export function freshnessOf(entry: Entry, now: number, maxAge: number | undefined): Freshness {
  if (now >= entry.keepUntil) return 'gone'
  const tooOld = maxAge !== undefined && now - entry.asOf > maxAge * 1000
  if (tooOld || maxAge === 0) return 'kept'
  if (now < entry.freshUntil) return 'fresh'
  return now < entry.staleUntil ? 'stale' : 'kept'
}
