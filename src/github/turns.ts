import { ServiceError } from '../core/errors.ts'
import type { Party } from '../core/party.ts'
import { createQueue, type Queue } from '../core/queue.ts'
import { createRoster } from '../core/roster.ts'

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
/** Of the places, what is kept for callers that have fewer than these. */
const RESERVED = 1 / 8

interface Waiter {
  readonly since: number
  /** By the turn of this caller. */
  readonly admit: (name: string) => void
  /** This caller's line has no room for it. */
  readonly drop: (name: string) => void
}

interface Line {
  readonly name: string
  inFlight: number
  /** In the order of arrival. */
  readonly waiters: Queue<Waiter>
  /** Since when there are some of these, and how many of them went since. */
  since: number
  went: number
  /** Takes it out of the round, where it is as long as there are some. */
  leaveRound: () => boolean
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
  const lines = createRoster(emptyLine, isIdle)
  /** Those in which somebody waits, in the order of their next turns. */
  const round = createQueue<Line>()
  const reserved = Math.floor(places * RESERVED)
  let inFlight = 0
  let queued = 0
  let refused = 0

  /**
   * Who has few need not wait for one more: an answer is made of several calls. The last place is for
   * who has none.
   */
  function mayGo({ inFlight: own }: Line): boolean {
    const kept = own === 0 ? 0 : own < reserved ? 1 : reserved
    return inFlight < places - kept
  }

  function go(line: Line): LeaveTurn {
    inFlight += 1
    line.inFlight += 1
    return () => {
      inFlight -= 1
      line.inFlight -= 1
      serve()
    }
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
  function refuseBeyond(line: Line): void {
    if (!foresight) return
    const reach = reachOf(line)
    if (line.waiters.size() <= reach) return
    for (const late of [...line.waiters].slice(Math.ceil(reach))) late.drop(line.name)
  }

  function serve(): void {
    for (let line = nextLine(); line; line = nextLine()) {
      line.leaveRound()
      line.leaveRound = round.add(line)
      line.waiters.first()?.admit(line.name)
      noteGone(line)
      refuseBeyond(line)
    }
  }

  function nextLine(): Line | undefined {
    if (inFlight >= places) return undefined
    const first = round.first()
    if (!first || mayGo(first)) return first
    for (const line of round) if (mayGo(line)) return line
    return undefined
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
        const line = lines.of(name)
        leave(() => resolve(go(line)))
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
      const line = lines.of(name)
      if (line.waiters.size() === 0) {
        line.since = now()
        line.went = 0
        line.leaveRound = round.add(line)
      }
      stands.set(name, { line, leave: line.waiters.add(waiter) })
    }
    function leaveLine(name: string): void {
      const stand = stands.get(name)
      if (!stand) return
      const { line } = stand
      stands.delete(name)
      stand.leave()
      if (line.waiters.size() === 0) line.leaveRound()
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
      const line = lines.of(name)
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
        const line = lines.of(name)
        if (line.waiters.size() === 0 && mayGo(line)) return go(line)
      }
      const open = names.filter((name) => hasRoom(lines.of(name)))
      if (open.length === 0) {
        refused += 1
        throw overloaded()
      }
      return join(turn, open)
    },
    stats: () => ({ inFlight, waiting: queued, refused }),
  }
}

const emptyLine = (name: string): Line => ({
  name,
  inFlight: 0,
  waiters: createQueue(),
  since: 0,
  went: 0,
  leaveRound: () => false,
})

const isIdle = ({ inFlight, waiters }: Line) => inFlight === 0 && waiters.size() === 0

function overloaded(): ServiceError {
  return new ServiceError(
    'overloaded',
    'Too many of your requests wait for GitHub. Retry after 1 s, with fewer at once.',
    { retryAfter: 1 },
  )
}
