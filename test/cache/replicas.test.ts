import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Cluster, Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLeases } from '../../src/cache/leases.ts'
import { createSharedResources } from '../../src/github/redisResources.ts'
import { createMemoryResources } from '../../src/github/resources.ts'
import { createCallerLimit } from '../../src/http/callerLimit.ts'
import { PREFIX, redisKey } from '../../src/redis/keys.ts'
import { createRedisService, type RedisService } from '../../src/redis/redis.ts'
import { resourceOf } from '../suites/resources.ts'
import {
  type Clock,
  createClock,
  createReplica,
  createSource,
  failures,
  type Replica,
  type RequestOptions,
  refusals,
  requestOf,
  type Source,
  seen,
} from '../support/cache.ts'
import { type RedisServer, startRedis, startRedisCluster } from '../support/redis.ts'

/** Milliseconds: these tests are about what is kept, not about how quickly, on a machine of any speed. */
const PATIENCE = 2_000

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.close())

const services: RedisService[] = []
let observer: Redis
let clock: Clock
let source: Source
beforeEach(async () => {
  clock = createClock()
  source = createSource()
  source.answers('v1')
  observer = new Redis(server.url)
  await observer.flushall()
})
afterEach(() => {
  vi.useRealTimers()
  observer.disconnect()
  for (const service of services.splice(0)) service.close()
})

interface Process extends Replica {
  readonly service: RedisService
  asked(options?: RequestOptions): Promise<string>
}

async function connect(url = server.url): Promise<RedisService> {
  const service = createRedisService({ url, now: Date.now, onChange: () => {}, patience: PATIENCE })
  services.push(service)
  await service.ready(10_000)
  return service
}

/** A cache over connections of its own, as another process has it. */
async function join({ url = server.url, now = clock.now } = {}): Promise<Process> {
  const service = await connect(url)
  const { commands, bus } = service
  const replica = createReplica({ now, redis: { commands, bus } })
  await until(() => replica.invalidations.informed)
  const asked = (options: RequestOptions = {}) =>
    replica.get(requestOf(source.load, options)).then(seen, ({ code }: { code: string }) => code)
  return { ...replica, service, asked }
}

