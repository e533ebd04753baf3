import type { Bus } from '../redis/bus.ts'
import type { GuardedRedis } from '../redis/guarded.ts'
import { PREFIX } from '../redis/keys.ts'

/** `changed`: ask GitHub before serving it again; `revoked`: never serve it again. */
export type Mark = 'changed' | 'revoked'

export interface Invalidations {
  /** Marks all answers, here and on every replica, that depend on one of the tags and were begun before now. */
  mark(mark: Mark, tags: readonly string[]): Promise<void>
  /** What events since its fetch began mean for an answer. */
  verdict(answer: Dependent): Mark | undefined
  /**
   * Tells of each event from now on that concerns an answer, here or on any replica, and at once
   * where there was one since its fetch began. @returns what ends that
   */
  watch(answer: Dependent, onMark: (mark: Mark) => void): () => void
  /** What this process holds in memory from before is stale: it may have missed events. */
  readonly missedUntil: number
  /** Whether events of other replicas reach this one, so that what they share can be judged. */
  readonly informed: boolean
}

/** What can be judged by events. */
export interface Dependent {
  readonly asOf: number
  readonly tags: readonly string[]
}

const CHANNEL = 'invalidated'
const LOG = `${PREFIX}invalidations`
/** Milliseconds: nothing is kept longer, so no older event matters. */
const HORIZON = 86_400_000 * 1.2
/** Tags remembered at most. */
const MOST_TAGS = 100_000
const LOG_PAGE = 1_000

/** Events kept for the time that Redis is away. */
const MOST_UNTOLD = 10_000
/**
 * Milliseconds until Redis is tried again, doubled each time: a hiccup must not keep an event from
 * other replicas for longer than they may take to hear of it.
 */
const CATCH_UP_SOON = 50
const CATCH_UP_EVERY = 500

type Marks = Partial<Record<Mark, number>>

interface Event {
  readonly mark: Mark
  readonly tags: readonly string[]
  /** Epoch milliseconds. */
  readonly at: number
}

interface Fleet {
  readonly redis: GuardedRedis
  readonly bus: Bus
}

export interface InvalidationOptions {
  readonly now: () => number
  /** Both absent in a service without Redis. */
  readonly shared: Fleet | undefined
}

/**
 * The log of invalidating events. Every process knows it whole, in memory, so that judging an
 * answer costs no round trip and revoking any number of answers is one write.
 */
