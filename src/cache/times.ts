import type { GuardedRedis } from '../redis/guarded.ts'
import { redisKey } from '../redis/keys.ts'

/** When something last happened, by name, as all replicas know it. Nothing here throws. */
export interface SharedTimes {
  /**
   * Times only grow.
   * @param at epoch milliseconds by name
   * @param ttl milliseconds until all of the scope is forgotten
   * @returns whether the others can know it
   */
  raise(
    scope: string,
    at: Iterable<readonly [name: string, at: number]>,
    ttl: number,
  ): Promise<boolean>
  /** Undefined where Redis does not tell. */
  read(scope: string): Promise<ReadonlyMap<string, number> | undefined>
  forget(scope: string): Promise<void>
}

/** @param kind stands in the keys */
export function createSharedTimes(redis: GuardedRedis, kind: string): SharedTimes {
  return {
    async raise(scope, at, ttl) {
      const members = [...at].flatMap(([name, time]) => [time, name])
      if (members.length === 0) return true
      const key = redisKey(kind, scope)
      const done = await redis.try(async (client) => {
        await Promise.all([client.zadd(key, 'GT', ...members), client.pexpire(key, ttl)])
        return true
      })
      return done ?? false
    },
    async read(scope) {
      const found = await redis.try((client) =>
        client.zrevrange(redisKey(kind, scope), 0, -1, 'WITHSCORES'),
      )
      if (!found) return undefined
      const at = new Map<string, number>()
      for (let index = 0; index < found.length; index += 2)
        at.set(found[index] as string, Number(found[index + 1]))
      return at
    },
    async forget(scope) {
      await redis.try((client) => client.del(redisKey(kind, scope)))
    },
  }
}
