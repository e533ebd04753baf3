/** What each caller has had lately of something that all of them share. */
export interface Shares {
  count(caller: string, at: number): void
  /**
   * Whether the caller has had an even part of `whole`, of which there is one for each caller and one
   * for who comes next. Never who is the only one.
   */
  isOver(caller: string, whole: number, at: number): boolean
}

/** Milliseconds for which another caller counts as being there: some ask once in a while. */
const MEMORY = 3_600_000

/**
 * @param span milliseconds that "lately" is; of the span before the running one as much counts as would
 * still lie within so many
 */
export function createShares(span: number): Shares {
  const seen = new Map<string, number>()
  let since = 0
  let running = new Map<string, number>()
  let before = new Map<string, number>()

  function advance(at: number): void {
    const passed = at - since
    if (passed < span) return
    before = passed < 2 * span ? running : new Map()
    running = new Map()
    since = Math.floor(at / span) * span
    for (const [caller, last] of seen) if (at - last > MEMORY) seen.delete(caller)
  }

  function had(caller: string, at: number): number {
    const rest = Math.max(0, 1 - (at - since) / span)
    return (running.get(caller) ?? 0) + rest * (before.get(caller) ?? 0)
  }

  return {
    count(caller, at) {
      advance(at)
      running.set(caller, (running.get(caller) ?? 0) + 1)
      seen.set(caller, at)
    },
    isOver(caller, whole, at) {
      advance(at)
      const isAlone = seen.size === Number(seen.has(caller))
      if (isAlone) return false
      const parts = new Set([...running.keys(), ...before.keys()]).size + 1
      return had(caller, at) >= whole / parts
    },
  }
}
