import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { type SlowProxy, startProxy } from '../../bench/support/proxy.ts'
import type { Client } from '../support/app.ts'
import { type Fleet, startFleet } from '../support/fleet.ts'
import { addIssue, addRepository, emptyWorld, startGitHub } from '../support/github/index.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

const ISSUES = 40

interface Scene {
  readonly redis: RedisServer
  /** Between the replicas and Redis. */
  readonly proxy: SlowProxy
  readonly fleet: Fleet
  /** Asks for every issue once, by turns of every replica. */
  askAll(): Promise<Outcome>
}

interface Outcome {
  readonly failed: readonly string[]
  readonly bodies: readonly string[]
}

async function inScene(
  args: readonly string[],
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const world = emptyWorld()
  world.anonymousLimits.core = 1_000_000
  const repository = addRepository(world, { owner: 'acme', name: 'engine' })
  for (let count = 0; count < ISSUES; count += 1) addIssue(world, repository, {})
  await using redis = await startRedis({ args })
  await using proxy = await startProxy(redis.port)
  await using github = await startGitHub({ world })
  const REDIS_URL = `redis://127.0.0.1:${proxy.port}`
  const env = { GITHUB_API_URL: github.url, REDIS_URL, CACHE_MAX_BYTES: '1048576' }
  await using fleet = await startFleet(2, { ...env, LOG_LEVEL: 'info' })
  await play({
    redis,
    proxy,
    fleet,
    askAll: () => askAll(fleet.replicas.map(({ client }) => client)),
  })
}

async function askAll(clients: readonly Client[]): Promise<Outcome> {
  const answers = await Promise.all(
    Array.from({ length: ISSUES }, (_, index) =>
      clients[index % clients.length]?.post({
        context_type: 'github_issue',
        params: { owner: 'acme', repo: 'engine', issue_number: index + 1 },
        // Cold in memory at every round, so that each asks Redis and GitHub.
        max_age: 0,
      }),
    ),
  )
  const failed = answers.flatMap((answer) => (answer?.status === 200 ? [] : [answer?.text ?? '']))
  return { failed, bodies: answers.map((answer) => answer?.text ?? '') }
}

/** Whether a replica counts on Redis, by its own word. */
async function health({ fleet }: Scene): Promise<string[]> {
  const reports = await Promise.all(fleet.replicas.map(({ client }) => client.get('/health')))
  return reports.map(
    (report) => report.json<{ checks: { redis: { status: string } } }>().checks.redis.status,
  )
}

async function healthy(scene: Scene, deadline = performance.now() + 5_000): Promise<boolean> {
  while (performance.now() < deadline) {
    if ((await health(scene)).every((status) => status === 'ok')) return true
  }
  return false
}

/** @param delay milliseconds for each piece of an answer */
function slow(proxy: SlowProxy, delay: number): void {
  proxy.delay = delay
}

describe('no request fails because Redis', () => {
  const faults: readonly [
    string,
    (scene: Scene) => Promise<void> | void,
    (scene: Scene) => Promise<void> | void,
  ][] = [
    ['is killed and comes back', ({ redis }) => redis.kill(), ({ redis }) => redis.restart()],
    ['hangs and goes on', ({ redis }) => redis.pause(), ({ redis }) => redis.resume()],
    ['is slow and quick again', ({ proxy }) => slow(proxy, 100), ({ proxy }) => slow(proxy, 0)],
  ]
  it.each(faults)('%s', async (_name, breakIt, mendIt) => {
    await inScene([], async (scene) => {
      const before = await scene.askAll()
      await breakIt(scene)
      const during = [await scene.askAll(), await scene.askAll()]
      expect(await health(scene)).toEqual(['degraded', 'degraded'])
      await mendIt(scene)
      expect(await healthy(scene)).toBe(true)
      const after = await scene.askAll()
      for (const outcome of [...during, after]) expect(outcome).toEqual(before)
      expect(before.failed).toEqual([])
    })
  })

  it('is full', async () => {
    await inScene(['--maxmemory', '1mb', '--maxmemory-policy', 'noeviction'], async (scene) => {
      const first = await scene.askAll()
      expect(first.failed).toEqual([])
      expect(await scene.askAll()).toEqual(first)
      // It is there and quick, so that it is not left alone; a busy machine may look like that for a moment.
      expect(await healthy(scene)).toBe(true)
    })
  })

  it('holds garbage under every key', async () => {
    await inScene([], async (scene) => {
      const before = await scene.askAll()
      const client = new Redis(scene.redis.url)
      const keys = await client.keys('*')
      await Promise.all(keys.map((key) => client.set(key, randomBytes(300))))
      client.disconnect()
      expect(keys.length).toBeGreaterThan(ISSUES)
      expect(await scene.askAll()).toEqual(before)
      expect(before.failed).toEqual([])
    })
  })
})
