import { LRUCache } from 'lru-cache'
import type { GuardedRedis } from '../redis/guarded.ts'
import { redisKey } from '../redis/keys.ts'

/** Webhook deliveries that were seen. */
export interface Deliveries {
  /** Whether it is seen for the first time, by any replica; while Redis is away, by this one. */
  first(id: string): Promise<boolean>
}

/**
 * Milliseconds. Acting twice costs a question to GitHub and nothing else, so it need not be
 * remembered for the three days in which GitHub can be made to deliver again.
 */
const REMEMBERED_FOR = 3_600_000
/** Deliveries remembered in this process at most. */
const MOST = 10_000

export function createDeliveries(redis: GuardedRedis | undefined, now: () => number): Deliveries {
  const seen = new LRUCache<string, number>({ max: MOST })
  return {
    async first(id) {
      const at = now()
      if ((seen.get(id) ?? Number.NEGATIVE_INFINITY) > at - REMEMBERED_FOR) return false
      seen.set(id, at)
      const written = await redis?.try((client) =>
        client.set(redisKey('delivery', id), '1', 'PX', REMEMBERED_FOR, 'NX'),
      )
      // Null is Redis' word that it was there; undefined is no word.
      return written !== null
    },
  }
}