/** Looks at each turn of the event loop; the test's own time limit ends it. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await nextTurn()
}

const waited = (key: string) => async () => (await observer.exists(redisKey('waiting', key))) === 1

describe('two replicas', () => {
  it('fetch once for both, and the one that waits is woken by a message', async () => {
    const [here, there] = [await join(), await join()]
    // What would look again after a while never does.
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] })
    source.waits()
    const first = here.asked()
    await until(() => source.loads.length === 1)
    const second = there.asked()
    await until(waited('ann:issue'))
    await source.last.answer('v1')
    expect(await Promise.all([first, second])).toEqual(['miss v1', 'collapsed v1'])
    expect(source.loads).toHaveLength(1)
    expect(await here.asked()).toBe('hit v1')
    expect(await there.asked()).toBe('hit v1')
  })

  it('share what one has fetched', async () => {
    const [here, there] = [await join(), await join()]
    expect(await here.asked()).toBe('miss v1')
    expect(await there.asked()).toBe('hit_shared v1')
    expect(await there.asked({ principal: 'bob' })).toBe('miss v1')
    clock.advance(90)
    source.answers('v2')
    expect(await here.asked()).toBe('stale v1')
    await until(async () => (await here.asked()) === 'hit v2')
    expect(await there.asked()).toBe('stale v1')
    await until(async () => (await there.asked()) === 'hit v2')
    expect(source.loads).toHaveLength(3)
  })

  it('go on by themselves when the one that fetches fails', async () => {
    const [here, there] = [await join(), await join()]
    source.waits()
    const first = here.asked()
    await until(() => source.loads.length === 1)
    const second = there.asked()
    await until(waited('ann:issue'))
    await source.last.fail(failures.badGateway())
    expect(await first).toBe('upstream_error')
    await until(() => source.loads.length === 2)
    await source.last.answer('v1')
    expect(await second).toBe('miss v1')
  })

  it('remember a refusal together, for its principal alone', async () => {
    const [here, there] = [await join(), await join()]
    source.fails(refusals.notFound())
    expect(await here.asked()).toBe('not_found')
    source.answers('v2')
    expect(await there.asked()).toBe('not_found')
    expect(source.loads).toHaveLength(1)
    expect(await there.asked({ principal: 'bob' })).toBe('miss v2')
    clock.advance(11)
    expect(await there.asked()).toBe('miss v2')
  })

  it.each(Object.entries(refusals))(
    'lose an answer both when one is refused (%s)',
    async (_name, refusal) => {
      const [here, there] = [await join(), await join()]
      await here.asked()
      expect(await there.asked()).toBe('hit_shared v1')
      clock.advance(1)
      source.fails(refusal())
      expect(await here.asked({ maxAge: 0 })).toBe(refusal().code)
      const known = await there.memory.get('ann:issue')
      await until(() => known !== undefined && there.invalidations.verdict(known) === 'revoked')
      expect(await there.asked()).toBe(refusal().code)
      clock.advance(15)
      source.fails(failures.badGateway())
      expect(await there.asked()).toBe('upstream_error')
    },
  )

  it('keep the newer answer, however late the older one is written', async () => {
    const [here, there] = [await join(), await join()]
    source.waits()
    const slow = here.asked()
    await until(() => source.loads.length === 1)
    clock.advance(1)
    const quick = there.asked({ maxAge: 0 })
    await until(() => source.loads.length === 2)
    await source.loads[1]?.answer('newer')
    expect(await quick).toBe('requested newer')
    await source.loads[0]?.answer('older')
    expect(await slow).toBe('miss older')
    expect(await (await join()).asked()).toBe('hit_shared newer')
  })

  it('hear of each other’s events, also of those from before they came', async () => {
    const [here, there] = [await join(), await join()]
    source.answers('v1', { tags: ['issue:o/r#1'] })
    await here.asked()
    await there.asked()
    clock.advance(1)
    await here.invalidations.mark('changed', ['issue:o/r#1'])
    source.answers('v2', { tags: ['issue:o/r#1'] })
    clock.advance(1)
    const late = await join()
    expect(await late.asked()).toBe('miss v2')
  })
})

describe('a refused credential', () => {
  it('loses any number of answers at the price of a few commands', async () => {
    const here = await join()
    const names = Array.from({ length: 200 }, (_, index) => `issue-${index}`)
    await Promise.all(names.map((name) => here.asked({ name })))
    clock.advance(1)
    source.fails(refusals.auth())
    await observer.config('RESETSTAT')
    expect(await here.asked({ name: 'other', maxAge: 0 })).toBe('upstream_auth')
    const calls = await commandCalls(observer)
    expect(Object.keys(calls)).not.toEqual(expect.arrayContaining(['keys']))
    expect(Object.keys(calls)).not.toEqual(expect.arrayContaining(['scan']))
    expect(Object.values(calls).reduce((sum, count) => sum + count)).toBeLessThan(20)
    source.fails(failures.badGateway())
    const there = await join()
    for (const name of names.slice(0, 5)) {
      expect(await here.asked({ name })).toBe('upstream_error')
      expect(await there.asked({ name })).toBe('upstream_error')
    }
  })
})

/** How often each command was called, those of scripts included. */
async function commandCalls(client: Redis): Promise<Record<string, number>> {
  const stats = await client.info('commandstats')
  return Object.fromEntries(
    [...stats.matchAll(/^cmdstat_(\w+).*?:calls=(\d+)/gm)].map(([, name = '', count]) => [
      name,
      Number(count),
    ]),
  )
}

describe('a replica that dies while it fetches', () => {
  it('delays the others by two seconds at most', async () => {
    const dead = await connect()
    expect(await createLeases(dead.commands, dead.bus).acquire('ann:issue')).not.toBe('held')
    dead.close()
    const here = await join({ now: Date.now })
    const started = performance.now()
    expect(await here.asked()).toBe('miss v1')
    const took = performance.now() - started
    expect(took).toBeGreaterThan(500)
    expect(took).toBeLessThan(2_000)
  })
})

describe('garbage', () => {
  const valid = Buffer.from(`GCS1${'9'.repeat(13)}`)
  const garbage: [string, (key: string) => Promise<unknown>][] = [
    ['random bytes', (key) => observer.set(key, randomBytes(300))],
    ['nothing', (key) => observer.set(key, '')],
    ['a header alone', (key) => observer.set(key, valid)],
    ['a header of the future', (key) => observer.set(key, Buffer.concat([valid, randomBytes(90)]))],
    ['JSON', (key) => observer.set(key, '{"kind":"answer"}')],
    ['a list', (key) => observer.rpush(key, 'a', 'b')],
    ['a hash', (key) => observer.hset(key, 'a', 'b')],
    ['a set of scores', (key) => observer.zadd(key, 1, 'a')],
  ]
  it.each(garbage)('as %s under every key does no harm', async (_name, spoil) => {
    const here = await join()
    source.answers('v1', { tags: ['issue:o/r#1'] })
    await here.asked()
    await here.invalidations.mark('changed', ['issue:o/r#2'])
    const keys = await observer.keys('*')
    expect(keys.length).toBeGreaterThan(1)
    await observer.del(...keys)
    await Promise.all(keys.map(spoil))
    source.answers('v2')
    const late = createReplica({ now: clock.now, redis: await connect() })
    for (const [name, outcome] of [
      ['issue', 'miss v2'],
      ['issue', 'hit v2'],
      ['other', 'miss v2'],
    ] as const) {
      expect(seen(await late.get(requestOf(source.load, { name })))).toBe(outcome)
    }
    expect(await here.asked()).toBe('hit v1')
  })

  it.each([
    ['bytes', (key: string) => observer.set(key, 'z'.repeat(100))],
    ['a list', (key: string) => observer.rpush(key, 'a')],
  ])('as %s does not stay where an answer belongs', async (_name, spoil) => {
    const here = await join()
    await spoil(redisKey('answer', 'ann:issue'))
    expect(await here.asked()).toBe('miss v1')
    expect(await (await join()).asked()).toBe('hit_shared v1')
  })

  it('in a message does no harm', async () => {
    const here = await join()
    await observer.publish(`${PREFIX}invalidated`, 'garbage')
    await observer.publish(`${PREFIX}released`, 'garbage')
    expect(await here.asked()).toBe('miss v1')
  })
})

