/** What callers wait for, each in a line of its own; the lines take turns. */
export interface RoundRobin<T> {
  add(caller: string, item: T): void
  /** The first of the next line, which then waits for the others. */
  next(): T | undefined
  has(caller: string): boolean
  readonly waiting: number
  /** How many come before one more of this caller. */
  ahead(caller: string): number
}

/** One more caller costs each of the others one place, one more item of the same caller nothing (RFC 970). */
export function createRoundRobin<T>(): RoundRobin<T> {
  /** In the order of their next turns. */
  const lines = new Map<string, T[]>()
  let waiting = 0

  return {
    add(caller, item) {
      const line = lines.get(caller)
      if (line) line.push(item)
      else lines.set(caller, [item])
      waiting += 1
    },
    next() {
      for (const [caller, line] of lines) {
        const item = line.shift()
        waiting -= 1
        lines.delete(caller)
        if (line.length > 0) lines.set(caller, line)
        return item
      }
      return undefined
    },
    has: (caller) => lines.has(caller),
    get waiting() {
      return waiting
    },
    ahead(caller) {
      const own = lines.get(caller)?.length ?? 0
      // Each of the others has as many turns before it, where they want as many.
      const others = lines.size - (own > 0 ? 1 : 0)
      return Math.min(waiting, own + others * (own + 1))
    },
  }
}
