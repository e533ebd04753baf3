import { ServiceError } from '../core/errors.ts'

/** A call that wants to go to GitHub. */
export interface Turn {
  /** Who it is for: callers take turns. */
  readonly caller: string
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
  readonly admit: () => void
  readonly refuse: (reason: unknown) => void
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

  function go(caller: string, line: Line): LeaveTurn {
    inFlight += 1
    line.inFlight += 1
    return () => {
      inFlight -= 1
      line.inFlight -= 1
      if (line.inFlight === 0 && !waiting.has(caller)) lines.delete(caller)
      serve()
    }
  }

  /** How many calls go while there is patience; without bound as long as that is not known. */
  function reachOf(line: Line): number {
    // They go in waves: one must have passed, and the next may be about to.
    if (line.went < connections) return Number.POSITIVE_INFINITY
    return (PATIENCE * (line.went + connections)) / (now() - line.since)
  }

  function noteGone(line: Line): void {
    line.went += 1
    const elapsed = now() - line.since
    if (elapsed < RECENT || line.went < 2 * connections) return
    line.since += elapsed / 2
    line.went /= 2
  }

  /** Those who came last, where they are too many. */
  function refuseBeyond(line: Line): void {
    const reach = reachOf(line)
    if (line.fresh.size <= reach) return
    for (const late of [...line.fresh].slice(Math.ceil(reach))) {
      refused += 1
      late.refuse(overloaded())
    }
  }

  function serve(): void {
    for (const [caller, line] of waiting) {
      if (!mayGo(line)) continue
      const isFresh = line.begun.size === 0
      const [next] = isFresh ? line.fresh : line.begun
      // To the end of the round.
      waiting.delete(caller)
      waiting.set(caller, line)
      next?.admit()
      if (isFresh) {
        noteGone(line)
        refuseBeyond(line)
      }
      if (inFlight >= connections) return
    }
  }

  function join(turn: Turn, line: Line): Promise<LeaveTurn> {
    const { begun, caller, signal } = turn
    const { promise, resolve, reject } = Promise.withResolvers<LeaveTurn>()
    const queue = begun ? line.begun : line.fresh
    const timer = setTimeout(() => {
      refused += 1
      waiter.refuse(overloaded())
    }, PATIENCE).unref()
    const onAbort = () => waiter.refuse(signal.reason)
    const waiter: Waiter = {
      since: now(),
      admit: () => {
        leave()
        resolve(go(caller, line))
      },
      refuse(reason) {
        leave()
        if (line.inFlight === 0 && !waiting.has(caller)) lines.delete(caller)
        reject(reason)
      },
    }
    function leave(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      queue.delete(waiter)
      queued -= 1
      if (line.begun.size + line.fresh.size === 0) waiting.delete(caller)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (line.fresh.size === 0) {
      line.since = now()
      line.went = 0
    }
    queue.add(waiter)
    queued += 1
    waiting.set(caller, line)
    return promise
  }

  return {
    enter(turn) {
      turn.signal.throwIfAborted()
      const { caller } = turn
      const line = lines.get(caller) ?? emptyLine()
      lines.set(caller, line)
      const mine = line.begun.size + line.fresh.size
      if (mine === 0 && mayGo(line)) return go(caller, line)
      const [oldest] = line.fresh
      const isStanding = oldest && now() - oldest.since > STANDING
      if (!turn.begun && (isStanding || line.fresh.size >= reachOf(line))) {
        refused += 1
        throw overloaded()
      }
      return join(turn, line)
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
