import { type Bus, createBus } from './bus.ts'
import { createFleetClock } from './clock.ts'
import { connectRedis, type RedisClient } from './connection.ts'
import { type CountedRedis, guardRedis } from './guarded.ts'
import { PREFIX } from './keys.ts'

/** Redis as the service uses it: guarded commands, messages between replicas, a common clock. */
export interface RedisService {
  readonly commands: CountedRedis
  readonly bus: Bus
  readonly now: () => number
  /** Until connected, or until `ms` milliseconds have passed: the service starts without Redis too. */
  ready(ms: number): Promise<void>
  close(): void
}

export interface RedisServiceOptions {
  readonly url: string
  readonly now: () => number
  readonly onChange: (available: boolean) => void
  /** Milliseconds that a command is waited for; 50 unless given. */
  readonly patience?: number
}

export function createRedisService({
  url,
  now,
  onChange,
  patience,
}: RedisServiceOptions): RedisService {
  const { commands: client, subscriber, close } = connectRedis(url)
  const commands = guardRedis(client, { onChange, patience })
  const bus = createBus(commands, subscriber, PREFIX)
  const clock = createFleetClock(commands, now)
  const { promise: connected, resolve } = Promise.withResolvers<void>()
  bus.onConnection((up) => {
    // The bus has a connection of its own: a command before the other is there would count as a failure.
    if (up) void readinessOf(client).then(clock.sync).then(resolve)
  })
  return {
    commands,
    bus,
    now: clock.now,
    async ready(ms) {
      const late = AbortSignal.timeout(ms)
      await Promise.race([connected, new Promise((give) => late.addEventListener('abort', give))])
    },
    close() {
      clock.close()
      commands.close()
      close()
    },
  }
}

async function readinessOf(client: RedisClient): Promise<void> {
  if (client.status !== 'ready') await new Promise<void>((ready) => client.once('ready', ready))
}
