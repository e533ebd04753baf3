import { ServiceError } from '../core/errors.ts'
import type { Party } from '../core/party.ts'

/** A call that wants to go to GitHub. */
export interface Turn {
  /** Who it is for: callers take turns, and any of these gives it one. */
  readonly callers: Party
  /** Whether the answer that it is for has had calls already: they would be in vain without this one. */
  readonly begun: boolean
  readonly signal: AbortSignal
}

/** Gives back the connection; may be called once. */
export type LeaveTurn = () => void

/** Lends the connections to GitHub to callers by turns, however many calls one of them wants. */
export interface Turns {
  /**
   * A connection: at once where one is free.
   * @throws ServiceError `overloaded` where the caller's calls wait for too long; the signal's reason
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
  readonly connections: number
  /** Milliseconds. */
  readonly now: () => number
}

/** Milliseconds for which a caller's calls may wait before no more of them are taken. */
const STANDING = 1_000
/** Milliseconds that one call waits at most. */
const PATIENCE = 3_000
/** Milliseconds from which on what was seen before counts for half. */
const RECENT = 2_000
/** Of the connections, what is lent only to callers that have none: they need not wait for one. */
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
  readonly begun: Set<Waiter>
  readonly fresh: Set<Waiter>
  /** Since when there are some of these, and how many of them went since. */
  since: number
  went: number
}

/**
 * Deficit-free round robin over callers (Nagle, "On packet switches with infinite storage", RFC 970):
 * one more caller costs the others one turn, one more call of the same caller nothing. Who would wait
 * for longer than there is patience is refused as soon as that can be told: at once, or in a burst
 * when the first have gone.
 */
export function createTurns({ connections, now }: TurnOptions): Turns {
  /** Callers with calls in flight or waiting; those who wait in the order of their next turns. */
  const lines = new Map<string, Line>()
  const waiting = new Map<string, Line>()
  const reserved = Math.floor(connections * RESERVED)
  let inFlight = 0
  let queued = 0
  let refused = 0

  function mayGo({ inFlight: own }: Line): boolean {
    return inFlight < (own === 0 ? connections : connections - reserved)
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

  /** How many calls go while there is patience; without bound as long as that is not known. */
  function reachOf(line: Line): number {
    // They go in waves: one must have passed, and the next may be about to.
    if (line.went < connections) return Number.POSITIVE_INFINITY
    return (PATIENCE * (line.went + connections)) / (now() - line.since)
  }

  /** Whether a call that comes now has a chance in this line. */
  function hasRoom(line: Line, begun: boolean): boolean {
    if (begun) return true
    const [oldest] = line.fresh
    const isStanding = oldest !== undefined && now() - oldest.since > STANDING
    return !isStanding && line.fresh.size < reachOf(line)
  }

  function noteGone(line: Line): void {
    line.went += 1
    const elapsed = now() - line.since
    if (elapsed < RECENT || line.went < 2 * connections) return
    line.since += elapsed / 2
    line.went /= 2
  }

  /** Those who came last, where they are too many. */
  function refuseBeyond(name: string, line: Line): void {
    const reach = reachOf(line)
    if (line.fresh.size <= reach) return
    for (const late of [...line.fresh].slice(Math.ceil(reach))) late.drop(name)
  }

  function serve(): void {
    for (const [name, line] of waiting) {
      if (!mayGo(line)) continue
      const isFresh = line.begun.size === 0
      const [next] = isFresh ? line.fresh : line.begun
      // To the end of the round.
      waiting.delete(name)
      waiting.set(name, line)
      next?.admit(name)
      if (isFresh) {
        noteGone(line)
        refuseBeyond(name, line)
      }
      if (inFlight >= connections) return
    }
  }

  /** Waits in the lines of all who wait for it: the first of them to have a turn gives it. */
  function join({ begun, callers, signal }: Turn, names: readonly string[]): Promise<LeaveTurn> {
    const { promise, resolve, reject } = Promise.withResolvers<LeaveTurn>()
    const places = new Map<string, Line>()
    const queueOf = (line: Line) => (begun ? line.begun : line.fresh)
    const timer = setTimeout(() => giveUp(overloaded()), PATIENCE).unref()
    const onAbort = () => leave(() => reject(signal.reason))
    const waiter: Waiter = {
      since: now(),
      admit(name) {
        const line = places.get(name) ?? lineOf(name)
        leave(() => resolve(go(name, line)))
      },
      drop(name) {
        if (places.size === 1) giveUp(overloaded())
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
      if (line.fresh.size === 0) {
        line.since = now()
        line.went = 0
      }
      places.set(name, line)
      queueOf(line).add(waiter)
      waiting.set(name, line)
    }
    function leaveLine(name: string): void {
      const line = places.get(name)
      if (!line) return
      places.delete(name)
      queueOf(line).delete(waiter)
      if (line.begun.size + line.fresh.size === 0) waiting.delete(name)
      forgetIdle(name, line)
    }
    function leave(settle: () => void): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      alone()
      for (const name of [...places.keys()]) leaveLine(name)
      queued -= 1
      settle()
    }
    const alone = callers.onAdd((name) => {
      const line = lineOf(name)
      const isFirst = line.begun.size + line.fresh.size === 0
      if (isFirst && mayGo(line)) waiter.admit(name)
      else if (hasRoom(line, begun)) stand(name)
    })
    signal.addEventListener('abort', onAbort, { once: true })
    queued += 1
    for (const name of names) stand(name)
    return promise
  }

  return {
    enter(turn) {
      const { begun, callers, signal } = turn
      signal.throwIfAborted()
      const { names } = callers
      for (const name of names) {
        const line = lineOf(name)
        if (line.begun.size + line.fresh.size === 0 && mayGo(line)) return go(name, line)
      }
      const open = names.filter((name) => hasRoom(lineOf(name), begun))
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
  begun: new Set(),
  fresh: new Set(),
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