export function createInvalidations({ now, shared }: InvalidationOptions): Invalidations {
  const log = new Map<string, Marks>()
  /** The latest events that are no longer in the log: all that is older is judged as if they concerned it. */
  const forgotten = { changed: -1, revoked: -1 }
  /** Events that Redis did not take. */
  const untold = new Map<string, Event>()
  const watchers = new Map<string, Set<(mark: Mark, at: number) => void>>()
  let retry: NodeJS.Timeout | undefined
  let pause = CATCH_UP_SOON
  let missedUntil = 0
  let informed = shared === undefined

  /** Whether it was news. */
  function note(mark: Mark, tag: string, at: number): boolean {
    const known = log.get(tag)
    if ((known?.[mark] ?? 0) >= at) return false
    log.delete(tag)
    log.set(tag, { ...known, [mark]: at })
    if (log.size > MOST_TAGS) forgetOldest()
    return true
  }

  /** One event, told once to everybody whom one of its tags concerns. */
  function noteEvent({ mark, tags, at }: Event): void {
    const news = tags.filter((tag) => note(mark, tag, at))
    const concerned = new Set(news.flatMap((tag) => [...(watchers.get(tag) ?? [])]))
    for (const tell of concerned) tell(mark, at)
  }

  function forgetOldest(): void {
    const [oldest] = log
    if (!oldest) return
    const [tag, { changed = -1, revoked = -1 }] = oldest
    log.delete(tag)
    forgotten.changed = Math.max(forgotten.changed, changed)
    forgotten.revoked = Math.max(forgotten.revoked, revoked)
  }

  if (shared) {
    const { bus } = shared
    bus.on(CHANNEL, (message) => {
      const event = parseEvent(message)
      if (event) noteEvent(event)
    })
    bus.onConnection((connected) => {
      informed = false
      if (!connected) return
      missedUntil = now()
      void catchUp(shared)
    })
  }

  /** Tells what Redis did not take and reads what this process missed; again later, while that fails. */
  async function catchUp(fleet: Fleet): Promise<void> {
    clearTimeout(retry)
    retry = undefined
    for (const [name, event] of [...untold]) {
      if (!(await tell(fleet, event))) break
      untold.delete(name)
    }
    if (!informed && fleet.bus.connected) informed = await readLog(fleet.redis)
    if (untold.size > 0 || !informed) scheduleCatchUp(fleet)
    else pause = CATCH_UP_SOON
  }

  function scheduleCatchUp(fleet: Fleet): void {
    if (retry) return
    retry = setTimeout(() => void catchUp(fleet), pause).unref()
    pause = Math.min(2 * pause, CATCH_UP_EVERY)
  }

  async function readLog(redis: GuardedRedis): Promise<boolean> {
    for (let start = 0; ; start += LOG_PAGE) {
      const page = await redis.try((client) =>
        client.zrevrange(LOG, start, start + LOG_PAGE - 1, 'WITHSCORES'),
      )
      if (!page) return false
      for (let index = 0; index < page.length; index += 2) {
        const [, mark, tag] = /^(changed|revoked) (.*)$/s.exec(page[index] ?? '') ?? []
        if (tag !== undefined)
          noteEvent({ mark: mark as Mark, tags: [tag], at: Number(page[index + 1]) })
      }
      if (page.length < LOG_PAGE * 2) return true
    }
  }

  /** Whether Redis took it. */
  async function tell({ redis, bus }: Fleet, event: Event): Promise<boolean> {
    const { mark, tags, at } = event
    const members = tags.flatMap((tag) => [at, `${mark} ${tag}`])
    const told = await redis.try(async (client) => {
      await client.zadd(LOG, 'GT', ...members)
      await Promise.all([
        client.zremrangebyscore(LOG, 0, now() - HORIZON),
        client.zremrangebyrank(LOG, 0, -MOST_TAGS - 1),
        client.pexpire(LOG, HORIZON),
      ])
      return true
    })
    // A Redis that takes no writes may still pass it on; who hears it twice does no more.
    await bus.publish(CHANNEL, JSON.stringify(event))
    return told ?? false
  }

  function verdict({ asOf, tags }: Dependent): Mark | undefined {
    if (asOf <= forgotten.revoked) return 'revoked'
    let worst: Mark | undefined = asOf <= forgotten.changed ? 'changed' : undefined
    if (log.size === 0) return worst
    for (const tag of tags) {
      const marks = log.get(tag)
      if (!marks) continue
      if ((marks.revoked ?? -1) >= asOf) return 'revoked'
      if ((marks.changed ?? -1) >= asOf) worst = 'changed'
    }
    return worst
  }

  return {
    verdict,
    watch(answer, onMark) {
      const { asOf, tags } = answer
      const tell = (mark: Mark, at: number) => {
        if (at >= asOf) onMark(mark)
      }
      for (const tag of tags) watchers.set(tag, (watchers.get(tag) ?? new Set()).add(tell))
      const missed = verdict(answer)
      if (missed) onMark(missed)
      return () => {
        for (const tag of tags) {
          watchers.get(tag)?.delete(tell)
          if (watchers.get(tag)?.size === 0) watchers.delete(tag)
        }
      }
    },
    async mark(mark, tags) {
      const event = { mark, tags, at: now() }
      noteEvent(event)
      if (!shared || tags.length === 0 || (await tell(shared, event))) return
      if (untold.size < MOST_UNTOLD) untold.set(`${mark} ${tags.join()}`, event)
      scheduleCatchUp(shared)
    },
    get missedUntil() {
      return missedUntil
    },
    get informed() {
      return informed
    },
  }
}

/** What another replica said, or undefined for anything else. */
function parseEvent(message: string): Event | undefined {
  try {
    const { mark, tags, at } = JSON.parse(message) as Partial<Event>
    const valid =
      (mark === 'changed' || mark === 'revoked') &&
      Array.isArray(tags) &&
      tags.every((tag) => typeof tag === 'string') &&
      typeof at === 'number'
    return valid ? { mark, tags, at } : undefined
  } catch {
    return undefined
  }
}
