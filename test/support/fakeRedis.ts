import type { Bus } from '../../src/redis/bus.ts'
import type { RedisClient } from '../../src/redis/connection.ts'
import type { GuardedRedis } from '../../src/redis/guarded.ts'

/** One replica's way to the Redis of the test. */
export interface FakeConnection {
  readonly commands: GuardedRedis
  readonly bus: Bus
  /** While false every command is answered by undefined. */
  reachable: boolean
  /** Whether a command is yet to be answered. */
  busy(): boolean
  /** Subscribes, or loses the subscription. */
  listen(connected: boolean): void
  /** Nothing that is told arrives, and nothing says so; in the end all of it does. */
  hang(hangs: boolean): void
}

export interface FakeRedis {
  connect(): FakeConnection
  /** As a restart of a Redis that keeps nothing on disk. */
  flush(): void
}

/**
 * What the cache needs of Redis, in memory and at once: for tests that take so many steps that a
 * real one is too slow. Scripts are told apart by a command that only they use; what they do in a
 * real Redis is tested there.
 */
export function createFakeRedis(now: () => number): FakeRedis {
  const values = new Map<string, { value: Buffer; endsAt: number }>()
  const sets = new Map<string, Map<string, number>>()
  const listeners = new Set<(channel: string, message: string) => void>()

  const read = (key: string) => {
    const found = values.get(key)
    return found && found.endsAt > now() ? found.value : null
  }
  const write = (key: string, value: string | Buffer, ttl: number) =>
    values.set(key, { value: Buffer.from(value), endsAt: now() + Number(ttl) })
  const setOf = (key: string) => {
    const found = sets.get(key) ?? new Map<string, number>()
    sets.set(key, found)
    return found
  }

  const client = {
    get: async (key: string) => read(key)?.toString() ?? null,
    getBuffer: async (key: string) => read(key),
    mgetBuffer: async (keys: readonly string[]) => keys.map(read),
    set: async (key: string, value: string | Buffer, _px: 'PX', ttl: number) =>
      write(key, value, ttl),
    del: async (key: string) => Number(values.delete(key)) + Number(sets.delete(key)),
    async eval(script: string, _keys: number, key: string, value: Buffer, ttl: number) {
      if (!script.includes('GETRANGE')) throw new Error('not a script that is known here')
      const known = read(key)
      // The time of the fetch stands behind the magic, in as many digits for every entry.
      const newer = known && known.toString('latin1', 4, 17) > value.toString('latin1', 4, 17)
      if (!newer) write(key, value, ttl)
      return newer ? 0 : 1
    },
    async zadd(key: string, _gt: 'GT', ...members: (string | number)[]) {
      const set = setOf(key)
      for (let index = 0; index < members.length; index += 2) {
        const member = String(members[index + 1])
        set.set(member, Math.max(Number(members[index]), set.get(member) ?? 0))
      }
    },
    async zrevrange(key: string, start: number, stop: number) {
      const members = [...setOf(key)].sort((left, right) => right[1] - left[1])
      // As in Redis, -1 is the last.
      const end = stop < 0 ? members.length + stop : stop
      return members.slice(start, end + 1).flatMap(([member, score]) => [member, String(score)])
    },
    zremrangebyscore: async () => 0,
    zremrangebyrank: async () => 0,
    pexpire: async () => 1,
    publish: async (channel: string, message: string) => {
      for (const listener of listeners) listener(channel, message)
    },
  }

  return {
    flush() {
      values.clear()
      sets.clear()
    },
    connect() {
      let running = 0
      const connection = { reachable: true, busy: () => running > 0 }
      const commands: GuardedRedis = {
        // As the real one: a command that fails, in whatever way, is answered by undefined.
        async try(command) {
          if (!connection.reachable) return undefined
          running += 1
          return command(client as unknown as RedisClient).finally(() => {
            running -= 1
          })
        },
        get available() {
          return connection.reachable
        },
        isCluster: false,
        close: () => {},
      }
      return Object.assign(connection, { commands, ...createFakeBus(commands, listeners) })
    },
  }
}

function createFakeBus(
  commands: GuardedRedis,
  subscribers: Set<(channel: string, message: string) => void>,
) {
  const listeners = new Map<string, ((message: string) => void)[]>()
  const connectionListeners: ((connected: boolean) => void)[] = []
  let connected = true
  /** What waits to arrive, while the subscription hangs. */
  let held: (readonly [channel: string, message: string])[] | undefined
  const receive = (channel: string, message: string) => {
    if (held) held.push([channel, message])
    else for (const listener of listeners.get(channel) ?? []) listener(message)
  }
  subscribers.add(receive)
  const bus: Bus = {
    publish: async (channel, message) => {
      await commands.try((client) => client.publish(channel, message))
    },
    on: (channel, listener) =>
      void listeners.set(channel, [...(listeners.get(channel) ?? []), listener]),
    onConnection(listener) {
      connectionListeners.push(listener)
      if (connected) listener(true)
    },
    get connected() {
      return connected
    },
  }
  return {
    bus,
    hang(hangs: boolean) {
      const arriving = held ?? []
      held = hangs ? arriving : undefined
      if (!hangs) for (const [channel, message] of arriving) receive(channel, message)
    },
    listen(now: boolean) {
      if (now === connected) return
      connected = now
      held = undefined
      if (now) subscribers.add(receive)
      else subscribers.delete(receive)
      for (const listener of connectionListeners) listener(now)
    },
  }
}
