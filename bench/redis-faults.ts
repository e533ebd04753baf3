import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type RedisServer, startRedis } from '../test/support/redis.ts'
import { type Bench, type Figure, figure } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { type SlowProxy, startProxy } from './support/proxy.ts'
import type { Server } from './support/servers.ts'
import { askIssue, startSimulator, UNGOVERNED } from './support/service.ts'
import { median } from './support/statistics.ts'
import { type Seen, type Steady, steadyLoad, WARM } from './support/steady.ts'

const ISSUES = 6_000
/** Seconds of load before a fault, and of a fault once its first second is over. */
const STRETCH = 7
const SECOND_MS = 1_000
/** Milliseconds of load while Redis comes back. */
const MENDING_MS = 2_500
const GIVE_UP_MS = 10_000

interface Fault {
  readonly name: string
  bring(): Promise<void>
  mend(): Promise<void>
}

export const redisFaults: Bench = {
  name: 'redis-faults',
  title: 'Two processes under steady load while their Redis fails',
  async run() {
    await using redis = await startRedis()
    await using proxy = await startProxy(redis.port)
    await using github = await startSimulator({ issues: ISSUES, comments: 2, latency: 5 })
    const straight = await tryFaults(github, redis.url, faultsOf(redis))
    const slowed = await tryFaults(github, `redis://127.0.0.1:${proxy.port}`, [slow(proxy)])
    return [...straight, ...slowed, await healing(github, redis)]
  },
}

function faultsOf(redis: RedisServer): Fault[] {
  const command = async (...args: [string, ...string[]]) => {
    const client = new Redis(redis.url)
    await client.call(...args)
    client.disconnect()
  }
  return [
    // Shows how much two stretches without a fault differ on this machine.
    { name: 'no fault', bring: async () => {}, mend: async () => {} },
    { name: 'killed', bring: () => redis.kill(), mend: () => redis.restart() },
    { name: 'hung', bring: async () => redis.pause(), mend: async () => redis.resume() },
    { name: 'restarted', bring: () => redis.restart(), mend: async () => {} },
    {
      name: 'full',
      bring: () => command('CONFIG', 'SET', 'maxmemory', '1'),
      mend: () => command('CONFIG', 'SET', 'maxmemory', '0'),
    },
    { name: 'garbled', bring: () => garble(redis), mend: async () => {} },
  ]
}

function slow(proxy: SlowProxy): Fault {
  const delayed = (ms: number) => async () => {
    proxy.delay = ms
  }
  return { name: 'slow', bring: delayed(100), mend: delayed(0) }
}

async function tryFaults(github: Server, url: string, faults: readonly Fault[]): Promise<Figure[]> {
  await using fleet = await startFleet(2, github, { ...UNGOVERNED, REDIS_URL: url })
  const load = steadyLoad(fleet.urls, ISSUES)
  for (const replica of fleet.urls) {
    for (let number = 1; number <= WARM; number += 1) await askIssue(replica, number)
  }
  await load.run(2_000)
  const figures: Figure[] = []
  for (const fault of faults) figures.push(...(await tryFault(fault, load, fleet.urls)))
  return figures
}

async function tryFault(
  { name, bring, mend }: Fault,
  load: Steady,
  urls: readonly string[],
): Promise<Figure[]> {
  const before = await usual(load)
  const [first] = await Promise.all([load.run(SECOND_MS), bring()])
  const then = await usual(load)
  const mended = performance.now()
  const [recovery, during] = await Promise.all([
    mend().then(() => untilShared(load, urls, mended)),
    load.run(MENDING_MS),
  ])
  const failed = before.failed + first.failed + then.failed + during.failed
  return [
    figure(`${name}: failed requests`, failed, 'requests', { most: 0 }),
    figure(`${name}: added to warm p99 in the first second`, first.warm - before.warm, 'ms', {
      most: 60,
    }),
    figure(`${name}: added to cold p99 in the first second`, first.cold - before.cold, 'ms', {
      most: 60,
    }),
    figure(`${name}: added to warm p99 after that`, then.warm - before.warm, 'ms', { most: 1 }),
    figure(`${name}: added to cold p99 after that`, then.cold - before.cold, 'ms'),
    figure(`${name}: warm p99 before`, before.warm, 'ms'),
    figure(`${name}: until replicas share again`, recovery, 's', { most: 5 }),
  ]
}

/**
 * What most seconds of a stretch are like: where others use the machine, too, a second in which they
 * took it says nothing of the service.
 */
async function usual(load: Steady): Promise<Seen> {
  const seconds: Seen[] = []
  while (seconds.length < STRETCH) seconds.push(await load.run(SECOND_MS))
  const failed = seconds.reduce((sum, second) => sum + second.failed, 0)
  return {
    failed,
    warm: median(seconds.map(({ warm }) => warm)),
    cold: median(seconds.map(({ cold }) => cold)),
  }
}

/** Seconds since `mended` until one replica serves what the other fetched. */
async function untilShared(
  load: Steady,
  [first = '', second = '']: readonly string[],
  mended: number,
): Promise<number> {
  for (;;) {
    const number = load.fresh()
    await askIssue(first, number)
    const { head } = await askIssue(second, number)
    const waited = performance.now() - mended
    if (head.includes('; hit; ttl=')) return waited / 1000
    if (waited > GIVE_UP_MS) return Number.POSITIVE_INFINITY
    await sleep(50)
  }
}

/** Every key holds random bytes from now on, and for ever. */
async function garble(redis: RedisServer): Promise<void> {
  const client = new Redis(redis.url)
  for (const key of await client.keys('*')) await client.set(key, randomBytes(64))
  client.disconnect()
}

/** Whether an answer that was overwritten is shared again once a replica has fetched it anew. */
async function healing(github: Server, redis: RedisServer): Promise<Figure> {
  const answers = 20
  await redis.restart()
  await using fleet = await startFleet(2, github, { ...UNGOVERNED, REDIS_URL: redis.url })
  for (const [replica, url] of fleet.urls.entries()) {
    if (replica === 1) await garble(redis)
    for (let number = 1; number <= answers; number += 1) await askIssue(url, number)
  }
  const client = new Redis(redis.url)
  const keys = await client.keys('*:answer')
  const kept = await Promise.all(keys.map((key) => client.getrange(key, 0, 3)))
  client.disconnect()
  const healed = kept.filter((start) => start === 'GCS1').length
  return figure('garbled: answers kept anew once fetched anew', (100 * healed) / answers, '%', {
    least: 100,
  })
}
