import type { GuardedRedis } from './guarded.ts'

/** Milliseconds between comparisons with Redis' clock. */
const EVERY = 60_000

export interface FleetClock {
  /** Epoch milliseconds that replicas agree on: an answer's age is compared with events of other machines. */
  now(): number
  sync(): Promise<void>
  close(): void
}

/** This machine's clock, corrected by Redis' own (redis.io/docs/latest/commands/time). */
export function createFleetClock(redis: GuardedRedis, local: () => number): FleetClock {
  let offset = 0
  const timer = setInterval(() => void sync(), EVERY)
  timer.unref()

  async function sync(): Promise<void> {
    const sent = local()
    const time = await redis.try((client) => client.time())
    if (!time) return
    const [seconds, microseconds] = time as unknown as [number | string, number | string]
    const theirs = Number(seconds) * 1000 + Number(microseconds) / 1000
    const received = local()
    const difference = Math.round(theirs - (sent + received) / 2)
    // What may be the time that the answer took says nothing about the clocks.
    offset = Math.abs(difference) > (received - sent) / 2 + 1 ? difference : 0
  }

  return { now: () => local() + offset, sync, close: () => clearInterval(timer) }
}
