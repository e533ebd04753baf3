import type { FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import { LRUCache } from 'lru-cache'
import type { GuardedRedis } from '../redis/guarded.ts'
import { redisKey } from '../redis/keys.ts'

/** Callers counted at once in one process. */
const MOST_CALLERS = 50_000

/** Counts in a fixed window that starts with its first request; answers count and milliseconds left. */
const COUNT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}`

interface Count {
  readonly current: number
  /** Milliseconds. */
  readonly ttl: number
}

/**
 * Where @fastify/rate-limit counts: in Redis for all replicas together, and in this process while
 * Redis does not answer, so that there is a limit at all times.
 */
export function rateLimitStore(
  redis: GuardedRedis | undefined,
  now: () => number,
): FastifyRateLimitStoreCtor {
  const windows = new LRUCache<string, { count: number; endsAt: number }>({ max: MOST_CALLERS })

  function countHere(key: string, window: number): Count {
    const at = now()
    const known = windows.get(key)
    const current = known && known.endsAt > at ? known : { count: 0, endsAt: at + window }
    current.count += 1
    if (current !== known) windows.set(key, current)
    return { current: current.count, ttl: current.endsAt - at }
  }

  async function countTogether(key: string, window: number): Promise<Count> {
    const counted = await redis?.try((client) =>
      client.eval(COUNT, 1, redisKey('limit', key), window),
    )
    const here = countHere(key, window)
    if (!Array.isArray(counted)) return here
    const [current, ttl] = counted as [number, number]
    return { current, ttl }
  }

  return class RateLimitStore {
    incr(key: string, done: (error: Error | null, count?: Count) => void, window: number): void {
      if (redis) countTogether(key, window).then((count) => done(null, count), done)
      else done(null, countHere(key, window))
    }
    child(): RateLimitStore {
      return this
    }
  } as unknown as FastifyRateLimitStoreCtor
}
