import type { RedisClient } from './connection.ts'
import type { GuardedRedis } from './guarded.ts'

/** Keys that one command names at most, as all of them wait for all of its answer. */
const MOST_KEYS = 64

/** A value; null where there is none, undefined where Redis failed or is left alone. */
export type Value = Buffer | null | undefined

export interface Reads {
  /** What `read` makes of the value. @throws as `read` */
  get<T>(key: string, read: (value: Value) => T): Promise<T>
}

/** Keys that go to Redis in one command, and who waits for each. */
interface Batch {
  readonly keys: string[]
  readonly waiting: ((value: Value) => void)[]
  send(): void
  /** Gives it up before it is sent. */
  drop(): void
}

/**
 * Reads of single values, those asked for in one turn of the event loop as one command: a command
 * and its timer cost this process more than Redis' answer. One command is on its way at a time,
 * what comes meanwhile goes together with the next; its patience begins with the first who asks.
 * In a Cluster one command cannot name keys of different slots: there each goes by itself.
 */
export function createReads(redis: GuardedRedis): Reads {
  /** Not yet sent, the next first; only the last of them takes further keys. */
  const queue: Batch[] = []
  let underWay: Batch | undefined
  let planned = false

  /** At the end of this turn, when all who ask in it have asked. */
  function plan(): void {
    if (planned || underWay || queue.length === 0) return
    planned = true
    setImmediate(() => {
      planned = false
      if (!redis.available) {
        for (const batch of queue.splice(0)) batch.drop()
        return
      }
      underWay = queue.shift()
      underWay?.send()
    })
  }

  function begin(): Batch {
    const { promise, reject, resolve } = Promise.withResolvers<(Buffer | null)[]>()
    let client: RedisClient | undefined
    // Functions that are assigned to it later would keep all that hangs on it for long (`createQueue`).
    const batch: Batch = {
      keys: [],
      waiting: [],
      send: () => void client?.mgetBuffer(batch.keys).then(resolve, reject),
      drop: () => resolve([]),
    }
    queue.push(batch)
    plan()
    const answer = redis.try((given) => {
      client = given
      return promise
    })
    void answer.then((values) => end(batch, values))
    return batch
  }

  function end(batch: Batch, values: readonly (Buffer | null)[] | undefined): void {
    if (underWay === batch) underWay = undefined
    // It may have waited for its turn in vain.
    const place = queue.indexOf(batch)
    if (place >= 0) queue.splice(place, 1)
    plan()
    for (let index = 0; index < batch.waiting.length; index += 1)
      batch.waiting[index]?.(values?.[index])
  }

  return {
    get(key, read) {
      if (redis.isCluster || !redis.available)
        return redis.try((client) => client.getBuffer(key)).then(read)
      return new Promise((resolve, reject) => {
        const last = queue.at(-1)
        const batch = last && last.keys.length < MOST_KEYS ? last : begin()
        batch.keys.push(key)
        batch.waiting.push((value) => {
          try {
            resolve(read(value))
          } catch (error) {
            reject(error)
          }
        })
      })
    },
  }
}
