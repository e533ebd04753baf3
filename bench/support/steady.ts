import { type Load, pace } from './load.ts'
import { issueRequest } from './service.ts'
import { quantile } from './statistics.ts'

/** Requests a second, of which one in so many is for an issue that nobody asked for before. */
const RATE = 300
const COLD_EVERY = 10
export const WARM = 10

export interface Seen {
  readonly failed: number
  /** p99 of the answers that were warm and of those that were cold, in milliseconds. */
  readonly warm: number
  readonly cold: number
}

export interface Steady {
  /** Load for `ms` milliseconds, over all replicas by turns. */
  run(ms: number): Promise<Seen>
  /** An issue that nobody asked for yet. */
  fresh(): number
}

/** A steady load on warm and cold keys. The first ten issues are the warm ones. */
export function steadyLoad(urls: readonly string[], issues: number): Steady {
  let last = WARM
  function fresh(): number {
    last += 1
    if (last > issues) throw new Error('There are no cold issues left')
    return last
  }
  return {
    fresh,
    async run(ms) {
      const warm: number[] = []
      const cold: number[] = []
      const isCold = (index: number) => index % COLD_EVERY === 0
      const load: Load = await pace({
        urls,
        connections: 64,
        ms,
        rate: RATE,
        request: (index) => issueRequest(isCold(index) ? fresh() : 1 + (index % WARM)),
        onAnswer: ({ index, latency }) => void (isCold(index) ? cold : warm).push(latency),
      })
      return { failed: load.failed, warm: quantile(warm, 0.99), cold: quantile(cold, 0.99) }
    },
  }
}
