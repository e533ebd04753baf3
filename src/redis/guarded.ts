import { ReplyError } from 'ioredis'
import type { RedisClient } from './connection.ts'

/** Milliseconds that a request waits for Redis at most. */
const PATIENCE = 50
/** Milliseconds between looks at a Redis that failed. */
const PROBE_EVERY = 250
/** Milliseconds that a timer may be late before this process itself is held to have been held up. */
const LATE = 15

/** Redis behind a breaker: what it cannot do now is answered by `undefined`, and soon at no cost. */
export interface GuardedRedis {
  /**
   * The command's outcome, or undefined when Redis failed or is left alone. Never throws.
   * @param patience milliseconds
   */
  try<T>(command: (client: RedisClient) => Promise<T>, patience?: number): Promise<T | undefined>
  /** Whether commands are sent. */
  readonly available: boolean
  /** Whether what one command names must lie in one slot. */
  readonly isCluster: boolean
  close(): void
}

export interface CountedRedis extends GuardedRedis {
  /** Commands so far that failed or took too long, and those that were not sent. */
  readonly counts: { readonly failed: number; readonly skipped: number }
}

export interface GuardOptions {
  /** Milliseconds that a command without a patience of its own is waited for; 50 unless given. */
  readonly patience?: number | undefined
  /** Told when Redis is left alone for more than a moment, and when it is back. */
  readonly onChange: (available: boolean) => void
}

/**
 * A hung Redis costs every command its timeout. So after the first failure no request waits for it
 * any more, until a probe in the background finds it well: at once where it was a hiccup.
 */
export function guardRedis(
  client: RedisClient,
  { onChange, patience: usual = PATIENCE }: GuardOptions,
): CountedRedis {
  let available = true
  let reported = true
  let timer: NodeJS.Timeout | undefined
  const counts = { failed: 0, skipped: 0 }

  async function probe(): Promise<void> {
    try {
      await inTime(client.ping(), usual)
      available = true
      report(true)
    } catch {
      report(false)
      timer = setTimeout(probe, PROBE_EVERY).unref()
    }
  }

  function report(state: boolean): void {
    if (reported === state) return
    reported = state
    onChange(state)
  }

  return {
    async try(command, patience = usual) {
      if (!available) {
        counts.skipped += 1
        return undefined
      }
      try {
        return await inTime(command(client), patience)
      } catch (error) {
        counts.failed += 1
        // An error that Redis itself sent (out of memory, read only) shows that it is there and quick.
        if (available && !(error instanceof ReplyError)) {
          available = false
          void probe()
        }
        return undefined
      }
    },
    get available() {
      return available
    },
    isCluster: client.isCluster,
    counts,
    close: () => clearTimeout(timer),
  }
}

/**
 * The promise's outcome within the patience. When this process itself was held up, the answer may
 * lie in the socket unread: then the patience begins anew.
 */
export function inTime<T>(promise: Promise<T>, patience: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout
    const start = () => {
      const startedAt = performance.now()
      timer = setTimeout(() => {
        if (performance.now() - startedAt > patience + LATE) start()
        else setImmediate(() => reject(new Error('Redis did not answer in time')))
      }, patience)
    }
    start()
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
