import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRateGate } from '../../src/github/budgetGate.ts'
import { createSharedLedger } from '../../src/github/budgetShared.ts'
import type { Pass, RateGate } from '../../src/github/gate.ts'
import type { Bus } from '../../src/redis/bus.ts'
import { createRedisService, type RedisService } from '../../src/redis/redis.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

const START = Date.parse('2026-03-01T12:00:00Z')
const resetAt = START + 3_600_000
const { signal } = new AbortController()
let at: number
let principal: string
let server: RedisServer
let closers: (() => void)[]

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  at = START
  principal = randomUUID()
  closers = []
  server = await startRedis()
})
afterEach(async () => {
  for (const close of closers) close()
  vi.useRealTimers()
  await server.close()
})

interface Replica {
  readonly gate: RateGate
  readonly redis: RedisService
  enter(resource?: string): Promise<Pass>
}

async function replica(
  limits = { maxConcurrent: 50, pointsPerMinute: 10_000 },
  deaf = false,
): Promise<Replica> {
  const redis = createRedisService({ url: server.url, now: () => at, onChange: () => {} })
  await redis.ready(5_000)
  const bus: Bus = deaf
    ? { ...redis.bus, on: () => {}, onConnection: () => {}, connected: false }
    : redis.bus
  const now = () => at
  const ledger = createSharedLedger({ redis: redis.commands, bus, limits, now })
  const gate = createRateGate({ ledger, now, enforced: true })
  closers.push(() => {
    gate.close()
    redis.close()
  })
  const enter = async (resource = 'core') => gate.enter(principal, resource, 'interactive', signal)
  return { gate, redis, enter }
}

const answer = (remaining: number) => ({
  limit: { resource: 'core', limit: 1_000, remaining, resetAt },
  free: false,
})
const secondary = { limited: { kind: 'secondary', retryAfter: 30 }, free: false } as const

/** What GitHub counts for all replicas. */
function gitHub(remaining: number) {
  return {
    remaining,
    async call({ enter }: Replica, free = false) {
      const pass = await within(enter())
      if (!pass) return false
      if (!free) this.remaining -= 1
      pass.leave({ ...answer(this.remaining), free })
      return true
    },
  }
}

/** Milliseconds: far longer than Redis and this machine take to answer. */
const LATE = 150

/** The pass, or undefined where it does not come while time passes. */
async function within(entering: Promise<Pass>): Promise<Pass | undefined> {
  const waited = entering.catch(() => undefined)
  const late = wait(LATE).then(() => 'late' as const)
  const first = await Promise.race([waited, late])
  if (first !== 'late') return first
  at += 3_100
  vi.advanceTimersByTime(250)
  return waited
}

async function spend(hub: ReturnType<typeof gitHub>, from: Replica, most: number, free = false) {
  let sent = 0
  while (sent < most && (await hub.call(from, free))) sent += 1
  return sent
}

/** Redis has carried out what the replica sent before. */
const carriedOut = ({ redis }: Replica) => redis.commands.try((client) => client.ping())

async function lose(...replicas: readonly Replica[]) {
  await server.kill()
  for (const { redis } of replicas) {
    await vi.waitFor(() => {
      void redis.commands.try((client) => client.ping())
      expect(redis.commands.available).toBe(false)
    })
  }
}

async function restore(...replicas: readonly Replica[]) {
  await server.restart()
  await vi.waitFor(
    () => {
      for (const { redis } of replicas)
        expect([redis.commands.available, redis.bus.connected]).toEqual([true, true])
    },
    { timeout: 10_000 },
  )
}

