import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSharedResources } from '../../src/github/redisResources.ts'
import {
  createMemoryResources,
  credentialDigest,
  type ResourceStore,
} from '../../src/github/resources.ts'
import { createRedisService, type RedisService } from '../../src/redis/redis.ts'
import { resourceOf, resourcesSuite } from '../suites/resources.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

/** Milliseconds: these tests are about what is kept, not about how quickly, on a machine of any speed. */
const PATIENCE = 2_000

const BYTES = 64 * 1024 * 1024
const nothing: ResourceStore = {
  find: async () => undefined,
  keep: async () => {},
  bytes: 0,
}

let server: RedisServer
let redis: RedisService
let observer: Redis
beforeAll(async () => {
  server = await startRedis()
  observer = new Redis(server.url)
  redis = createRedisService({
    url: server.url,
    now: Date.now,
    onChange: () => {},
    patience: PATIENCE,
  })
  await redis.ready(10_000)
})
afterAll(async () => {
  observer.disconnect()
  redis.close()
  await server.close()
})

const kept = { [Symbol.asyncDispose]: async () => {} }
const empty = async (local: ResourceStore) => {
  await observer.flushall()
  return { ...kept, store: createSharedResources(local, redis.commands) }
}

resourcesSuite('memory', async () => ({ ...kept, store: createMemoryResources(BYTES) }))
resourcesSuite('Redis behind memory', () => empty(createMemoryResources(BYTES)))
resourcesSuite('Redis alone', () => empty(nothing))

describe('bodies in Redis', () => {
  it('are kept once however many have them, as they came', async () => {
    const { store } = await empty(nothing)
    const resource = resourceOf(gzipSync('[{"login":"octocat"}]'), { zipped: true })
    for (const principal of ['ann', 'bob', 'eve'])
      for (const name of ['/a', '/b']) await store.keep(principal, name, resource)
    const bodies = await observer.keys('*:body')
    expect(bodies).toHaveLength(1)
    expect(await observer.getBuffer(bodies[0] as string)).toEqual(resource.body)
    expect((await store.find('eve', '/b'))?.resource).toEqual(resource)
  })

  it('and all that points to them are gone after a day', async () => {
    const { store } = await empty(nothing)
    await store.keep('ann', '/a', resourceOf('{}'))
    const keys = await observer.keys('*')
    expect(keys).toHaveLength(3)
    for (const key of keys) {
      expect(await observer.pttl(key)).toBeGreaterThan(86_000_000)
      expect(await observer.pttl(key)).toBeLessThanOrEqual(86_400_000)
    }
  })

  it('are not asked for where this process has its own', async () => {
    const { store } = await empty(createMemoryResources(BYTES))
    await store.keep('ann', '/a', resourceOf('{}'))
    await observer.flushall()
    expect(await store.find('ann', '/a')).toMatchObject({ own: true })
  })

  const garbage: [string, (key: string) => Promise<unknown>][] = [
    ['random bytes', (key) => observer.set(key, randomBytes(300))],
    ['nothing', (key) => observer.set(key, '')],
    ['JSON of another kind', (key) => observer.set(key, '{"digest":1,"tag":null}')],
    ['JSON with too little', (key) => observer.set(key, '{"digest":"","tag":"","tagFor":""}')],
    ['null', (key) => observer.set(key, 'null')],
    ['another body', (key) => observer.set(key, gzipSync('"not what was meant"'))],
    ['half a body', (key) => observer.set(key, gzipSync('x'.repeat(999)).subarray(0, 20))],
    ['a list', (key) => observer.rpush(key, 'a')],
  ]
  it.each(garbage)('that are %s are absent', async (_name, spoil) => {
    const { store } = await empty(nothing)
    await store.keep('ann', '/a', resourceOf('{"secret":1}'))
    for (const pattern of ['*:body', '*:resource', '*']) {
      const keys = await observer.keys(pattern)
      await observer.del(...keys)
      await Promise.all(keys.map(spoil))
      expect(await store.find('ann', '/a')).toBeUndefined()
      expect(await store.find('bob', '/a')).toBeUndefined()
    }
    await store.keep('ann', '/b', resourceOf('{}'))
    expect(await store.find('ann', '/b')).toMatchObject({ own: true })
  })

  it('that Redis has let go are absent, though the pointer is there', async () => {
    const { store } = await empty(nothing)
    await store.keep('ann', '/a', resourceOf('{}'))
    await observer.del(...(await observer.keys('*:body')))
    expect(await store.find('ann', '/a')).toBeUndefined()
  })
})

describe('without Redis', () => {
  it('this process has what it kept itself', async () => {
    const own = await startRedis()
    const service = createRedisService({
      url: own.url,
      now: Date.now,
      onChange: () => {},
      patience: PATIENCE,
    })
    await service.ready(10_000)
    await own.close()
    const store = createSharedResources(createMemoryResources(BYTES), service.commands)
    await store.keep('ann', '/a', resourceOf('{}'))
    expect(await store.find('ann', '/a')).toMatchObject({ own: true })
    expect(await store.find('ann', '/b')).toBeUndefined()
    service.close()
  })
})

describe('memory', () => {
  it('holds no more bytes than it may, and lets the oldest go', async () => {
    const store = createMemoryResources(100_000)
    for (let index = 0; index < 50; index += 1) {
      await store.keep('ann', `/${index}`, resourceOf(Buffer.alloc(10_000)))
      expect(store.bytes).toBeLessThanOrEqual(100_000)
    }
    expect(await store.find('ann', '/0')).toBeUndefined()
    expect(await store.find('bob', '/0')).toBeUndefined()
    expect(await store.find('ann', '/49')).toBeDefined()
  })
})

describe('the digest of a credential', () => {
  it('differs by principal and by authorization, and holds neither', () => {
    const digests = [
      credentialDigest('ann', 'Bearer secret'),
      credentialDigest('bob', 'Bearer secret'),
      credentialDigest('ann', 'Bearer other'),
      credentialDigest('ann', undefined),
    ]
    expect(new Set(digests).size).toBe(4)
    for (const digest of digests) expect(digest).not.toMatch(/secret|other|ann|bob/)
  })
})
