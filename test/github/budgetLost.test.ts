import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRateGate } from '../../src/github/budget/gate.ts'
import type { Pass, RateGate } from '../../src/github/budget/rateGate.ts'
import { createSharedLedger } from '../../src/github/budget/shared.ts'
import type { Bus } from '../../src/redis/bus.ts'
import { connectPatiently, type PatientRedis } from '../support/budgetRedis.ts'
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
  readonly connection: PatientRedis
  enter(resource?: string): Promise<Pass>
}

async function replica(
  limits = { maxConcurrent: 50, pointsPerMinute: 10_000 },
  deaf = false,
): Promise<Replica> {
  const connection = await connectPatiently(server.url)
  const { redis } = connection
  const bus: Bus = deaf
    ? { ...connection.bus, on: () => {}, onConnection: () => {}, connected: false }
    : connection.bus
  const now = () => at
  const ledger = createSharedLedger({ redis, bus, limits, now })
  const gate = createRateGate({ ledger, now, enforced: true })
  closers.push(() => {
    gate.close()
    connection.close()
  })
  const enter = async (resource = 'core') => gate.enter(principal, resource, 'interactive', signal)
  return { gate, connection, enter }
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
    async call(replica: Replica, free = false) {
      const pass = await within(replica)
      if (!pass) return false
      if (!free) this.remaining -= 1
      pass.leave({ ...answer(this.remaining), free })
      return true
    },
  }
}

/** The pass, or undefined where it does not come while time passes. */
async function within(replica: Replica): Promise<Pass | undefined> {
  let outcome: { pass: Pass | undefined } | undefined
  const entering = replica.enter().then(
    (pass) => (outcome = { pass }),
    () => (outcome = { pass: undefined }),
  )
  // One answer may lead to another question.
  for (let round = 0; round < 5 && !outcome; round += 1) await replica.connection.settle()
  if (!outcome) {
    at += 3_100
    vi.advanceTimersByTime(250)
  }
  return (await entering).pass
}

async function spend(hub: ReturnType<typeof gitHub>, from: Replica, most: number, free = false) {
  let sent = 0
  while (sent < most && (await hub.call(from, free))) sent += 1
  return sent
}

/** Redis has carried out what the replica sent before. */
const carriedOut = ({ connection }: Replica) => connection.settle()

async function lose(...replicas: readonly Replica[]) {
  await server.kill()
  await vi.waitFor(() => {
    for (const { connection } of replicas) expect(connection.redis.available).toBe(false)
  })
}

async function restore(...replicas: readonly Replica[]) {
  await server.restart()
  await vi.waitFor(
    () => {
      for (const { connection } of replicas)
        expect([connection.redis.available, connection.bus.connected]).toEqual([true, true])
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
    // A block that was in hand is spent first, then half of what is left.
    expect(Math.max(...sent)).toBeLessThanOrEqual(remaining / 2 + 10)
    expect(Math.min(...sent)).toBeGreaterThanOrEqual(remaining / 4)
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
    expect(await within(one)).toBeUndefined()
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
    one.connection.close()
    expect(await within(two)).toBeUndefined()
    at += 15_000
    for (let i = 0; i < 5; i++) expect(await within(two)).toBeDefined()
  })
})
