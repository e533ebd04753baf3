import type { LoopDelay } from '../core/loopDelay.ts'

export interface AdmissionOptions {
  readonly loop: LoopDelay
  /** Requests in work at most. */
  readonly maxConcurrent: number
  /** Milliseconds that the event loop may be behind before requests are refused. */
  readonly maxDelay: number
  /** Milliseconds, monotonic. */
  readonly clock?: () => number
}

/** What one caller has in work. */
export interface Place {
  leave(): void
}

/** Decides, as early as possible and for next to nothing, which requests are worth their work. */
export interface Admission {
  /** Whether a request of this caller is refused at the door, before anything is known of it. */
  isFull(caller: string): boolean
  /** A place for a request of this caller; undefined where it is refused. */
  enter(caller: string): Place | undefined
  stats(): AdmissionStats
}

export interface AdmissionStats {
  readonly inWork: number
  /** Refused since the start: because of the loop's delay, of requests in work, of a caller's share. */
  readonly shed: Readonly<Record<'delay' | 'concurrency' | 'share', number>>
}

/** Requests of one turn that are answered however long it takes: a pause is no overload. */
const FEW = 64
/**
 * What refusing may take of the time, or of the requests let in before, as a refusal costs at most a
 * fifth of an answer: without a bound, refusals would leave no time for work.
 */
const REFUSING = { time: 0.08, requests: 0.4 }
/** Callers remembered before those without work are forgotten. */
const MOST_IDLE = 256
/** How much one caller may have in work of what is free. */
const ALPHA = 2

interface Caller {
  inWork: number
  /** The last turn that it was seen in, and its requests of that turn. */
  turn: number
  seen: number
}

/**
 * By two measures. The loop's delay: past `maxDelay` requests are refused, for a small part of the
 * time at once, so that refusing costs no more than that part of the capacity, however many come; who
 * has had no more than a fair part of the turn is let in all the same. And
 * requests in work: a caller may have twice as many as are free, so that one alone fills two thirds
 * and leaves room for others (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory
 * packet switches", IEEE/ACM Transactions on Networking 6, 1998).
 */
export function createAdmission(options: AdmissionOptions): Admission {
  const { clock = () => performance.now(), loop, maxConcurrent, maxDelay } = options
  const callers = new Map<string, Caller>()
  const shed = { delay: 0, concurrency: 0, share: 0 }
  let inWork = 0
  let turn = -1
  /** Requests of this turn, and how many callers they are from. */
  let seen = 0
  let from = 0
  /** What of the turn's age is dealt with, and the requests let in since. */
  let dealtWith = 0
  let letIn = 0
  /** The turn's age when refusing began, and the requests refused since. */
  let refusingSince = 0
  let refused = 0

  function beginTurn(): void {
    if (loop.turn === turn) return
    if (callers.size > MOST_IDLE) forgetIdle()
    turn = loop.turn
    seen = 0
    from = 0
    beginAt(0)
  }

  function beginAt(age: number): void {
    dealtWith = age
    letIn = 0
    refusingSince = 0
    refused = 0
  }

  function isLate(caller: Caller): boolean {
    const age = loop.turnAge(clock())
    const isModest = from > 1 && caller.seen * from <= seen
    if (isModest || letIn < FEW || age - dealtWith <= maxDelay) {
      letIn += 1
      return false
    }
    refusingSince ||= age
    const time = age - refusingSince < (refusingSince - dealtWith) * REFUSING.time
    if (time || refused < letIn * REFUSING.requests) {
      refused += 1
      return true
    }
    // What became ready in a long turn need not have waited for all of it.
    beginAt(age)
    letIn = 1
    return false
  }

  function callerOf(name: string): Caller {
    let caller = callers.get(name)
    if (!caller) {
      caller = { inWork: 0, turn: -1, seen: 0 }
      callers.set(name, caller)
    }
    return caller
  }

  function seenNow(caller: Caller): void {
    if (caller.turn !== turn) {
      caller.turn = turn
      caller.seen = 0
      from += 1
    }
    caller.seen += 1
    seen += 1
  }

  function refusal(caller: Caller): keyof typeof shed | undefined {
    if (inWork >= maxConcurrent) return 'concurrency'
    if (caller.inWork >= ALPHA * (maxConcurrent - inWork)) return 'share'
    return undefined
  }

  /** Not at once: who has had an answer in this turn may have had more than a share of it. */
  function forgetIdle(): void {
    for (const [name, caller] of callers) if (caller.inWork === 0) callers.delete(name)
  }

  return {
    isFull(name) {
      beginTurn()
      const caller = callerOf(name)
      seenNow(caller)
      if (!isLate(caller)) return false
      shed.delay += 1
      return true
    },
    enter(name) {
      const caller = callerOf(name)
      const reason = refusal(caller)
      if (reason) {
        shed[reason] += 1
        return undefined
      }
      inWork += 1
      caller.inWork += 1
      let held = true
      return {
        leave() {
          if (!held) return
          held = false
          inWork -= 1
          caller.inWork -= 1
        },
      }
    },
    stats: () => ({ inWork, shed: { ...shed } }),
  }
}
