import { setImmediate as nextTurn } from 'node:timers/promises'
import { Cluster, Redis } from 'ioredis'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createReads, type Value } from '../../src/redis/reads.ts'
import { createRedisService, type RedisService } from '../../src/redis/redis.ts'
import { type RedisServer, startRedis, startRedisCluster } from '../support/redis.ts'

/** Milliseconds: what a busy machine may take for what is tested here, which is not how fast it is. */
const PATIENCE = 20_000
/** As many as no one command names. */
const MANY = 200

const keys = Array.from({ length: MANY }, (_, index) => `key-${index}`)
const text = (value: Value) => value?.toString() ?? value

let server: RedisServer
let observer: Redis
const services: RedisService[] = []
beforeEach(async () => {
  server = await startRedis()
  observer = new Redis(server.url)
  await observer.mset(keys.flatMap((key) => [key, `value of ${key}`]))
  await observer.config('RESETSTAT')
})
afterEach(async () => {
  for (const service of services.splice(0)) service.close()
  observer.disconnect()
  await server.close()
})

async function connect({ url = server.url, patience = PATIENCE } = {}) {
  const service = createRedisService({ url, now: Date.now, onChange: () => {}, patience })
  services.push(service)
  await service.ready(10_000)
  const reads = createReads(service.commands)
  return { commands: service.commands, read: (key: string) => reads.get(key, text), reads }
}

/** How often each command that reads values was called. */
async function calls(): Promise<Record<string, number>> {
  const stats = await observer.info('commandstats')
  const lines = stats.matchAll(/^cmdstat_(m?get):calls=(\d+)/gm)
  return Object.fromEntries([...lines].map(([, name, count]) => [name, Number(count)]))
}

it('asked for in one turn of the loop are one command, and each gets its own', async () => {
  const { read } = await connect()
  await observer.rpush('list', 'a')
  const asked = ['key-7', 'nothing', 'key-3', 'list', 'key-7'].map(read)
  expect(await Promise.all(asked)).toEqual([
    'value of key-7',
    null,
    'value of key-3',
    null,
    'value of key-7',
  ])
  expect(await calls()).toEqual({ mget: 1 })
})

it('are split where they are many', async () => {
  const { read } = await connect()
  expect(await Promise.all(keys.map(read))).toEqual(keys.map((key) => `value of ${key}`))
  expect(await calls()).toEqual({ mget: 4 })
})

it('that come while others are on their way go with the next', async () => {
  const { read } = await connect()
  server.pause()
  const asked = []
  for (const key of keys.slice(0, 10)) {
    asked.push(read(key))
    await nextTurn()
  }
  server.resume()
  expect(await Promise.all(asked)).toEqual(keys.slice(0, 10).map((key) => `value of ${key}`))
  expect(await calls()).toEqual({ mget: 2 })
})

it('fail alone where what they are read as is faulty', async () => {
  const { read, reads } = await connect()
  const faulty = reads.get('key-1', () => {
    throw new Error('not as it should be')
  })
  const sound = read('key-2')
  await expect(faulty).rejects.toThrow('not as it should be')
  expect(await sound).toBe('value of key-2')
})

it('of a Redis that hangs are given up together, and none is sent later', async () => {
  const { commands, read } = await connect({ patience: 50 })
  server.pause()
  const first = read('key-1')
  await nextTurn()
  const meanwhile = keys.map(read)
  expect(await first).toBeUndefined()
  expect(new Set(await Promise.all(meanwhile))).toEqual(new Set([undefined]))
  // Nobody waits for it any more.
  expect(commands.available).toBe(false)
  const { skipped } = commands.counts
  expect(await Promise.all([read('key-1'), read('key-2')])).toEqual([undefined, undefined])
  expect(commands.counts.skipped).toBe(skipped + 2)
  server.resume()
  while (!commands.available) await nextTurn()
  expect(await calls()).toEqual({ mget: 1 })
  expect(await read('key-1')).toBe('value of key-1')
})

it('of a Redis that was killed are given up', async () => {
  const { read } = await connect()
  await server.kill()
  expect(await Promise.all(['key-1', 'key-2'].map(read))).toEqual([undefined, undefined])
})

it('of a Cluster are found on every node, also where another node hangs', async () => {
  await using cluster = await startRedisCluster()
  const nodes = new Cluster(cluster.url.split(','))
  for (const key of keys) await nodes.set(key, `value of ${key}`)
  nodes.disconnect()
  const { commands, read } = await connect({ url: cluster.url, patience: 3_000 })
  const readAll = () => Promise.all(keys.map(read))
  // Its client connects to a node when it first needs it, and fails until then.
  await vi.waitUntil(async () => !(await readAll()).includes(undefined), { timeout: 20_000 })
  expect(await readAll()).toEqual(keys.map((key) => `value of ${key}`))
  expect(commands.available).toBe(true)
  cluster.nodes[0]?.pause()
  const found = await readAll()
  cluster.nodes[0]?.resume()
  const missing = found.filter((value) => value === undefined).length
  expect(missing).toBeGreaterThan(0)
  expect(missing).toBeLessThan(MANY / 2)
})
