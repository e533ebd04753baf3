import { randomUUID } from 'node:crypto'
import type { Bus } from '../redis/bus.ts'
import type { GuardedRedis } from '../redis/guarded.ts'
import { redisKey } from '../redis/keys.ts'

/** Milliseconds. A replica that dies with a lease delays others by this at most. */
const LEASE_MS = 1_500
const RENEW_EVERY = 500
/**
 * Milliseconds to wait for Redis: whoever asks for a lease is about to wait for GitHub, and a call
 * too many costs more than the wait.
 */
const PATIENCE = 200
/** Milliseconds between looks while waiting: the message that ends the wait may be lost. */
const LOOK_EVERY = 250
const CHANNEL = 'released'

/** Takes the lease (what never expires is none), or leaves word that somebody waits for its release. */
const ACQUIRE = `
if redis.call('PTTL', KEYS[1]) == -1 then redis.call('DEL', KEYS[1]) end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
redis.call('SET', KEYS[2], '1', 'PX', ARGV[2] * 4)
return 0`
const RENEW = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end`
/** Frees the lease if it is still one's own; 1 when somebody waits. */
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return redis.call('DEL', KEYS[2])`

/** What `ACQUIRE` says. */
const OUTCOMES = new Map<unknown, 'taken' | 'held'>([
  [1, 'taken'],
  [0, 'held'],
])

export interface Lease {
  release(): Promise<void>
}

export interface Leases {
  /** The lease; `held` by another replica; `unavailable`: nobody can tell, everyone is on his own. */
  acquire(key: string): Promise<Lease | 'held' | 'unavailable'>
  /** Waits a short while: `released` as soon as the holder says so, `unsure` when it said nothing. */
  wait(key: string, signal: AbortSignal): Promise<'released' | 'unsure'>
}

export interface CountedLeases extends Leases {
  /** How often each was the outcome so far. */
  readonly counts: Readonly<Record<'taken' | 'held' | 'unavailable', number>>
}

/** For a service without Redis: each process is alone. */
export const noLeases: CountedLeases = {
  acquire: async () => 'unavailable',
  wait: async () => 'unsure',
  counts: { taken: 0, held: 0, unavailable: 0 },
}

/** Lets one replica work for all (redis.io/docs/latest/commands/set, "Patterns"). */
export function createLeases(redis: GuardedRedis, bus: Bus): CountedLeases {
  const waiting = new Map<string, Set<() => void>>()
  const counts = { taken: 0, held: 0, unavailable: 0 }
  bus.on(CHANNEL, (name) => {
    for (const wake of waiting.get(name) ?? []) wake()
  })

  return {
    counts,
    async acquire(key) {
      const owner = randomUUID()
      const keys = [redisKey('lease', key), redisKey('waiting', key)] as const
      const taken = await redis.try(
        (client) => client.eval(ACQUIRE, 2, ...keys, owner, LEASE_MS),
        PATIENCE,
      )
      const outcome = OUTCOMES.get(taken) ?? 'unavailable'
      counts[outcome] += 1
      if (outcome !== 'taken') return outcome
      const renewal = setInterval(
        () => void redis.try((client) => client.eval(RENEW, 1, keys[0], owner, LEASE_MS)),
        RENEW_EVERY,
      )
      renewal.unref()
      return {
        async release() {
          clearInterval(renewal)
          const awaited = await redis.try((client) => client.eval(RELEASE, 2, ...keys, owner))
          if (awaited === 1) await bus.publish(CHANNEL, keys[0])
        },
      }
    },
    async wait(key, signal) {
      const name = redisKey('lease', key)
      const { promise, resolve } = Promise.withResolvers<'released' | 'unsure'>()
      const wake = () => resolve('released')
      const giveUp = () => resolve('unsure')
      const wakers = waiting.get(name) ?? new Set()
      waiting.set(name, wakers.add(wake))
      const timer = setTimeout(giveUp, LOOK_EVERY)
      signal.addEventListener('abort', giveUp, { once: true })
      try {
        return await promise
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', giveUp)
        wakers.delete(wake)
        if (wakers.size === 0) waiting.delete(name)
      }
    },
  }
}
