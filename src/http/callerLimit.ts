import { LRUCache } from 'lru-cache'
import type { GuardedRedis } from '../redis/guarded.ts'
import { redisKey } from '../redis/keys.ts'

/** Callers counted at once in one process. */
const MOST_CALLERS = 50_000
/** The part of a limit that a process takes from Redis at once: so much may lie idle in each. */
const BLOCK = 0.01

/**
 * Lends up to ARGV[1] requests of the ARGV[2] that a window has, after ARGV[4] that were let through
 * without asking; the window is fixed and starts with its first request. Answers what had been lent
 * before, what is lent now, and milliseconds left.
 */
const LEND = `
local lent = tonumber(redis.call('GET', KEYS[1]) or 0)
local left = lent and redis.call('PTTL', KEYS[1]) or -1
if left <= 0 then
  lent = 0
  left = ARGV[3]
  redis.call('SET', KEYS[1], 0, 'PX', left)
end
lent = lent + ARGV[4]
local now = math.max(0, math.min(ARGV[1], ARGV[2] - lent))
redis.call('INCRBY', KEYS[1], ARGV[4] + now)
return {lent, now, left}`

export interface Count {
  /** Requests of the window, this one included; more than the limit where it is not let through. */
  readonly current: number
  /** Milliseconds until the window is over. */
  readonly ttl: number
}

interface Window {
  /** Requests of one caller in a window. */
  readonly max: number
  /** Milliseconds. */
  readonly windowMs: number
}

/** How many requests each caller has made, over all replicas together. */
export interface CallerLimit extends Window {
  /** Counts a request that what is in hand here suffices for; else undefined, and `count` does it. */
  take(caller: string): Count | undefined
  /** Counts a request, or refuses it: then nothing is counted. */
  count(caller: string): Promise<Count>
}

export interface CallerLimitOptions extends Window {
  /** Without it this process counts for itself. */
  readonly redis: GuardedRedis | undefined
  readonly now: () => number
}

interface Lease {
  /** Requests known to be counted. */
  used: number
  /** Requests that may be let through without asking again. */
  left: number
  /** Requests that Redis does not know of. */
  readonly untold: number
  /** Milliseconds. */
  readonly endsAt: number
}

/**
 * A limit whose replicas take requests from Redis in small blocks, so that few wait for it and all
 * together never let through more than the limit. While Redis does not answer, each process goes on
 * alone, so that there is a limit at all times.
 */
export function createCallerLimit({ max, windowMs, redis, now }: CallerLimitOptions): CallerLimit {
  const leases = new LRUCache<string, Lease>({ max: MOST_CALLERS })
  const asking = new Map<string, Promise<void>>()
  const block = redis ? Math.max(1, Math.floor(max * BLOCK)) : max

  function running(caller: string): Lease | undefined {
    const lease = leases.get(caller)
    return lease && lease.endsAt > now() ? lease : undefined
  }

  function take(caller: string): Count | undefined {
    const lease = leases.get(caller)
    const ttl = (lease?.endsAt ?? 0) - now()
    if (!lease || lease.left === 0 || ttl <= 0) return undefined
    lease.left -= 1
    lease.used += 1
    return { current: lease.used, ttl }
  }

  /** Called when nothing is left of the lease. */
  async function lend(caller: string): Promise<void> {
    const untold = running(caller)?.untold ?? 0
    const reply = await redis?.try((client) =>
      client.eval(LEND, 1, redisKey('limit', caller), block, max, windowMs, untold),
    )
    leases.set(caller, Array.isArray(reply) ? lent(reply.map(Number)) : alone(running(caller)))
  }

  function lent([used = max, left = 0, ttl = windowMs]: readonly number[]): Lease {
    // What is used up stays so: nobody gives back what was lent.
    return { used: left === 0 ? max : used, left, untold: 0, endsAt: now() + ttl }
  }

  function alone(known: Lease | undefined): Lease {
    const { used, untold, endsAt } = known ?? { used: 0, untold: 0, endsAt: now() + windowMs }
    const left = Math.min(block, max - used)
    return { used, left, untold: untold + left, endsAt }
  }

  /** Equal questions of this process are one. */
  function lendOnce(caller: string): Promise<void> {
    const known = asking.get(caller)
    if (known) return known
    const asked = lend(caller).finally(() => asking.delete(caller))
    asking.set(caller, asked)
    return asked
  }

  return {
    max,
    windowMs,
    take,
    async count(caller) {
      for (;;) {
        const taken = take(caller)
        if (taken) return taken
        const lease = running(caller)
        if (lease && lease.used >= max) return { current: max + 1, ttl: lease.endsAt - now() }
        await lendOnce(caller)
      }
    },
  }
}
