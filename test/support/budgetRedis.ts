import { once } from 'node:events'
import { type Bus, createBus } from '../../src/redis/bus.ts'
import { connectRedis } from '../../src/redis/connection.ts'
import type { GuardedRedis } from '../../src/redis/guarded.ts'
import { PREFIX } from '../../src/redis/keys.ts'

export interface PatientRedis {
  readonly redis: GuardedRedis
  readonly bus: Bus
  /** Redis has carried out what was sent before, and its answers have arrived. */
  settle(): Promise<void>
  close(): void
}

/**
 * Redis that is lost only when its connection is: on a busy machine the guard's patience ends now
 * and then, which these tests would take for a fault of the budget.
 */
export async function connectPatiently(url: string): Promise<PatientRedis> {
  const { commands, subscriber, close } = connectRedis(url)
  const isReady = () => commands.status === 'ready'
  const redis: GuardedRedis = {
    try: async (command) => (isReady() ? command(commands).catch(() => undefined) : undefined),
    get available() {
      return isReady()
    },
    isCluster: false,
    close: () => {},
  }
  const bus = createBus(redis, subscriber, PREFIX)
  if (!isReady()) await once(commands, 'ready')
  if (!bus.connected) await new Promise((connected) => bus.onConnection(connected))
  return {
    redis,
    bus,
    async settle() {
      await redis.try((client) => client.ping())
      await new Promise(setImmediate)
    },
    close,
  }
}
