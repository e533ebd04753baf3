import type { GuardedRedis } from '../redis/guarded.ts'
import { redisKey } from '../redis/keys.ts'
import { createReads } from '../redis/reads.ts'
import { AS_OF, decodeEntry, encodeEntry, MAGIC } from './codec.ts'
import { endOf } from './freshness.ts'
import type { Store } from './store.ts'

/** As opentelemetry.io/docs/specs/semconv/database/redis names it; keys are in no trace. */
const LOOK = { 'db.system.name': 'redis', 'db.operation.name': 'GET' }

/** Writes unless what is there was fetched later: a slow fetch must not undo what GitHub said since. */
const SET_UNLESS_NEWER = `
local known = redis.pcall('GETRANGE', KEYS[1], 0, ${AS_OF.start + AS_OF.digits - 1})
local asOf = string.sub(ARGV[1], 1, ${AS_OF.start + AS_OF.digits})
local ours = type(known) == 'string' and string.match(known, '^${MAGIC}%d+$')
if ours and #known == #asOf and known > asOf then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`

/** The cache that replicas share. What Redis cannot tell, or tells garbled, is absent. */
export function createRedisStore(redis: GuardedRedis, now: () => number): Store {
  const reads = createReads(redis)
  return {
    get(key, parent) {
      const span = parent?.child('GET', 'client', LOOK)
      return reads.get(redisKey('answer', key), (bytes) => {
        span?.set({ 'cache.hit': Boolean(bytes) })
        // `undefined`: Redis did not answer, or is left alone. Then answers come from elsewhere.
        if (bytes === undefined) span?.fail('redis_unavailable')
        span?.end()
        return bytes ? decodeEntry(bytes) : undefined
      })
    },
    async set(key, entry) {
      const ttl = Math.ceil(endOf(entry) - now())
      if (ttl <= 0) return
      const bytes = encodeEntry(entry)
      await redis.try((client) =>
        client.eval(SET_UNLESS_NEWER, 1, redisKey('answer', key), bytes, ttl),
      )
    },
    async delete(key) {
      await redis.try((client) => client.del(redisKey('answer', key)))
    },
  }
}
