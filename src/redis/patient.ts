import { setTimeout as sleep } from 'node:timers/promises'
import { ReplyError } from 'ioredis'
import type { RedisClient } from './connection.ts'
import { inTime } from './guarded.ts'

/** Milliseconds that one use of Redis is waited for, reconnecting included. */
const PATIENCE = 2_000
/** Milliseconds between looks at a Redis that hangs, and before a broken connection is used again. */
const PROBE_EVERY = 250
const PAUSE = 20

/** What Redis says while it starts, fails over or is full: it passes (redis.io, "Error replies"). */
const PASSING = /^(LOADING|CLUSTERDOWN|MASTERDOWN|READONLY|TRYAGAIN|NOREPLICAS|BUSY)\b|\bOOM\b/

/** Redis for what must not be lost: waits for it a while, and says so when it does not come. */
export interface PatientRedis {
  /**
   * The command's outcome. It may be carried out twice where a connection broke, so carrying it out
   * again must change nothing.
   * @throws what `problem` makes when Redis does not answer in time; Error for a faulty command
   */
  run<T>(command: (client: RedisClient) => Promise<T>): Promise<T>
  readonly available: boolean
  close(): void
}

export interface PatientOptions {
  /** Milliseconds; 2,000 unless given. */
  readonly patience?: number | undefined
  /** Makes the error of a Redis that did not answer, or that is full. */
  readonly problem: (why: 'unreachable' | 'full') => Error
}

export function patientRedis(
  client: RedisClient,
  { patience = PATIENCE, problem }: PatientOptions,
): PatientRedis {
  let downSince: number | undefined = performance.now()
  let hangs = false
  let timer: NodeJS.Timeout | undefined
  let waiting = Promise.withResolvers<void>()

  client.on('ready', () => {
    downSince = undefined
    hangs = false
    waiting.resolve()
  })
  client.on('close', () => {
    if (downSince !== undefined) return
    downSince = performance.now()
    waiting = Promise.withResolvers<void>()
  })

  /** Until connected; a Redis that was gone for longer than the patience is not waited for at all. */
  async function connected(giveUpAt: number): Promise<void> {
    if (downSince === undefined) return
    const left = Math.min(giveUpAt, downSince + patience) - performance.now()
    const given = new AbortController()
    const late = sleep(Math.max(0, left), 'late', { signal: given.signal }).catch(() => 'late')
    const outcome = await Promise.race([waiting.promise, late])
    given.abort()
    if (outcome === 'late') throw problem('unreachable')
  }

  /** What is sent to a Redis that hangs would be carried out when nobody waits for it any more. */
  function leaveAlone(): void {
    if (hangs || downSince !== undefined) return
    hangs = true
    async function probe(): Promise<void> {
      try {
        await inTime(client.ping(), PROBE_EVERY)
        hangs = false
      } catch {
        if (hangs) timer = setTimeout(probe, PROBE_EVERY).unref()
      }
    }
    void probe()
  }

  return {
    async run(command) {
      const giveUpAt = performance.now() + patience
      for (;;) {
        if (hangs) throw problem('unreachable')
        await connected(giveUpAt)
        try {
          return await inTime(command(client), Math.max(1, giveUpAt - performance.now()))
        } catch (error) {
          const said = error instanceof ReplyError ? String((error as Error).message) : undefined
          // ioredis' own error carries what was to be written, which no log may have.
          if (said !== undefined && !PASSING.test(said)) throw new Error(`Redis: ${said}`)
          if (said?.includes('OOM')) throw problem('full')
          if (performance.now() < giveUpAt) await sleep(PAUSE)
          if (performance.now() < giveUpAt) continue
          if (said === undefined) leaveAlone()
          throw problem('unreachable')
        }
      }
    },
    get available() {
      return downSince === undefined && !hangs
    },
    close() {
      clearTimeout(timer)
      client.disconnect()
    },
  }
}
