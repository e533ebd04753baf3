import { ReplyError } from 'ioredis'
import type { RedisClient } from './connection.ts'

/** Milliseconds that a request waits for Redis at most. */
const PATIENCE = 50
/** Failures in a row after which Redis is left alone. */
const TOLERATED = 3
/** Milliseconds between looks at a Redis that failed. */
const PROBE_EVERY = 250

/** Redis behind a breaker: what it cannot do now is answered by `undefined`, and soon at no cost. */
export interface GuardedRedis {
  /** The command's outcome, or undefined when Redis failed or is left alone. Never throws. */
  try<T>(command: (client: RedisClient) => Promise<T>): Promise<T | undefined>
  /** Whether commands are sent. */
  readonly available: boolean
  close(): void
}

export interface GuardOptions {
  readonly onChange: (available: boolean) => void
}

/**
 * A hung Redis costs every command its timeout. So after a few failures no request waits for it
 * any more; a probe in the background finds out when it is back.
 */
export function guardRedis(client: RedisClient, { onChange }: GuardOptions): GuardedRedis {
  let failures = 0
  let available = true
  let timer: NodeJS.Timeout | undefined

  function failed(error: unknown): undefined {
    // An error that Redis itself sent (out of memory, read only) shows that it is there and quick.
    if (error instanceof ReplyError) return undefined
    failures += 1
    if (available && failures >= TOLERATED) {
      available = false
      onChange(false)
      scheduleProbe()
    }
    return undefined
  }

  function scheduleProbe(): void {
    timer = setTimeout(probe, PROBE_EVERY)
    timer.unref()
  }

  async function probe(): Promise<void> {
    try {
      await inTime(client.ping())
      failures = 0
      available = true
      onChange(true)
    } catch {
      scheduleProbe()
    }
  }

  return {
    async try(command) {
      if (!available) return undefined
      try {
        const outcome = await inTime(command(client))
        failures = 0
        return outcome
      } catch (error) {
        return failed(error)
      }
    },
    get available() {
      return available
    },
    close: () => clearTimeout(timer),
  }
}

/**
 * The promise's outcome within the patience. When this process itself was held up, the answer may
 * lie in the socket unread: so the last word is given after one more look at the sockets.
 */
function inTime<T>(promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      setImmediate(() => setImmediate(() => reject(new Error('Redis did not answer in time'))))
    }, PATIENCE)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
