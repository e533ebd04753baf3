import type { CachePolicy } from '../core/provider.ts'
import type { AnswerEntry, Entry, Times } from './entry.ts'
import type { Loaded } from './request.ts'

/** `fresh`: as good as new; `stale`: serve and refresh; `kept`: only if GitHub fails; `gone`: never. */
export type Freshness = 'fresh' | 'stale' | 'kept' | 'gone'

/**
 * What it takes for an answer to stand in for GitHub: nothing further, that GitHub did not call the
 * repository private since, that it called it public; `no`: it is too old.
 */
export type StandIn = 'yes' | 'unless_private' | 'if_public' | 'no'

/** Seconds. How long an answer may stand in for GitHub, whatever its policy says. */
const KEPT_AT_MOST = { public: 86_400, private: 900, repository: 900 } as const
const REFUSAL_SECONDS = 10
const JITTER = 0.1

/**
 * The times of an answer fetched at `asOf`. Lifetimes are jittered by ±10 % so that what was filled
 * together does not expire together.
 */
export function answerTimes(
  asOf: number,
  policy: CachePolicy,
  visibility: Loaded['visibility'],
  random: () => number,
): Times {
  const stretch = 1 + JITTER * (2 * random() - 1)
  const freshUntil = asOf + policy.freshFor * 1000 * stretch
  const staleUntil = freshUntil + policy.staleFor * 1000 * stretch
  const kept = Math.min(policy.keepFor, KEPT_AT_MOST[visibility])
  const keepUntil = Math.max(freshUntil, asOf + kept * 1000)
  const times = { asOf, freshUntil, staleUntil: Math.min(staleUntil, keepUntil), keepUntil }
  const open = visibility === 'repository' ? Math.min(policy.keepFor, KEPT_AT_MOST.public) : 0
  const { toldFor = 0 } = policy
  return {
    ...times,
    ...(open > kept && { openUntil: asOf + open * 1000 }),
    ...(toldFor > policy.freshFor && { told: (toldFor - policy.freshFor) * 1000 * stretch }),
  }
}

export function refusalTimes(asOf: number, random: () => number): Times {
  const until = asOf + REFUSAL_SECONDS * 1000 * (1 + JITTER * (2 * random() - 1))
  return { asOf, freshUntil: until, staleUntil: until, keepUntil: until }
}

/**
 * @param maxAge seconds; the caller's own bound on age, which turns an older answer into a kept one
 * @param isTold whether changes since then would be known by now; asked for only where it matters
 */
export function freshnessOf(
  entry: Entry,
  now: number,
  maxAge: number | undefined,
  isTold: (since: number) => boolean,
): Freshness {
  if (now >= entry.keepUntil) return 'gone'
  const tooOld = maxAge !== undefined && now - entry.asOf > maxAge * 1000
  if (tooOld || maxAge === 0) return 'kept'
  if (now < entry.freshUntil) return 'fresh'
  const spared = entry.told !== undefined && isTold(entry.asOf) ? entry.told : 0
  if (now < entry.freshUntil + spared) return 'fresh'
  return now < entry.staleUntil + spared ? 'stale' : 'kept'
}

export function standInOf({ asOf, keepUntil, openUntil = 0 }: AnswerEntry, now: number): StandIn {
  if (now < Math.min(keepUntil, asOf + KEPT_AT_MOST.private * 1000)) return 'yes'
  if (now < keepUntil) return 'unless_private'
  return now < openUntil ? 'if_public' : 'no'
}

/** When nothing may be made of it any more. */
export const endOf = ({ keepUntil, openUntil = 0 }: Times): number => Math.max(keepUntil, openUntil)
