import { abortable } from '../core/abortable.ts'
import { createCells } from '../core/cells.ts'
import type { Party } from '../core/party.ts'

/** Work that several callers wait for as one. */
interface Flight<T> {
  readonly promise: Promise<T>
  readonly startedAt: number
  readonly abort: AbortController
  readonly party: Party | undefined
  waiters: number
  over: boolean
}

export interface Joined<T> {
  readonly value: T
  /** Whether another caller had started it. */
  readonly collapsed: boolean
}

export interface Flights<T> {
  /**
   * Runs `work`, or waits for the run of the same key that began at `notBefore` or later. The work
   * is aborted only when its last waiter has left.
   * @param party who waits: those of the first, whom the others join
   * @throws what `work` throws, or the signal's reason
   */
  run(
    key: string,
    signal: AbortSignal,
    notBefore: number,
    work: Work<T>,
    party?: () => Party,
  ): Promise<Joined<T>>
  has(key: string): boolean
  readonly size: number
  /** Callers so far that waited for what another had started. */
  readonly joined: number
}

export type Work<T> = (signal: AbortSignal) => Promise<T>

export function createFlights<T>(now: () => number): Flights<T> {
  const flights = createCells<Flight<T>>()
  let joined = 0

  function start(key: string, work: Work<T>, party: Party | undefined): Flight<T> {
    const abort = new AbortController()
    const flight: Flight<T> = {
      abort,
      party,
      startedAt: now(),
      waiters: 0,
      over: false,
      promise: work(abort.signal).finally(() => {
        flight.over = true
        if (flights.get(key) === flight) flights.delete(key)
      }),
    }
    // Each waiter sees the failure through its own promise.
    flight.promise.catch(() => {})
    flights.set(key, flight)
    return flight
  }

  return {
    has: (key) => flights.has(key),
    get size() {
      return flights.size
    },
    get joined() {
      return joined
    },
    async run(key, signal, notBefore, work, party) {
      signal.throwIfAborted()
      const running = flights.get(key)
      const joins = running !== undefined && running.startedAt >= notBefore
      const flight = joins ? running : start(key, work, party?.())
      flight.waiters += 1
      if (joins) {
        joined += 1
        if (party) for (const name of party().names) flight.party?.add(name)
      }
      try {
        return { value: await abortable(flight.promise, signal), collapsed: joins }
      } finally {
        flight.waiters -= 1
        if (flight.waiters === 0 && !flight.over) {
          if (flights.get(key) === flight) flights.delete(key)
          flight.abort.abort()
        }
      }
    },
  }
}
