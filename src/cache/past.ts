import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { createTwoQueues } from '../core/memory/twoQueues.ts'
import { ownBytes } from '../core/ownBytes.ts'
import type { GuardedRedis } from '../redis/guarded.ts'
import { redisKey } from '../redis/keys.ts'

const compress = promisify(gzip)
const inflate = promisify(gunzip)

/** Milliseconds that an answer can be asked about after it was made. */
const KEPT = 24 * 60 * 60 * 1000
/** Milliseconds after which an answer that is still made is written again. */
const RENEWED = 60 * 60 * 1000
/** Bytes that V8 needs beside key and body. */
const OVERHEAD = 400
/** Bytes of an answer as Redis may hold it, inflated. */
const LARGEST = 64 * 1024 * 1024

/** Answers that a caller may have, by their `context_id`: what a newer one is compared with. */
export interface PastAnswers {
  /** Never fails: an answer that is not kept is told again in full. */
  keep(principal: string, contextId: string, body: Buffer): Promise<void>
  get(principal: string, contextId: string): Promise<Buffer | undefined>
  /** In this process. */
  readonly bytes: number
}

interface Past {
  readonly body: Buffer
  /** Epoch milliseconds. */
  readonly writtenAt: number
}

/**
 * Kept for a day, apart by principal, in this process and, where there is one, in Redis.
 * @param maxBytes in this process
 */
export function createPastAnswers(
  maxBytes: number,
  redis: GuardedRedis | undefined,
  now: () => number,
): PastAnswers {
  const memory = createTwoQueues<Past>({
    maxBytes,
    largest: 1,
    usual: 2048,
    sizeOf: ({ body }, key) => OVERHEAD + body.length + key.length,
    compact: ({ body, writtenAt }) => ({ body: ownBytes(body), writtenAt }),
    pack: ({ body, writtenAt }) => ({ head: String(writtenAt), body }),
    unpack: ({ body, head }) => ({ body, writtenAt: Number(head) }),
  })
  return {
    get bytes() {
      return memory.bytes()
    },
    async keep(principal, contextId, body) {
      const key = redisKey('past', `${principal}:${contextId}`)
      if ((memory.get(key)?.writtenAt ?? 0) > now() - RENEWED) return
      memory.set(key, { body, writtenAt: now() })
      if (!redis) return
      const bytes = await compress(body, { level: 1 })
      await redis.try((client) => client.set(key, bytes, 'PX', KEPT))
    },
    async get(principal, contextId) {
      const key = redisKey('past', `${principal}:${contextId}`)
      const known = memory.get(key)
      if (known && known.writtenAt > now() - KEPT) return known.body
      const bytes = await redis?.try((client) => client.getBuffer(key))
      return bytes ? inflate(bytes, { maxOutputLength: LARGEST }).catch(() => undefined) : undefined
    },
  }
}
