import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { connectPatient } from '../../src/redis/connection.ts'
import { guardRedis } from '../../src/redis/guarded.ts'
import { patientRedis } from '../../src/redis/patient.ts'
import { createRedisSessions, redisProblem } from '../../src/sessions/store/redisStore.ts'
import { LIMITS } from '../../src/sessions/store/store.ts'
import { appendOf, commitOf, putOf, sessionOf, sessionSuite } from '../suites/sessions.ts'
import { type RedisServer, startRedis, startRedisCluster } from '../support/redis.ts'

let server: RedisServer
let observer: Redis
beforeAll(async () => {
  server = await startRedis()
  observer = new Redis(server.url)
})
afterAll(async () => {
  observer.disconnect()
  await server.close()
})

afterEach(() => void vi.useRealTimers())

sessionSuite('Redis', async (options) => {
  await observer.flushall()
  const redis = patientRedis(connectPatient(server.url), { problem: redisProblem })
  const store = createRedisSessions(redis, options)
  return { store, [Symbol.asyncDispose]: async () => store.close() }
})

describe('a Redis Cluster', () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster.close())

  sessionSuite('a Redis Cluster', async (options) => {
    for (const { url } of cluster.nodes) {
      const node = new Redis(url)
      await node.flushall()
      node.disconnect()
    }
    const redis = patientRedis(connectPatient(cluster.url), { problem: redisProblem })
    const store = createRedisSessions(redis, options)
    return { store, [Symbol.asyncDispose]: async () => store.close() }
  })
})

describe('Redis', () => {
  it('forgets expired sessions, and those alone', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    await observer.flushall()
    let at = 1_800_000_000_000
    const redis = patientRedis(connectPatient(server.url), { problem: redisProblem })
    const store = createRedisSessions(redis, { now: () => at, ttl: 60_000, limits: LIMITS })
    for (const id of ['old', 'used']) {
      await store.create(sessionOf(id))
      await store.append(sessionOf(id), appendOf(putOf('a')))
    }
    at += 30_000
    await store.read(sessionOf('used'))
    at += 30_000
    vi.advanceTimersByTime(60_000)
    await expect.poll(() => store.count()).toBe(1)
    expect(await observer.keys('*:session')).toHaveLength(1)
    expect((await store.read(sessionOf('used')))?.items).toHaveLength(1)
    at += 60_000
    vi.advanceTimersByTime(60_000)
    await expect.poll(() => observer.keys('*')).toEqual([])
    store.close()
  })

  it('waits longer for a slow Redis than the cache does', async () => {
    await using own = await startRedis()
    const redis = patientRedis(connectPatient(own.url), {
      problem: redisProblem,
      patience: 20_000,
    })
    const client = connectPatient(own.url)
    const cache = guardRedis(client, { onChange: () => {} })
    const store = createRedisSessions(redis, { now: Date.now, ttl: 60_000, limits: LIMITS })
    await store.create(sessionOf('one'))
    own.pause()
    const pending = store.append(sessionOf('one'), appendOf(putOf('a')))
    expect(await cache.try((client) => client.ping())).toBeUndefined()
    own.resume()
    expect(await pending).toBe('done')
    cache.close()
    client.disconnect()
    store.close()
  })

  it('sends again what was on its way when the connection broke', async () => {
    const args = ['--appendonly', 'yes', '--appendfsync', 'always']
    await using own = await startRedis({ args })
    const redis = patientRedis(connectPatient(own.url), {
      problem: redisProblem,
      patience: 20_000,
    })
    const store = createRedisSessions(redis, { now: Date.now, ttl: 60_000, limits: LIMITS })
    await store.create(sessionOf('one'))
    own.pause()
    const pending = [
      store.append(sessionOf('one'), appendOf(putOf('a'))),
      store.commit(sessionOf('one'), commitOf(0)),
    ]
    await new Promise(setImmediate)
    await own.restart()
    expect(await Promise.all(pending)).toEqual(['done', 'done'])
    expect(await store.read(sessionOf('one'))).toMatchObject({
      items: [{ key: 'a' }],
      turns: ['{"turn":1}'],
    })
    store.close()
  })

  it('asks a Redis that has forgotten the scripts once more', async () => {
    await observer.flushall()
    const redis = patientRedis(connectPatient(server.url), { problem: redisProblem })
    const store = createRedisSessions(redis, { now: Date.now, ttl: 60_000, limits: LIMITS })
    await store.create(sessionOf('one'))
    await observer.script('FLUSH')
    expect(await store.append(sessionOf('one'), appendOf(putOf('a')))).toBe('done')
    expect((await store.read(sessionOf('one')))?.items).toHaveLength(1)
    store.close()
  })

  it('tells nothing of a session in an error that may be logged', async () => {
    await observer.flushall()
    const redis = patientRedis(connectPatient(server.url), { problem: redisProblem })
    const store = createRedisSessions(redis, { now: Date.now, ttl: 60_000, limits: LIMITS })
    await store.create(sessionOf('one'))
    const [key = ''] = await observer.keys('*:session')
    await observer.hset(key, 'items', 'garbage')
    const error: unknown = await store
      .append(sessionOf('one'), appendOf(putOf('a', '"SECRET"')))
      .catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(Error)
    const whole = [String(error), JSON.stringify(error), JSON.stringify(Object.values(error ?? {}))]
    expect(whole.join()).not.toContain('SECRET')
    store.close()
  })
})
