import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type RedisServer, startRedis } from '../test/support/redis.ts'
import { type Bench, type Figure, figure } from './support/figures.ts'
import { startFleet } from './support/fleet.ts'
import { type SlowProxy, startProxy } from './support/proxy.ts'
import type { Server } from './support/servers.ts'
import { askIssue, startSimulator, UNGOVERNED } from './support/service.ts'
import { median, sum } from './support/statistics.ts'
import { type Seen, type Steady, steadyLoad, WARM } from './support/steady.ts'

const ISSUES = 6_000
/** How often each fault comes, by turns: a first second is one in which anything may happen on a shared machine. */
const ROUNDS = 3
/** Seconds of a fault once its first second is over. */
const STRETCH = 5
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
  title: 'Two processes whose Redis fails, against two whose Redis does not, under the same load',
  async run() {
    await using redis = await startRedis()
    await using sound = await startRedis()
    await using proxy = await startProxy(redis.port)
    await using github = await startSimulator({ issues: ISSUES, comments: 2, latency: 5 })
    await using control = await startPair(github, sound.url)
    const straight = await tryFaults(github, redis.url, control.load, faultsOf(redis))
    const behindProxy = `redis://127.0.0.1:${proxy.port}`
    const slowed = await tryFaults(github, behindProxy, control.load, [slow(proxy)])
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
    // Shows how much the two pairs differ anyway on this machine.
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

interface Pair extends AsyncDisposable {
  readonly urls: readonly string[]
  readonly load: Steady
}

async function startPair(github: Server, url: string): Promise<Pair> {
  const fleet = await startFleet(2, github, { ...UNGOVERNED, REDIS_URL: url })
  for (const replica of fleet.urls) {
    for (let number = 1; number <= WARM; number += 1) await askIssue(replica, number)
  }
  const load = steadyLoad(fleet.urls, ISSUES)
  await load.run(2_000)
  return { urls: fleet.urls, load, [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose]() }
}

async function tryFaults(
  github: Server,
  url: string,
  control: Steady,
  faults: readonly Fault[],
): Promise<Figure[]> {
  await using pair = await startPair(github, url)
  const rounds = faults.map((): Round[] => [])
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [at, fault] of faults.entries()) {
      rounds[at]?.push(await tryFault(fault, pair, control))
    }
  }
  return faults.flatMap(({ name }, at) => figuresOf(name, rounds[at] ?? []))
}

interface Round {
  readonly failed: number
  readonly first: Compared
  /** After the first one. */
  readonly seconds: readonly Compared[]
  /** Seconds until replicas share again. */
  readonly recovery: number
}

async function tryFault(
  { bring, mend }: Fault,
  { load, urls }: Pair,
  control: Steady,
): Promise<Round> {
  const [first] = await Promise.all([compare(load, control), bring()])
  const seconds: Compared[] = []
  while (seconds.length < STRETCH) seconds.push(await compare(load, control))
  const mended = performance.now()
  const [recovery, during] = await Promise.all([
    mend().then(() => untilShared(load, urls, mended)),
    load.run(MENDING_MS),
  ])
  const failed = sum([first, ...seconds, during].map((second) => second.failed))
  return { failed, first, seconds, recovery }
}

/** Medians of the seconds; of all rounds together what failed, and the longest recovery. */
function figuresOf(name: string, rounds: readonly Round[]): Figure[] {
  const firsts = rounds.map(({ first }) => first)
  const seconds = rounds.flatMap((round) => round.seconds)
  const middle = (of: readonly Compared[], what: 'warm' | 'cold' | 'warmOfOthers') =>
    median(of.map((second) => second[what]))
  const added = `${name}: added to`
  return [
    figure(`${name}: failed requests`, sum(rounds.map(({ failed }) => failed)), 'requests', {
      most: 0,
    }),
    figure(`${added} warm p99 in the first second`, middle(firsts, 'warm'), 'ms', { most: 60 }),
    figure(`${added} cold p99 in the first second`, middle(firsts, 'cold'), 'ms', { most: 60 }),
    figure(`${added} warm p99 after that`, middle(seconds, 'warm'), 'ms', { most: 1 }),
    figure(`${added} cold p99 after that`, middle(seconds, 'cold'), 'ms'),
    figure(`${name}: warm p99 of the others`, middle(seconds, 'warmOfOthers'), 'ms'),
    figure(
      `${name}: until replicas share again`,
      Math.max(...rounds.map(({ recovery }) => recovery)),
      's',
      { most: 5 },
    ),
  ]
}

/** Milliseconds by which the p99 is higher than that of the others in the same second. */
interface Compared extends Seen {
  readonly warmOfOthers: number
}

/**
 * One second, in which both pairs have the same load: where others use the machine, too, both suffer,
 * and what one suffers more is what its Redis costs it.
 */
async function compare(load: Steady, control: Steady): Promise<Compared> {
  const [own, others] = await Promise.all([load.run(SECOND_MS), control.run(SECOND_MS)])
  return {
    failed: own.failed,
    warm: own.warm - others.warm,
    cold: own.cold - others.cold,
    warmOfOthers: others.warm,
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
