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
  /** Requests of the caller that are in work or wait for it. */
  readonly begun: (caller: string) => number
  /** Milliseconds; of `performance` unless given. */
  readonly now?: () => number
  /** Milliseconds in which the loop had nothing to do, so far; of `performance` unless given. */
  readonly idle?: () => number
}

/** Connections of one caller that a turn of the loop reads, and of those that rest. */
const MOST = 8
/**
 * What a caller may have begun while the process has no time to spare: what waits inside for hundreds of
 * milliseconds is copied by every collection of what is young, which everybody waits for.
 */
const BEGUN = 16
/** Of those that rest for that reason: who comes then is told inside where it would wait in vain. */
const HELD = 512
/** Of the time since the last look, what the loop had nothing to do in, where there is time to spare. */
const SPARE = 0.9
/** Milliseconds that pass at most between two that are read. */
const PATIENCE = 5
/** Milliseconds until it is looked again whether one may be read. */
const LOOK = 2
/** Milliseconds from one to the next, before that is known, and how much what was seen last says of it. */
const USUAL = 0.1
const WEIGHT = 0.1
/** As long it is taken for at most, in times of the usual one: a machine that stood still for a moment will go on. */
const STALLED = 3

/**
 * One turn of the loop reads every connection that has something to read (libuv, `uv__io_poll`), and
 * who comes meanwhile waits for that turn, be it of hundreds. So where a turn has read enough of one
 * caller's, the connections that it answers are left unread, and of these each of the next turns reads
 * a few, callers one after the other. Meanwhile the kernel holds what they send. So it does where a caller
 * has begun much already and the process has no time to spare: what is begun then ends no sooner. Where
 * there is time, as when GitHub is slow, all is read.
 */
export function createIntake(options: IntakeOptions): Intake {
  const { begun, isDraining, isShared } = options
  const { idle = () => performance.nodeTiming.idleTime, now = () => performance.now() } = options
  const resting = createRoundRobin<Socket>()
  /** Requests of this turn, by caller. */
  let read = new Map<string, number>()
  let turnOpen = false
  /** Looks again where nothing could be read. */
  let look: NodeJS.Timeout | undefined
  /** When something that rested was read. */
  let readAt = 0
  /** When it was last looked, and how long the loop had had nothing to do by then. */
  let lookAt = 0
  let idleAt = 0
  /** What the last turn let be read, and when; undefined where the loop was not what it waited for. */
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
    // A map that is cleared holds on to its former tables: see `createQueue`.
    if (read.size > 0) read = new Map()
    const at = now()
    const count = readAgain(at)
    if (count > 0) readAt = at
    // Where few were read though more wait, they wait for what their caller has begun, and not for the loop.
    if (count === 0 || (count < MOST && resting.waiting > 0)) last = undefined
    else {
      if (last) pace += WEIGHT * (Math.min((at - last.at) / last.count, STALLED * pace) - pace)
      last = { at, count }
    }
    if (count > 0) openTurn()
    else if (resting.waiting > 0) lookLater()
  }

  /** Turns without an end would take the time that they wait for. */
  function lookLater(): void {
    look = look?.refresh() ?? setTimeout(openTurn, LOOK).unref()
  }

  function readAgain(at: number): number {
    const { waiting } = resting
    if (waiting === 0) return 0
    if (isDraining() || !isShared()) return resume(waiting)
    const count = resume(Math.min(waiting, MOST), mayBegin)
    if (count > 0) return count
    return hasTime(at) || at - readAt > PATIENCE ? resume(1) : 0
  }

  function hasTime(at: number): boolean {
    const elapsed = at - lookAt
    if (elapsed < LOOK) return false
    const before = idleAt
    lookAt = at
    idleAt = idle()
    return idleAt - before > SPARE * elapsed
  }

  function resume(most: number, may?: (caller: string) => boolean): number {
    for (let count = 0; count < most; count += 1) {
      const socket = resting.next(may)
      if (!socket) return count
      socket.resume()
    }
    return most
  }

  function mayBegin(caller: string): boolean {
    return begun(caller) < BEGUN || resting.waitingOf(caller) > HELD
  }

  return {
    came(caller) {
      openTurn()
      const count = (read.get(caller) ?? 0) + 1
      read.set(caller, count)
      if (!isShared() || isDraining()) return false
      return count > MOST || resting.waitingOf(caller) > 0 || !mayBegin(caller)
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
