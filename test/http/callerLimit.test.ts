import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type CallerLimit, createCallerLimit } from '../../src/http/callerLimit.ts'
import { createRedisService, type RedisService } from '../../src/redis/redis.ts'
import { createClock } from '../support/cache.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

const WINDOW = 60_000
/** Milliseconds. A machine with much to do is no reason to leave Redis alone. */
const PATIENCE = 2_000

let server: RedisServer
const services: RedisService[] = []
beforeEach(async () => {
  server = await startRedis()
})
afterEach(async () => {
  for (const service of services.splice(0)) service.close()
  await server.close()
})

/** A process of its own, as far as the limit goes. */
async function join(max: number, now: () => number = Date.now): Promise<CallerLimit> {
  const { url } = server
  const service = createRedisService({ url, now, onChange: () => {}, patience: PATIENCE })
  services.push(service)
  await service.ready(5_000)
  return createCallerLimit({ max, windowMs: WINDOW, redis: service.commands, now })
}

const ask = async (limit: CallerLimit, caller = 'ann') =>
  limit.take(caller) ?? (await limit.count(caller))

/** How many of so many requests are let through, as the door does it. */
async function letThrough(limit: CallerLimit, requests: number, caller = 'ann'): Promise<number> {
  const pass = async () =>
    limit.take(caller) !== undefined || (await limit.count(caller)).current <= limit.max
  const passed = await Promise.all(Array.from({ length: requests }, pass))
  return passed.filter(Boolean).length
}

async function commandsOf(run: () => Promise<unknown>): Promise<number> {
  const client = new Redis(server.url)
  const scripts = async () =>
    Number(/cmdstat_eval(?:sha)?:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0)
  const before = await scripts()
  await run()
  const after = await scripts()
  client.disconnect()
  return after - before
}

describe('without Redis', () => {
  const alone = (now: () => number) =>
    createCallerLimit({ max: 3, windowMs: WINDOW, redis: undefined, now })

  it('counts each caller up to the limit, and refuses until the window is over', async () => {
    const clock = createClock()
    const limit = alone(clock.now)
    const counts = []
    for (let i = 0; i < 5; i += 1) counts.push(await ask(limit))
    expect(counts).toEqual([1, 2, 3, 4, 4].map((current) => ({ current, ttl: WINDOW })))
    expect(await ask(limit, 'bob')).toEqual({ current: 1, ttl: WINDOW })
    clock.advance(59)
    expect(await ask(limit)).toEqual({ current: 4, ttl: 1_000 })
    clock.advance(1)
    expect(await ask(limit)).toEqual({ current: 1, ttl: WINDOW })
  })

  it('answers at once once the window has begun', async () => {
    const limit = alone(createClock().now)
    expect(limit.take('ann')).toBeUndefined()
    await limit.count('ann')
    expect(limit.take('ann')).toEqual({ current: 2, ttl: WINDOW })
  })
})

describe('with Redis', () => {
  it.each([1, 10, 600])('lets %i through and no more, however many ask at once', async (max) => {
    const replicas = await Promise.all([join(max), join(max), join(max), join(max)])
    const found = await Promise.all(replicas.map((replica) => letThrough(replica, max)))
    const all = found.reduce((sum, count) => sum + count)
    expect(all).toBeGreaterThanOrEqual(0.95 * max)
    expect(all).toBeLessThanOrEqual(max)
  })

  it('lets all of it through where one replica gets nearly all requests', async () => {
    const [busy, idle] = [await join(600), await join(600)]
    expect(await letThrough(idle, 1)).toBe(1)
    const rest = await letThrough(busy, 900)
    expect(rest).toBeGreaterThanOrEqual(0.95 * 600 - 1)
    expect(rest).toBeLessThanOrEqual(599)
  })

  it('asks Redis once for a block, and not at all for what is refused', async () => {
    const limit = await join(600)
    expect(await commandsOf(() => letThrough(limit, 600))).toBe(100)
    expect(await commandsOf(() => letThrough(limit, 500))).toBe(0)
  })

  it('begins anew when the window is over', async () => {
    const client = new Redis(server.url)
    const limit = await join(2)
    expect(await letThrough(limit, 4)).toBe(2)
    const other = await join(2)
    expect(await letThrough(other, 1)).toBe(0)
    const [key = ''] = await client.keys('*:limit')
    expect(await client.pttl(key)).toBeGreaterThan(WINDOW - 30_000)
    await client.del(key)
    expect(await letThrough(await join(2), 4)).toBe(2)
    client.disconnect()
  })

  it('goes on by itself while Redis is away, and never past the limit', async () => {
    const limit = await join(200)
    expect(await letThrough(limit, 50)).toBe(50)
    await server.kill()
    expect(await letThrough(limit, 400)).toBe(150)
  })

  it('tells Redis later of what it let through by itself', async () => {
    const [limit, other] = [await join(200), await join(200)]
    expect(await letThrough(limit, 10)).toBe(10)
    server.pause()
    expect(await letThrough(limit, 50)).toBe(50)
    server.resume()
    const available = () => services.every(({ commands }) => commands.available)
    await vi.waitFor(() => expect(available()).toBe(true), { timeout: 10_000 })
    const rest = (await letThrough(limit, 4)) + (await letThrough(other, 400))
    expect(60 + rest).toBeGreaterThanOrEqual(0.95 * 200)
    expect(60 + rest).toBeLessThanOrEqual(200)
  })

  it.each([
    ['text', (client: Redis, key: string) => client.set(key, 'garbage')],
    ['a count that never ends', (client: Redis, key: string) => client.set(key, '10')],
  ])('mends %s in the place of a count', async (_what, spoil) => {
    const client = new Redis(server.url)
    await letThrough(await join(10), 1)
    const [key = ''] = await client.keys('*:limit')
    await spoil(client, key)
    expect(await letThrough(await join(10), 20)).toBe(10)
    expect(await client.pttl(key)).toBeGreaterThan(0)
    client.disconnect()
  })

  it('has a limit where something else lies in the place of a count', async () => {
    const client = new Redis(server.url)
    await letThrough(await join(10), 1)
    const [key = ''] = await client.keys('*:limit')
    await client.del(key)
    await client.lpush(key, 'garbage')
    expect(await letThrough(await join(10), 20)).toBe(10)
    client.disconnect()
  })
})
