import { Redis } from 'ioredis'
import { startRedis } from '../test/support/redis.ts'
import { compareCapacity } from './support/capacity.ts'
import { moveTo } from './support/cores.ts'
import { type Bench, figure } from './support/figures.ts'
import { saturate } from './support/load.ts'
import { start } from './support/servers.ts'
import {
  askIssue,
  callsOf,
  environment,
  forgetCalls,
  issueRequest,
  startService,
  startSimulator,
  UNGOVERNED,
} from './support/service.ts'

/**
 * Asked by turns, their answers take four times the memory that the services get: none is found
 * there. More keys would mean more refreshes, as each is stale after a minute.
 */
const KEYS = 600
/** Few enough that Redis, which has no core of its own here, always answers in time. */
const CONNECTIONS = 16

export const warmRedis: Bench = {
  name: 'warm-redis',
  title: 'An answer from Redis, against a bare route that reads the same bytes from Redis',
  async run() {
    await using redis = await startRedis()
    moveTo('any', redis.pid)
    await using github = await startSimulator({ issues: KEYS, comments: 3 })
    const env = {
      ...environment(github),
      ...UNGOVERNED,
      REDIS_URL: redis.url,
      CACHE_MAX_BYTES: '1048576',
    }
    await using plain = await start({ file: 'bench/servers/plain.ts', env })
    await using service = await startService(github, { env })
    await using bare = await start({
      file: 'bench/servers/bare.ts',
      env: { BYTES_OF: service.url, REDIS_URL: redis.url },
    })
    await fillBoth(service.url, redis.url)
    const requests = Array.from({ length: KEYS }, (_, at) => issueRequest(at + 1))
    const request = (index: number) => requests[index % KEYS] as Buffer
    await forgetCalls(github)
    const [off, full, base] = await compareCapacity(
      { name: 'bare', server: bare, request },
      [
        { name: 'features off', server: plain, request },
        { name: 'default', server: service, request },
      ],
      CONNECTIONS,
    )
    const { length: calls } = await callsOf(github)
    return [
      figure('features off ÷ bare with one GET', off.ratio, 'ratio', { least: 0.8 }),
      figure('default ÷ bare with one GET', full.ratio, 'ratio'),
      figure('features off ÷ bare, by the clock', off.wallRatio, 'ratio'),
      figure('CPU of bare with one GET', base.cpu, 'µs'),
      figure('CPU of features off', off.cpu, 'µs'),
      figure('CPU of default', full.cpu, 'µs'),
      figure('calls to GitHub meanwhile, most of them refreshes', calls, 'calls'),
    ]
  },
}

/** The service keeps its answers in Redis; the bare route gets the same bytes under keys of its own. */
async function fillBoth(url: string, redisUrl: string): Promise<void> {
  const bodies = new Map<number, Buffer>()
  await saturate({
    urls: [url],
    connections: 16,
    count: KEYS,
    request: (index) => issueRequest(index + 1),
    onAnswer: ({ index, reply }) => void bodies.set(index + 1, reply.body),
  })
  const redis = new Redis(redisUrl)
  for (const [number, body] of bodies) await redis.set(`bare:${number}`, body)
  redis.disconnect()
  await askIssue(url, 1)
}
