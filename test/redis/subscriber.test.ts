import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { createBus } from '../../src/redis/bus.ts'
import { connectRedis, type RedisConnections } from '../../src/redis/connection.ts'
import { guardRedis } from '../../src/redis/guarded.ts'
import { startRedis } from '../support/redis.ts'

/** Passes everything on, but closes the client on its own second subscription. */
function startProxy(target: string, connections: () => RedisConnections) {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let subscriptions = 0
  const server = createServer((socket) => {
    const upstream = connect(Number(port), hostname)
    for (const one of [socket, upstream]) {
      sockets.add(one)
      one.on('error', () => {})
    }
    upstream.pipe(socket)
    socket.on('end', () => upstream.end())
    socket.on('data', (bytes) => {
      if (bytes.includes('subscribe')) subscriptions += 1
      if (subscriptions < 2) upstream.write(bytes)
      else connections().close()
    })
  })
  return {
    listen: async () => {
      await once(server.listen(0, '127.0.0.1'), 'listening')
      return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
    drop() {
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

it('a subscriber that is closed while it subscribes anew leaves no failure that nobody hears', async () => {
  await using redis = await startRedis()
  await using proxy = startProxy(redis.url, () => connections)
  const connections = connectRedis(await proxy.listen())
  const unheard: unknown[] = []
  const onUnheard = (reason: unknown) => unheard.push(reason)
  process.on('unhandledRejection', onUnheard)
  const guarded = guardRedis(connections.commands, { onChange() {} })
  const bus = createBus(guarded, connections.subscriber, 'x:')
  await expect.poll(() => bus.connected, { timeout: 10_000 }).toBe(true)
  const ended = once(connections.subscriber, 'end')
  proxy.drop()
  await ended
  // Node tells of what nobody hears once the microtasks are done (nodejs.org/api/process.html, "unhandledRejection").
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', onUnheard)
  guarded.close()
  expect(unheard).toEqual([])
})
