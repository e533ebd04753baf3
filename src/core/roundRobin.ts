import { createQueue } from './queue.ts'
import { createRoster } from './roster.ts'

/** What callers wait for, each in a line of its own; the lines take turns. */
export interface RoundRobin<T> {
  add(caller: string, item: T): void
  /**
   * The first of the next line, which then waits for the others.
   * @param may whose turn it may be; anybody's unless given
   */
  next(may?: (caller: string) => boolean): T | undefined
  readonly waiting: number
  /** How many of the caller's wait. */
  waitingOf(caller: string): number
  /** How many come before one more of this caller. */
  ahead(caller: string): number
}

interface Line<T> {
  readonly caller: string
  readonly items: T[]
  /** Takes it out of the round, where it is as long as it has items. */
  leave: () => boolean
}

/** One more caller costs each of the others one place, one more item of the same caller nothing (RFC 970). */
export function createRoundRobin<T>(): RoundRobin<T> {
  const lines = createRoster<Line<T>>(
    (caller) => ({ caller, items: [], leave: () => false }),
    ({ items }) => items.length === 0,
  )
  /** In the order of their next turns. */
  const round = createQueue<Line<T>>()
  let waiting = 0

  const waitingOf = (caller: string) => lines.find(caller)?.items.length ?? 0

  function nextLine(may: ((caller: string) => boolean) | undefined): Line<T> | undefined {
    const first = round.first()
    if (!first || !may || may(first.caller)) return first
    for (const line of round) if (line !== first && may(line.caller)) return line
    return undefined
  }

  function toTheEnd(line: Line<T>): void {
    line.leave()
    if (line.items.length > 0) line.leave = round.add(line)
  }

  return {
    add(caller, item) {
      const line = lines.of(caller)
      if (line.items.length === 0) line.leave = round.add(line)
      line.items.push(item)
      waiting += 1
    },
    next(may) {
      const line = nextLine(may)
      if (!line) return undefined
      const item = line.items.shift()
      waiting -= 1
      if (line.items.length === 0 || round.size() > 1) toTheEnd(line)
      return item
    },
    get waiting() {
      return waiting
    },
    waitingOf,
    ahead(caller) {
      const own = waitingOf(caller)
      // Each of the others has as many turns before it, where they want as many.
      const others = round.size() - (own > 0 ? 1 : 0)
      return Math.min(waiting, own + others * (own + 1))
    },
  }
}