describe('a subscription that breaks', () => {
  it('makes what is in memory stale, and is made good', async () => {
    const here = await join()
    await here.asked()
    clock.advance(1)
    await observer.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await until(() => !here.invalidations.informed)
    await until(() => here.invalidations.informed)
    source.answers('v2')
    expect(await here.asked()).toBe('stale v1')
    await until(async () => (await here.asked()) === 'hit v2')
  })
})

describe('a Redis that comes back', () => {
  it('is shared again', async () => {
    await using own = await startRedis()
    const url = own.url
    const [here, there] = [await join({ url }), await join({ url })]
    await here.asked()
    await own.restart()
    await until(() => !here.invalidations.informed && !there.invalidations.informed)
    await until(() => here.invalidations.informed && there.invalidations.informed)
    await until(() => here.service.commands.available && there.service.commands.available)
    clock.advance(1)
    expect(await here.asked({ name: 'other' })).toBe('miss v1')
    expect(await there.asked({ name: 'other' })).toBe('hit_shared v1')
  })
})

describe('a Redis Cluster', () => {
  it('serves as a single Redis does', async () => {
    await using cluster = await startRedisCluster()
    const url = cluster.url
    const [here, there] = [await join({ url }), await join({ url })]
    source.waits()
    const names = Array.from({ length: 12 }, (_, index) => `issue-${index}`)
    const first = names.map((name) => here.asked({ name }))
    await until(() => source.loads.length === names.length)
    const second = names.map((name) => there.asked({ name }))
    const nodes = new Cluster(url.split(','))
    const isAwaited = (name: string) => nodes.exists(redisKey('waiting', `ann:${name}`))
    await until(async () => !(await Promise.all(names.map(isAwaited))).includes(0))
    nodes.disconnect()
    await Promise.all(source.loads.map((load) => load.answer('v1', { tags: ['access:o'] })))
    expect(new Set(await Promise.all(first))).toEqual(new Set(['miss v1']))
    expect(new Set(await Promise.all(second))).toEqual(new Set(['collapsed v1']))
    expect(source.loads).toHaveLength(names.length)

    clock.advance(1)
    await here.invalidations.mark('revoked', ['access:o'])
    const known = await there.memory.get('ann:issue-0')
    await until(() => known !== undefined && there.invalidations.verdict(known) === 'revoked')
    source.fails(failures.badGateway())
    expect(new Set(await Promise.all(names.map((name) => there.asked({ name }))))).toEqual(
      new Set(['upstream_error']),
    )
    const late = await join({ url })
    expect(await late.asked({ name: 'issue-1' })).toBe('upstream_error')

    const counts = [here, there, here].map(({ service }) => counted(service, 'caller'))
    expect((await Promise.all(counts)).sort()).toEqual([1, 2, 3])

    const [ours, theirs] = [here, there].map(({ service }) =>
      createSharedResources(createMemoryResources(1024 * 1024), service.commands),
    )
    const resource = resourceOf('{}')
    await ours?.keep('ann', '/repos/o/r', resource)
    expect(await theirs?.find('ann', '/repos/o/r')).toEqual({ resource, own: true })
  }, 60_000)

  /** How many requests of a caller have been counted, this one included. */
  async function counted({ commands }: RedisService, caller: string): Promise<number> {
    const limit = { max: 10, windowMs: 60_000, redis: commands, now: Date.now }
    return (await createCallerLimit(limit).count(caller)).current
  }

  it('tells a replica whose subscription breaks', async () => {
    await using cluster = await startRedisCluster()
    const here = await join({ url: cluster.url })
    await Promise.all(
      cluster.nodes.map(async ({ url }) => {
        const client = new Redis(url)
        await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
        client.disconnect()
      }),
    )
    await until(() => !here.invalidations.informed)
    await until(() => here.invalidations.informed)
    expect(here.invalidations.missedUntil).toBeGreaterThan(0)
  }, 60_000)
})
