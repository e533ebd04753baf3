import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRedisStore } from '../../src/cache/redisStore.ts'
import { noStore, type Store } from '../../src/cache/store.ts'
import { ServiceError } from '../../src/core/errors.ts'
import type { GuardedRedis } from '../../src/redis/guarded.ts'
import { redisKey } from '../../src/redis/keys.ts'
import { createRedisService, type RedisService } from '../../src/redis/redis.ts'
import { answerOf, refusalOf, storeSuite } from '../suites/store.ts'
import { createReplica, createSource, failures, requestOf, seen } from '../support/cache.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

let server: RedisServer
let redis: RedisService
let observer: Redis
beforeAll(async () => {
  server = await startRedis()
  observer = new Redis(server.url)
  redis = await connect(server.url)
})
afterAll(async () => {
  observer.disconnect()
  redis.close()
  await server.close()
})
beforeEach(async () => {
  await observer.flushall()
})

/** Milliseconds: what a busy machine may take for what is tested here, which is not how fast it is. */
const PATIENCE = 20_000

async function connect(url: string): Promise<RedisService> {
  const service = createRedisService({ url, now: Date.now, onChange: () => {}, patience: PATIENCE })
  await service.ready(10_000)
  return service
}

storeSuite('Redis', async () => {
  await observer.flushall()
  return {
    store: createRedisStore(redis.commands, Date.now),
    [Symbol.asyncDispose]: async () => {},
  }
})

describe('Redis', () => {
  const key = redisKey('answer', 'key')

  it('keeps the newer answer, in whatever order they come', async () => {
    const store = createRedisStore(redis.commands, Date.now)
    const now = Date.now()
    const [older, newer] = [answerOf('older', { asOf: now - 1 }), answerOf('newer', { asOf: now })]
    await store.set('key', newer)
    await store.set('key', older)
    expect(await store.get('key')).toEqual(newer)
    const refusal = { ...refusalOf(new ServiceError('not_found', 'Gone.')), asOf: now - 1 }
    await store.set('key', refusal)
    expect(await store.get('key')).toEqual(newer)
    await store.set('key', answerOf('as new', { asOf: now }))
    expect(await store.get('key')).toMatchObject({ body: Buffer.from('as new') })
  })

  it('lets it go when it is of no more use', async () => {
    const store = createRedisStore(redis.commands, Date.now)
    await store.set('key', answerOf('x', { keepUntil: Date.now() + 60_000 }))
    expect(await observer.pttl(key)).toBeGreaterThan(50_000)
    expect(await observer.pttl(key)).toBeLessThanOrEqual(60_000)
    await store.set('gone', answerOf('x', { keepUntil: Date.now() }))
    expect(await observer.exists(redisKey('answer', 'gone'))).toBe(0)
  })

  it('has no key that tells what was asked, or by whom', async () => {
    const store = createRedisStore(redis.commands, Date.now)
    await store.set('principal:github_repo?[{"owner":"acme"}]', answerOf('x'))
    expect((await observer.keys('*')).join()).not.toMatch(/principal|acme|github_repo/)
  })

  it('has nothing where a byte of it was changed', async () => {
    const store = createRedisStore(redis.commands, Date.now)
    await store.set('key', answerOf('{"secret":"value"}'))
    const bytes = (await observer.getBuffer(key)) as Buffer
    // The time of the fetch, for Redis alone, stands outside the sum; the head tells it again.
    const outside = { from: 4, to: 17 }
    for (let index = 0; index < bytes.length; index += 1) {
      if (index >= outside.from && index < outside.to) continue
      const changed = Buffer.from(bytes)
      changed[index] = (changed[index] as number) ^ 0x40
      await observer.set(key, changed)
      expect([index, await store.get('key')]).toEqual([index, undefined])
    }
    for (let length = 0; length < bytes.length; length += 1) {
      await observer.set(key, bytes.subarray(0, length))
      expect([length, await store.get('key')]).toEqual([length, undefined])
    }
  })

  it('has nothing in what is of another kind', async () => {
    const store = createRedisStore(redis.commands, Date.now)
    await observer.rpush(key, 'a')
    expect(await store.get('key')).toBeUndefined()
    await observer.del(key)
    await observer.set(key, randomBytes(100_000))
    expect(await store.get('key')).toBeUndefined()
  })
})

const silent: GuardedRedis = {
  try: async () => undefined,
  available: false,
  isCluster: false,
  close: () => {},
}

/** Each store that fails, and how to get it. */
const failing: [string, () => Promise<Store & Partial<AsyncDisposable>>][] = [
  ['none', async () => noStore],
  ['one that always fails', async () => createRedisStore(silent, Date.now)],
  ['a Redis that was killed', () => broken((own) => own.kill())],
  ['a Redis that hangs', () => broken((own) => own.pause())],
  [
    'a Redis that takes nothing',
    () =>
      broken(async (own) => {
        const client = new Redis(own.url)
        await client.config('SET', 'maxmemory', '1')
        client.disconnect()
      }),
  ],
]

async function broken(breakIt: (own: RedisServer) => Promise<void> | void) {
  const own = await startRedis()
  const service = await connect(own.url)
  await breakIt(own)
  return {
    ...createRedisStore(service.commands, Date.now),
    async [Symbol.asyncDispose]() {
      service.close()
      await own.close()
    },
  }
}

describe.each(failing)('with %s behind it', (_name, create) => {
  it('nothing is kept, and nothing is thrown', async () => {
    const store = await create()
    await store.set('key', answerOf('x'))
    expect(await store.get('key')).toBeUndefined()
    await store.delete('key')
    await store[Symbol.asyncDispose]?.()
  })

  it('a cache answers all the same', async () => {
    const store = await create()
    const source = createSource()
    let now = Date.now()
    const cache = createReplica({ now: () => now, shared: store })
    const asked = () => cache.get(requestOf(source.load)).then(seen)
    source.answers('v1')
    expect(await asked()).toBe('miss v1')
    expect(await asked()).toBe('hit v1')
    now += 3_600_000
    source.fails(failures.badGateway())
    expect(await asked()).toBe('stale_if_error v1')
    source.answers('v2')
    expect(await asked()).toBe('miss v2')
    await store[Symbol.asyncDispose]?.()
  })
})
