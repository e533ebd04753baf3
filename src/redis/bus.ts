import type { RedisClient } from './connection.ts'
import type { GuardedRedis } from './guarded.ts'

/** Messages between replicas. At most once: who was away has missed them, and is told so. */
export interface Bus {
  publish(channel: Channel, message: string): Promise<void>
  on(channel: Channel, listener: (message: string) => void): void
  /** Hears `true` when the subscription is (or already was) in force, `false` when it is lost. */
  onConnection(listener: (connected: boolean) => void): void
  readonly connected: boolean
}

/** All channels there are, so that one subscription at each connect covers them. */
const CHANNELS = ['released', 'invalidated', 'budget', 'heartbeat'] as const
export type Channel = (typeof CHANNELS)[number]

export function createBus(redis: GuardedRedis, subscriber: RedisClient, prefix: string): Bus {
  const listeners = new Map<string, ((message: string) => void)[]>()
  const connectionListeners: ((connected: boolean) => void)[] = []
  let connected = false

  function changed(now: boolean): void {
    if (connected === now) return
    connected = now
    for (const listener of connectionListeners) listener(now)
  }

  async function subscribe(): Promise<void> {
    await subscriber.subscribe(...CHANNELS.map((channel) => prefix + channel))
    changed(true)
  }

  subscriber.on('message', (channel: string, message: string) => {
    for (const listener of listeners.get(channel.slice(prefix.length)) ?? []) listener(message)
  })
  // Subscribing anew after each connect, rather than leaving it to the client, tells when it is in force.
  subscriber.on('ready', () => void subscribe().catch(() => changed(false)))
  subscriber.on('close', () => changed(false))

  return {
    publish: async (channel, message) => {
      await redis.try((client) => client.publish(prefix + channel, message))
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
}
