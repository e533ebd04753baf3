/** How long what becomes ready now waits for the event loop. */
export interface LoopDelay {
  /** Milliseconds since the loop's present turn began: whatever is handled now has waited as long. */
  turnAge(at: number): number
  /** Counts the turns. */
  readonly turn: number
}

/** Milliseconds. Turns that are shorter are not told apart. */
const EVERY = 20
/** Turns without a question after which nothing is measured, so that an idle process sleeps. */
const IDLE = 100

/**
 * Measures while it is asked. What is ready is handled between two rounds of timers, so that the time
 * since the last round is what the loop is behind: known at any moment, not only when it is over
 * (nodejs.org/learn, "The Node.js Event Loop").
 */
export function createLoopDelay(now: () => number = () => performance.now()): LoopDelay {
  let timer: NodeJS.Timeout | undefined
  let turnAt = 0
  let turn = 0
  let askedIn = 0

  function tick(): void {
    turnAt = now()
    turn += 1
    if (turn - askedIn < IDLE) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    turnAge(at) {
      if (!timer) {
        timer = setInterval(tick, EVERY).unref()
        turnAt = at
      }
      askedIn = turn
      return Math.max(0, at - turnAt - EVERY)
    },
    get turn() {
      return turn
    },
  }
}