describe('without Redis', () => {
  it('each replica spends its part of what is left, and together they do not spend more', async () => {
    const [one, two] = [await replica(), await replica()]
    const hub = gitHub(201)
    await spend(hub, one, 1)
    await spend(hub, two, 100)
    await spend(hub, one, 20)
    await lose(one, two)
    const { remaining } = hub
    const sent = [await spend(hub, one, 1_000), await spend(hub, two, 1_000)]
    expect(Math.max(...sent)).toBeLessThanOrEqual(Math.ceil(remaining / 2) + 1)
    expect(Math.min(...sent)).toBeGreaterThanOrEqual(Math.floor(remaining / 4))
    expect(hub.remaining).toBeGreaterThanOrEqual(0)
  })

  it('a replica that has seen no other does not take the whole either', async () => {
    const one = await replica()
    const hub = gitHub(101)
    await spend(hub, one, 1)
    await lose(one)
    expect(await spend(hub, one, 1_000)).toBe(50)
  })

  it('what did not cost does not use up the part', async () => {
    const one = await replica()
    const hub = gitHub(11)
    await spend(hub, one, 1)
    await lose(one)
    expect(await spend(hub, one, 50, true)).toBe(50)
    expect(await spend(hub, one, 50)).toBe(5)
  })

  it('each replica takes its part of the places and of the points', async () => {
    const one = await replica({ maxConcurrent: 8, pointsPerMinute: 40 })
    const hub = gitHub(1_000)
    await spend(hub, one, 1)
    await lose(one)
    const passes = [await one.enter(), await one.enter(), await one.enter(), await one.enter()]
    expect(await within(one.enter())).toBeUndefined()
    for (const pass of passes) pass.leave(answer(900))
    // One that was sent before, four since: what is counted goes on to count.
    expect(await spend(hub, one, 100)).toBe(15)
  })

  it('nothing is sent while GitHub is known to limit, and the others are told when it is back', async () => {
    const [one, two] = [await replica(), await replica()]
    const hub = gitHub(900)
    await spend(hub, one, 1)
    await spend(hub, two, 1)
    await lose(one, two)
    const pass = await one.enter()
    pass.leave(secondary)
    await expect(one.enter()).rejects.toMatchObject({ retryAfter: 30 })
    await restore(one, two)
    await vi.waitFor(() =>
      expect(two.enter()).rejects.toMatchObject({ code: 'upstream_rate_limited', retryAfter: 30 }),
    )
  })

  it('ends with Redis back: the budget is one again', async () => {
    const [one, two] = [await replica(), await replica()]
    const hub = gitHub(61)
    await spend(hub, one, 1)
    await lose(one, two)
    await spend(hub, one, 10)
    await restore(one, two)
    expect(await spend(hub, one, 5)).toBe(5)
    vi.advanceTimersByTime(250)
    await carriedOut(one)
    expect(await spend(hub, two, 1_000)).toBe(45)
    expect(hub.remaining).toBe(0)
  })
})

describe('a replica that hears no messages', () => {
  it('asks before each call, and so knows what others were told', async () => {
    const [one, deaf] = [await replica(), await replica(undefined, true)]
    const hub = gitHub(900)
    expect(await spend(hub, deaf, 30)).toBe(30)
    ;(await one.enter()).leave(secondary)
    await carriedOut(one)
    await expect(deaf.enter()).rejects.toMatchObject({ retryAfter: 30 })
  })
})

describe('a replica that sends no more calls', () => {
  it('gives back what it has in hand, also unasked', async () => {
    const [deaf, two] = [await replica(undefined, true), await replica()]
    const hub = gitHub(60)
    await spend(hub, deaf, 1)
    // Side by side, so that it fetches ahead.
    const passes = await Promise.all(Array.from({ length: 10 }, () => deaf.enter()))
    for (const pass of passes) pass.leave(answer(--hub.remaining))
    await spend(hub, deaf, 1)
    at += 1_001
    vi.advanceTimersByTime(250)
    await carriedOut(deaf)
    expect(await spend(hub, two, 1_000)).toBe(48)
  })
})

describe('a replica that died', () => {
  it('leaves what it held to the others after a while', async () => {
    const [one, two] = [await replica(), await replica()]
    ;(await one.enter()).leave(answer(5))
    for (let i = 0; i < 5; i++) await one.enter()
    one.redis.close()
    expect(await within(two.enter())).toBeUndefined()
    at += 15_000
    for (let i = 0; i < 5; i++) expect(await within(two.enter())).toBeDefined()
  })
})
