import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../../test/support/redis.ts'
import { type Held, heldBy, metricIn } from '../support/processes.ts'
import { makeCalls, warm } from './callers.ts'
import { createJudge } from './judge.ts'
import { type Replicas, startReplicas } from './replicas.ts'
import { anOpenIssue, askFor, pathOf, readable } from './stage.ts'
import { makeEdits, type Scene, type Step, WEBHOOK_SECRET } from './steps.ts'
import { createTally, type Tally } from './tally.ts'
import { startWorld, type World } from './world.ts'

const REPLICAS = 3
const KEY = ['chaos', 'key', '0123456789abcdef'].join('-')
/** Milliseconds. Upstream calls are given up soon, as a run has little time. */
const TIMEOUT_MS = 1_500
const CONNECTIONS = 16
/** Milliseconds after a fault within which all must be well again. A refusal is remembered for ten seconds. */
const RECOVERY_MS = 20_000
/** Milliseconds. */
const CALM_MS = 4_000

export interface Recovery {
  readonly step: Step
  /** Seconds since the fault was mended; undefined where it took too long. */
  readonly seconds: number | undefined
}

/** What one replica holds once nobody calls. */
export interface Leaks {
  readonly before: readonly Held[]
  readonly after: readonly Held[]
  /** Calls to GitHub that are still under way. */
  readonly calls: number
  readonly found: readonly string[]
}

export interface ChaosReport {
  readonly tally: Tally
  readonly recoveries: readonly Recovery[]
  readonly leaks: Leaks
  readonly seconds: number
}

/** Replicas, Redis and GitHub, and who calls them. */
export async function startScene(): Promise<Scene & AsyncDisposable> {
  const stack = new AsyncDisposableStack()
  try {
    const redis = stack.use(
      await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] }),
    )
    const world = stack.use(await startWorld())
    const replicas = stack.use(await startReplicas(REPLICAS, environment(world, redis.url)))
    const tally = createTally()
    const judge = createJudge(world, tally)
    const dispose = stack.move()
    const end = () => dispose.disposeAsync()
    return { redis, world, replicas, tally, judge, key: KEY, [Symbol.asyncDispose]: end }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

function environment(world: World, redis: string): Record<string, string> {
  return {
    GITHUB_API_URL: world.github.url,
    GITHUB_TOKEN: world.token('service'),
    GITHUB_TIMEOUT_MS: String(TIMEOUT_MS),
    GITHUB_CONNECTIONS: String(CONNECTIONS),
    GITHUB_BUDGET: 'on',
    GITHUB_POINTS_PER_MINUTE: '1000000',
    GITHUB_MAX_CONCURRENT: '1000',
    GITHUB_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ALLOW_CALLER_TOKENS: 'true',
    API_KEYS: `chaos:${KEY}`,
    REDIS_URL: redis,
    RATE_LIMIT_MAX: '1000000000',
    // What is tested is not how busy this machine is.
    MAX_EVENT_LOOP_DELAY_MS: '60000',
    // Small enough to be full before long.
    CACHE_MAX_BYTES: '16777216',
    // `info` holds the line that says where it listens; requests are logged at that level too.
    LOG_LEVEL: 'info',
  }
}

/** Steady load while one thing after the other breaks. @param ms of each fault */
export async function runChaos(
  steps: readonly Step[],
  ms: number,
  say: (line: string) => void,
): Promise<ChaosReport> {
  const started = performance.now()
  await using scene = await startScene()
  const { tally } = scene
  tally.begin('start', {})
  await warm(scene)
  const before = await atRest(scene.replicas)
  const ending = new AbortController()
  const load = Promise.all([makeCalls(scene, ending.signal), makeEdits(scene, ending.signal)])
  const recoveries: Recovery[] = []
  const play = (async () => {
    for (const step of steps) {
      tally.begin(step.name, step.permitted)
      await step.run(scene, ms)
      const seconds = await recovered(scene)
      recoveries.push({ step, seconds })
      if (seconds === undefined) tally.blame('failed', 'not well again after the fault')
      say(`${step.name}: well again after ${seconds?.toFixed(1) ?? 'too many'} s`)
      await warm(scene)
    }
  })()
  // Whoever fails first ends it all.
  await Promise.race([play, load])
  ending.abort()
  await load
  tally.begin('calm', {})
  const leaks = await lookForLeaks(scene, before)
  return { tally, recoveries, leaks, seconds: (performance.now() - started) / 1000 }
}

/** Seconds until every replica finds all its parts well, and reads for everybody what GitHub has now. */
async function recovered(scene: Scene): Promise<number | undefined> {
  const started = performance.now()
  for (;;) {
    if (
      (await Promise.all(scene.replicas.pids.map((_, index) => isWell(scene, index)))).every(
        Boolean,
      )
    )
      return (performance.now() - started) / 1000
    if (performance.now() - started > RECOVERY_MS) return undefined
    await sleep(50)
  }
}

async function isWell(scene: Scene, index: number): Promise<boolean> {
  const { replicas } = scene
  const health = await replicas.sendTo(index, { method: 'GET', path: '/health', headers: {} })
  if (health.status !== 200 || JSON.parse(health.text).status !== 'ok') return false
  for (const who of ['service', 'ann', 'bob'] as const) {
    for (const repository of readable(scene, who).map(pathOf)) {
      const ask = askFor(scene, { ...anOpenIssue(who), repository })
      const kept = askFor(scene, { who, repository, number: 1, need: 'kept' })
      for (const one of [ask, kept])
        if ((await replicas.sendTo(index, one)).status !== 200) return false
    }
  }
  return true
}

/** What replicas hold when nobody calls them. */
async function atRest(replicas: Replicas): Promise<Held[]> {
  await replicas.hangUp()
  await sleep(500)
  return replicas.pids.map(heldBy)
}

async function lookForLeaks({ replicas }: Scene, before: readonly Held[]): Promise<Leaks> {
  await sleep(CALM_MS)
  const after = await atRest(replicas)
  const texts = await Promise.all(
    replicas.pids.map(async (_, index) => {
      const reply = await replicas.sendTo(index, { method: 'GET', path: '/metrics', headers: {} })
      return reply.text
    }),
  )
  const calls = texts.reduce((sum, text) => sum + callsIn(text), 0)
  const found: string[] = []
  const least = Math.min(...before.map(({ sockets }) => sockets))
  const files = Math.max(...before.map(({ descriptors, sockets }) => descriptors - sockets))
  for (const held of after) {
    // The pool to GitHub may have opened all its connections meanwhile.
    if (held.sockets > least + CONNECTIONS) found.push(`${held.sockets} sockets`)
    if (held.descriptors - held.sockets > files + 4)
      found.push(`${held.descriptors - held.sockets} other descriptors`)
    if (held.rss > 400 * 1024 * 1024)
      found.push(`${Math.round(held.rss / 1024 / 1024)} MiB resident`)
  }
  if (calls > 0) found.push(`${calls} calls to GitHub that nobody waits for`)
  return { before, after, calls, found }
}

const callsIn = (text: string) =>
  ['running', 'pending', 'queued'].reduce(
    (sum, state) => sum + metricIn(text, 'github_pool_connections', `state="${state}"`),
    0,
  )
