import { ServiceError } from '../core/errors.ts'
import type { Party } from '../core/party.ts'
import { createQueue, type Queue } from '../core/queue.ts'

/** Work that wants to begin: an answer that is read from GitHub, or one call to it. */
export interface Turn {
  /** Who it is for: callers take turns, and any of these gives it one. */
  readonly callers: Party
  readonly signal: AbortSignal
}

/** Gives back the place; may be called once. */
export type LeaveTurn = () => void

/** Lends so many places to callers by turns, however many one of them wants. */
export interface Turns {
  /**
   * A place: at once where one is free.
   * @throws ServiceError `overloaded` where the caller waits for too long; the signal's reason
   */
  enter(turn: Turn): Promise<LeaveTurn> | LeaveTurn
  stats(): TurnStats
}

export interface TurnStats {
  readonly inFlight: number
  readonly waiting: number
  /** Refused since the start. */
  readonly refused: number
}

export interface TurnOptions {
  readonly places: number
  /** Whether who would wait in vain is told so as soon as that is known: else all wait as long as there is patience. */
  readonly foresight: boolean
  /** Milliseconds. */
  readonly now: () => number
}

/** Milliseconds for which a caller's work may wait before no more of it is taken. */
const STANDING = 1_000
/** Milliseconds that one waits at most. */
const PATIENCE = 3_000
/** Milliseconds from which on what was seen before counts for half. */
const RECENT = 2_000
/** Of the places, what is lent only to callers that have none: they need not wait for one. */
const RESERVED = 1 / 8

interface Waiter {
  readonly since: number
  /** By the turn of this caller. */
  readonly admit: (name: string) => void
  /** This caller's line has no room for it. */
  readonly drop: (name: string) => void
}

interface Line {
  inFlight: number
  /** In the order of arrival. */
  readonly waiters: Queue<Waiter>
  /** Since when there are some of these, and how many of them went since. */
  since: number
  went: number
}

/** A waiter's place in one line. */
interface Stand {
  readonly line: Line
  readonly leave: () => boolean
}

/**
 * Deficit-free round robin over callers (Nagle, "On packet switches with infinite storage", RFC 970):
 * one more caller costs the others one turn, more work of the same caller nothing. Who would wait
 * for longer than there is patience is refused as soon as that can be told: at once, or in a burst
 * when the first have gone.
 */
export function createTurns({ foresight, now, places }: TurnOptions): Turns {
  /** Callers with work in flight or waiting; those who wait in the order of their next turns. */
  const lines = new Map<string, Line>()
  const waiting = new Map<string, Line>()
  const reserved = Math.floor(places * RESERVED)
  let inFlight = 0
  let queued = 0
  let refused = 0

  function mayGo({ inFlight: own }: Line): boolean {
    return inFlight < (own === 0 ? places : places - reserved)
  }

  const lineOf = (name: string) => lines.get(name) ?? emptyLine()

  function go(name: string, line: Line): LeaveTurn {
    lines.set(name, line)
    inFlight += 1
    line.inFlight += 1
    return () => {
      inFlight -= 1
      line.inFlight -= 1
      forgetIdle(name, line)
      serve()
    }
  }

  function forgetIdle(name: string, line: Line): void {
    if (line.inFlight === 0 && !waiting.has(name)) lines.delete(name)
  }

  /** How many go while there is patience; without bound as long as that is not known. */
  function reachOf(line: Line): number {
    // They go in waves: one must have passed, and the next may be about to.
    if (line.went < places) return Number.POSITIVE_INFINITY
    return (PATIENCE * (line.went + places)) / (now() - line.since)
  }

  /** Whether who comes now has a chance in this line. */
  function hasRoom(line: Line): boolean {
    if (!foresight) return true
    const oldest = line.waiters.first()
    const isStanding = oldest !== undefined && now() - oldest.since > STANDING
    return !isStanding && line.waiters.size() < reachOf(line)
  }

  function noteGone(line: Line): void {
    line.went += 1
    const elapsed = now() - line.since
    if (elapsed < RECENT || line.went < 2 * places) return
    line.since += elapsed / 2
    line.went /= 2
  }

  /** Those who came last, where they are too many. */
  function refuseBeyond(name: string, line: Line): void {
    if (!foresight) return
    const reach = reachOf(line)
    if (line.waiters.size() <= reach) return
    for (const late of [...line.waiters].slice(Math.ceil(reach))) late.drop(name)
  }

  function serve(): void {
    for (const [name, line] of waiting) {
      if (!mayGo(line)) continue
      const next = line.waiters.first()
      // To the end of the round.
      waiting.delete(name)
      waiting.set(name, line)
      next?.admit(name)
      noteGone(line)
      refuseBeyond(name, line)
      if (inFlight >= places) return
    }
  }

  /** Waits in the lines of all who wait for it: the first of them to have a turn gives it. */
  function join({ callers, signal }: Turn, names: readonly string[]): Promise<LeaveTurn> {
    const { promise, resolve, reject } = Promise.withResolvers<LeaveTurn>()
    /** In each line, by its caller. */
    const stands = new Map<string, Stand>()
    const timer = setTimeout(() => giveUp(overloaded()), PATIENCE).unref()
    const onAbort = () => leave(() => reject(signal.reason))
    const waiter: Waiter = {
      since: now(),
      admit(name) {
        const line = stands.get(name)?.line ?? lineOf(name)
        leave(() => resolve(go(name, line)))
      },
      drop(name) {
        if (stands.size === 1) giveUp(overloaded())
        else leaveLine(name)
      },
    }
    function giveUp(reason: unknown): void {
      refused += 1
      leave(() => reject(reason))
    }
    function stand(name: string): void {
      const line = lineOf(name)
      lines.set(name, line)
      if (line.waiters.size() === 0) {
        line.since = now()
        line.went = 0
      }
      stands.set(name, { line, leave: line.waiters.add(waiter) })
      waiting.set(name, line)
    }
    function leaveLine(name: string): void {
      const stand = stands.get(name)
      if (!stand) return
      const { line } = stand
      stands.delete(name)
      stand.leave()
      if (line.waiters.size() === 0) waiting.delete(name)
      forgetIdle(name, line)
    }
    function leave(settle: () => void): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      alone()
      for (const name of [...stands.keys()]) leaveLine(name)
      queued -= 1
      settle()
    }
    const alone = callers.onAdd((name) => {
      const line = lineOf(name)
      if (line.waiters.size() === 0 && mayGo(line)) waiter.admit(name)
      else if (hasRoom(line)) stand(name)
    })
    signal.addEventListener('abort', onAbort, { once: true })
    queued += 1
    for (const name of names) stand(name)
    return promise
  }

  return {
    enter(turn) {
      const { callers, signal } = turn
      signal.throwIfAborted()
      const { names } = callers
      for (const name of names) {
        const line = lineOf(name)
        if (line.waiters.size() === 0 && mayGo(line)) return go(name, line)
      }
      const open = names.filter((name) => hasRoom(lineOf(name)))
      if (open.length === 0) {
        refused += 1
        throw overloaded()
      }
      return join(turn, open)
    },
    stats: () => ({ inFlight, waiting: queued, refused }),
  }
}

const emptyLine = (): Line => ({
  inFlight: 0,
  waiters: createQueue(),
  since: 0,
  went: 0,
})

function overloaded(): ServiceError {
  return new ServiceError(
    'overloaded',
    'Too many of your requests wait for GitHub. Retry after 1 s, with fewer at once.',
    { retryAfter: 1 },
  )
}
