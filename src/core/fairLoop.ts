import { createRoundRobin } from './roundRobin.ts'

/** Shares the event loop among callers. */
export interface FairLoop {
  /**
   * Calls `work`: now, where the caller has had little of this turn of the loop, or where nobody else
   * is there; else in a turn to come, callers one after the other.
   */
  run(caller: string, work: () => void): void
  /** The same for work of milliseconds, which always waits for the next turn: what is quick goes first. */
  runHeavy(caller: string, work: () => void): void
  /** Keeps this turn and the next ones short: somebody else waits at the loop's door. */
  hurry(): void
  /** Pieces of work that wait. */
  readonly waiting: number
  /** Of the caller's. */
  waitingOf(caller: string): number
  /** Milliseconds that one more piece of the caller would wait, as far as that can be foreseen. */
  delayOf(caller: string): number
  /** Whether there was more than one caller just now. */
  readonly shared: boolean
}

/** Milliseconds of a turn in which who is alone is served at once. */
const SPELL = 10
/** Milliseconds of a turn for what waited, at least; else as many as the rest of the turn took. */
const BUDGET = 2
/** Both where others are there or may be, and for how many milliseconds a hurry lasts. */
const SHORT = 0.5
const HURRY = 20
/**
 * Milliseconds of the rest that are too many, where they are more than answers bring with them: who
 * is answered asks again. And how often more there are for what waited then.
 */
const FLOODED = 20
const AGAIN = 0.55
const SHARE = 6
/** Milliseconds that a piece takes, before that is known, and how much what was seen last says of it. */
const USUAL = 0.1
const WEIGHT = 0.25
/** As long a piece is taken for at most, in times of the usual one: a machine that stood still for a moment will go on. */
const STALLED = 3
/** Pieces that are begun in one turn at most. */
const MOST = 1_024
/**
 * Of that, how many for each that the last turn did, where it had time for all that were begun and where
 * it had not, and how many more. One for which there is no time is begun for nothing.
 */
const AFTER_ALL = { each: 4, more: 16 }
const AFTER_SOME = { each: 1.25, more: 1 }
/** Light pieces of one caller that a turn does at once. */
const FREE = 4
/** Milliseconds for which another caller counts as being there. */
const CONTENDED = 1_000

/**
 * Requests that are ready at the same moment would be handled in one long turn, and who comes last
 * would wait for all of them. Here what is more than a caller's part of a turn is put off, and other
 * callers come first: round robin, each piece in an immediate of its own, after which the microtasks
 * that it leaves are done (nodejs.org/learn, "Understanding setImmediate"). Turns stay short that
 * way, also where one caller is alone: the loop accepts one connection in a turn, and what waits is
 * known by its number, so that a surplus can be refused when it comes.
 */
export function createFairLoop(now: () => number = () => performance.now()): FairLoop {
  const lines = createRoundRobin<() => void>()
  /** Pieces that callers had at once in this turn. */
  let had = new Map<string, number>()
  let turnOpen = false
  /** When work of this turn began. */
  let turnAt = 0
  let last = ''
  let changedAt = Number.NEGATIVE_INFINITY
  let begun = 0
  /** Pieces of this turn, begun or done. */
  let tried = 0
  /** When what waited began to be done in this turn, how long it may last, lasted, and when it ended. */
  let batchAt: number | undefined
  let budget = BUDGET
  let batch = 0
  let done = 0
  let endedAt: number | undefined
  /** Milliseconds between two pieces that wait. */
  let pace = USUAL
  let hurriedAt = Number.NEGATIVE_INFINITY

  function openTurn(at: number): void {
    if (turnOpen) return
    turnOpen = true
    turnAt = at
    setImmediate(() => {
      turnOpen = false
      // A map that is cleared holds on to its former tables: see `createQueue`.
      if (had.size > 0) had = new Map()
    })
  }

  function isAlone(caller: string, at: number): boolean {
    if (caller !== last) {
      if (last !== '') changedAt = at
      last = caller
    }
    return !isShared(at)
  }

  function isDueNow(caller: string): boolean {
    const at = now()
    openTurn(at)
    const alone = isAlone(caller, at)
    if (lines.waitingOf(caller) > 0) return false
    if (alone && lines.waiting === 0) return at - turnAt < (at - hurriedAt < HURRY ? SHORT : SPELL)
    const before = had.get(caller) ?? 0
    had.set(caller, before + 1)
    return before < FREE
  }

  function putOff(caller: string, work: () => void): void {
    lines.add(caller, work)
    if (begun === 0) begin()
  }

  function begin(): void {
    const { each, more } = done < tried ? AFTER_SOME : AFTER_ALL
    tried = Math.min(MOST, lines.waiting, Math.ceil(each * done) + more)
    begun = tried
    batchAt = undefined
    done = 0
    for (let piece = 0; piece < tried; piece += 1) setImmediate(step)
  }

  function step(): void {
    begun -= 1
    const at = now()
    if (batchAt === undefined) {
      batchAt = at
      budget = budgetAt(at)
    }
    try {
      if (at - batchAt < budget) next()
    } finally {
      if (begun === 0) end(batchAt)
    }
  }

  function budgetAt(at: number): number {
    const rest = at - (endedAt ?? at)
    // Taking in ever more must not keep from answering what was taken in.
    if (rest >= FLOODED && rest > AGAIN * batch) return SHARE * rest
    const others = at - hurriedAt < HURRY || isShared(at)
    return Math.max(others ? SHORT : BUDGET, rest)
  }

  function end(since: number): void {
    const at = now()
    // Where some are left over, the rest of the turn is part of what they wait for.
    batch = at - since
    const { waiting } = lines
    const from = waiting > 0 ? (endedAt ?? since) : since
    pace += WEIGHT * (Math.min((at - from) / done, STALLED * pace) - pace)
    endedAt = waiting > 0 ? at : undefined
    if (waiting > 0) begin()
  }

  function next(): void {
    const work = lines.next()
    if (!work) return
    done += 1
    work()
  }

  const isShared = (at: number) => at - changedAt < CONTENDED

  return {
    run(caller, work) {
      if (isDueNow(caller)) work()
      else putOff(caller, work)
    },
    runHeavy(caller, work) {
      // Immediates of this turn go first: undici sends a call over a connection that rested in one of them.
      setImmediate(putOff, caller, work)
    },
    hurry() {
      hurriedAt = now()
    },
    get waiting() {
      return lines.waiting
    },
    waitingOf: lines.waitingOf,
    delayOf: (caller) => lines.ahead(caller) * pace,
    get shared() {
      return isShared(now())
    },
  }
}
