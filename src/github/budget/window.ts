import type { RateLimit } from '../limits.ts'

/** Milliseconds by which GitHub's words on the end of one window may differ: it sends whole seconds. */
export const SAME_WINDOW = 2_000

/** The budget while its window runs; what was left of a window that is over says nothing. */
export function current(known: RateLimit | undefined, at: number): RateLimit | undefined {
  return known && known.resetAt > at ? known : undefined
}

/**
 * What is known after another report. Answers arrive out of order: within a window the lowest count
 * is the latest, and of two windows the one that ends later.
 */
export function mergeWindow(
  known: RateLimit | undefined,
  seen: RateLimit | undefined,
  at: number,
): RateLimit | undefined {
  const before = current(known, at)
  const after = current(seen, at)
  if (!before || !after) return after ?? before
  if (after.resetAt > before.resetAt + SAME_WINDOW) return after
  if (after.resetAt < before.resetAt - SAME_WINDOW) return before
  return after.remaining < before.remaining ? { ...after, resetAt: before.resetAt } : before
}
