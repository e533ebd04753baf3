import type { Socket } from 'node:net'
import { createRoundRobin } from '../core/roundRobin.ts'

/** Decides when a connection is read again after its answer: who is answered asks again. */
export interface Intake {
  /** Counts a request that was read. @returns whether its connection should rest when it is answered */
  came(caller: string): boolean
  /** Leaves a connection unread until it is the caller's turn. */
  rest(caller: string, socket: Socket): void
  /** Connections that are not read for now, whether there is something to read or not. */
  readonly waiting: number
  /** Milliseconds that one more of the caller's would not be read, as far as that can be foreseen. */
  delayOf(caller: string): number
}

export interface IntakeOptions {
  /** Whether more than one caller is there: who is alone is read as it comes. */
  readonly isShared: () => boolean
  /** Whether the process ends: what is left unread would be lost. */
  readonly isDraining: () => boolean
  /** Milliseconds; of `performance` unless given. */
  readonly now?: () => number
}

/** Connections of one caller that a turn of the loop reads, and of those that rest. */
const MOST = 8
/** Milliseconds from one to the next, before that is known, and how much what was seen last says of it. */
const USUAL = 0.1
const WEIGHT = 0.1
/** As long it is taken for at most, in times of the usual one: a machine that stood still for a moment will go on. */
const STALLED = 3

/**
 * One turn of the loop reads every connection that has something to read (libuv, `uv__io_poll`), and
 * who comes meanwhile waits for that turn, be it of hundreds. So where a turn has read enough of one
 * caller's, the connections that it answers are left unread, and of these each of the next turns reads
 * a few, callers one after the other. Meanwhile the kernel holds what they send.
 */
export function createIntake(options: IntakeOptions): Intake {
  const { isDraining, isShared, now = () => performance.now() } = options
  const resting = createRoundRobin<Socket>()
  /** Requests of this turn, by caller. */
  const read = new Map<string, number>()
  let turnOpen = false
  /** What the last turn let be read, and when; undefined where none waited since. */
  let last: { readonly at: number; readonly count: number } | undefined
  let pace = USUAL

  function openTurn(): void {
    if (turnOpen) return
    turnOpen = true
    setImmediate(turn)
  }

  /** After what this turn read, before the next one reads (nodejs.org/learn, "The Node.js Event Loop"). */
  function turn(): void {
    turnOpen = false
    read.clear()
    const { waiting } = resting
    if (waiting === 0) {
      last = undefined
      return
    }
    const at = now()
    if (last) pace += WEIGHT * (Math.min((at - last.at) / last.count, STALLED * pace) - pace)
    const count = isDraining() || !isShared() ? waiting : Math.min(waiting, MOST)
    for (let done = 0; done < count; done += 1) resting.next()?.resume()
    last = { at, count }
    openTurn()
  }

  return {
    came(caller) {
      openTurn()
      const count = (read.get(caller) ?? 0) + 1
      read.set(caller, count)
      return (count > MOST || resting.has(caller)) && isShared() && !isDraining()
    },
    rest(caller, socket) {
      if (socket.destroyed) return
      socket.pause()
      resting.add(caller, socket)
      openTurn()
    },
    get waiting() {
      return resting.waiting
    },
    delayOf: (caller) => resting.ahead(caller) * pace,
  }
}
