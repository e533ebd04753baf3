import type { Bus } from '../redis/bus.ts'
import type { Invalidations } from './invalidations.ts'

/** Whether events of other replicas really reach this one. */
export interface Hearing {
  /** Whether whatever was told since then, by any replica, is known here, but for the last seconds. */
  since(at: number): boolean
  close(): void
}

const CHANNEL = 'heartbeat'
/** Milliseconds between the signs of life of each replica. */
const BEAT = 5_000
/** Milliseconds without any sign of life, one's own included, after which this process is deaf. */
const DEAF_AFTER = 15_000

export interface HearingOptions {
  readonly bus: Bus
  readonly invalidations: Pick<Invalidations, 'informed' | 'missedUntil'>
  /** Milliseconds of a clock that never goes back. */
  readonly ticks: () => number
}

/**
 * A subscription may be dead without a word: a hung Redis, a connection that is half open. So every
 * replica says now and then what all must hear, and who hears nothing trusts nothing.
 */
export function createHearing({ bus, invalidations, ticks }: HearingOptions): Hearing {
  let heardAt = Number.NEGATIVE_INFINITY
  const beat = () => void bus.publish(CHANNEL, '')
  bus.on(CHANNEL, () => {
    heardAt = ticks()
  })
  bus.onConnection((connected) => {
    heardAt = Number.NEGATIVE_INFINITY
    if (connected) beat()
  })
  const timer = setInterval(beat, BEAT).unref()
  return {
    since: (at) =>
      invalidations.informed && at >= invalidations.missedUntil && ticks() - heardAt < DEAF_AFTER,
    close: () => clearInterval(timer),
  }
}
