/** Shares the event loop among callers. */
export interface FairLoop {
  /**
   * Calls `work`: now, where the caller has had little of this turn of the loop, or where nobody else
   * is there; else in a turn to come, callers one after the other.
   */
  run(caller: string, work: () => void): void
  /** The same for work of milliseconds: one piece in a turn is done at once, whoever's it is. */
  runHeavy(caller: string, work: () => void): void
  /** Pieces of work that wait. */
  readonly waiting: number
}

/** Milliseconds of a turn for what waited, at least; else as many as the rest of the turn took. */
const BUDGET = 2
/** Milliseconds of the rest that are too many, and how often more there are for what waited then. */
const FLOODED = 20
const SHARE = 6
/** Pieces that are begun in one turn at most. */
const MOST = 1_024
/** Light pieces of one caller that a turn does at once. */
const FREE = 4
/** Milliseconds for which another caller counts as being there. */
const CONTENDED = 1_000

/**
 * Requests that are ready at the same moment would be handled in one long turn, and who comes last
 * would wait for all of them. Here what is more than a caller's part of a turn is put off, and other
 * callers come first: round robin, each piece in an immediate of its own, after which the microtasks
 * that it leaves are done (nodejs.org/learn, "Understanding setImmediate").
 */
export function createFairLoop(now: () => number = () => performance.now()): FairLoop {
  /** In the order of their next turns. */
  const lines = new Map<string, (() => void)[]>()
  /** Pieces that callers had at once in this turn. */
  const had = new Map<string, number>()
  let heavy = 0
  let turnOpen = false
  let last = ''
  let changedAt = Number.NEGATIVE_INFINITY
  let waiting = 0
  let begun = 0
  /** When what waited began to be done in this turn, how long it may last, and when it last ended. */
  let batchAt: number | undefined
  let budget = BUDGET
  let endedAt: number | undefined

  function openTurn(): void {
    if (turnOpen) return
    turnOpen = true
    setImmediate(() => {
      turnOpen = false
      heavy = 0
      had.clear()
    })
  }

  function isAlone(caller: string): boolean {
    const at = now()
    if (caller !== last) {
      if (last !== '') changedAt = at
      last = caller
    }
    return at - changedAt > CONTENDED
  }

  function isDueNow(caller: string): boolean {
    if (isAlone(caller) && waiting === 0) return true
    if (lines.has(caller)) return false
    openTurn()
    const before = had.get(caller) ?? 0
    had.set(caller, before + 1)
    return before < FREE
  }

  function putOff(caller: string, work: () => void): void {
    const line = lines.get(caller)
    if (line) line.push(work)
    else lines.set(caller, [work])
    waiting += 1
    if (begun === 0) begin()
  }

  function begin(): void {
    begun = Math.min(MOST, waiting)
    batchAt = undefined
    for (let piece = 0; piece < begun; piece += 1) setImmediate(step)
  }

  function step(): void {
    begun -= 1
    const at = now()
    if (batchAt === undefined) {
      batchAt = at
      const rest = at - (endedAt ?? at)
      // Taking in ever more must not keep from answering what was taken in.
      budget = Math.max(BUDGET, rest < FLOODED ? rest : SHARE * rest)
    }
    try {
      if (at - batchAt < budget) next()?.()
    } finally {
      if (begun === 0) {
        endedAt = waiting > 0 ? now() : undefined
        if (waiting > 0) begin()
      }
    }
  }

  function next(): (() => void) | undefined {
    for (const [caller, line] of lines) {
      const work = line.shift()
      waiting -= 1
      lines.delete(caller)
      // To the end of the round.
      if (line.length > 0) lines.set(caller, line)
      return work
    }
    return undefined
  }

  return {
    run(caller, work) {
      if (isDueNow(caller)) work()
      else putOff(caller, work)
    },
    runHeavy(caller, work) {
      openTurn()
      heavy += 1
      if (heavy === 1 && waiting === 0) work()
      else putOff(caller, work)
    },
    get waiting() {
      return waiting
    },
  }
}
