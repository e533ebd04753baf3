import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { startRedis, startRedisCluster } from './redis.ts'

const clients: (Redis | Cluster)[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})

function connect(url: string, options: RedisOptions = {}) {
  const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => 10, ...options })
  client.on('error', () => {})
  clients.push(client)
  return client
}

describe('the Redis of the run', () => {
  it('is there for every test file', async () => {
    expect(await connect(inject('redisUrl')).ping()).toBe('PONG')
  })
})

describe('a Redis of the test', () => {
  it('answers at once when it has been started', async () => {
    await using redis = await startRedis()
    const client = connect(redis.url, { retryStrategy: () => null })
    await client.set('key', 'value')
    expect(await client.get('key')).toBe('value')
  })

  it('is silent while paused, and answers what was asked when resumed', async () => {
    await using redis = await startRedis()
    const client = connect(redis.url, { commandTimeout: 100 })
    await client.ping()
    redis.pause()
    await expect(client.ping()).rejects.toThrow('timed out')
    redis.resume()
    expect(await client.ping()).toBe('PONG')
  })

  it('is gone when killed, and back on its port as another process when restarted', async () => {
    await using redis = await startRedis()
    const { pid, port } = redis
    await connect(redis.url).set('key', 'value')
    await redis.kill()
    const refused = connect(redis.url, { retryStrategy: () => null, lazyConnect: true })
    await expect(refused.connect()).rejects.toThrow()
    await redis.restart()
    expect(redis.pid).not.toBe(pid)
    expect(redis.port).toBe(port)
    expect(await connect(redis.url).get('key')).toBeNull()
  })

  it('keeps what its arguments make it keep', async () => {
    await using redis = await startRedis({
      args: ['--appendonly', 'yes', '--appendfsync', 'always'],
    })
    await connect(redis.url).set('key', 'value')
    await redis.restart()
    expect(await connect(redis.url).get('key')).toBe('value')
  })

  it('can be closed while paused, and twice', async () => {
    const redis = await startRedis()
    const { pid } = redis
    redis.pause()
    await redis.close()
    await redis.close()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  it('says why it does not start', async () => {
    await expect(startRedis({ args: ['--no-such-option', 'yes'] })).rejects.toThrow(
      /redis-server ended \(1\).*no-such-option/s,
    )
  })
})

describe('a Redis Cluster of the test', () => {
  it('has three masters, each with a share of the keys', async () => {
    await using cluster = await startRedisCluster()
    const client = new Cluster(cluster.url.split(','))
    clients.push(client)
    const keys = Array.from({ length: 60 }, (_, index) => `key-${index}`)
    await Promise.all(keys.map((key) => client.set(key, key)))
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys)
    const sizes = await Promise.all(client.nodes('master').map((node) => node.dbsize()))
    expect(sizes).toHaveLength(3)
    expect(Math.min(...sizes)).toBeGreaterThan(0)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(keys.length)
  }, 45_000)
})
