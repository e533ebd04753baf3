import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { createRedisService } from '../../src/redis/redis.ts'
import { startRedis } from '../support/redis.ts'

it('is ready when commands are taken, though messages can be heard before', async () => {
  await using redis = await startRedis()
  const [waiting, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const sockets: Socket[] = []
  // The first connection is the one for commands: nothing of it goes on until it may.
  const proxy = createServer((from) => {
    const to = connect(Number(new URL(redis.url).port), '127.0.0.1')
    sockets.push(from, to)
    to.pipe(from)
    if (sockets.length > 2) from.pipe(to)
    else void opened.promise.then(() => from.pipe(to))
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo
  const service = createRedisService({
    url: `redis://127.0.0.1:${port}`,
    now: Date.now,
    onChange: () => {},
    patience: 5_000,
  })
  service.bus.onConnection((up) => up && waiting.resolve())
  await waiting.promise
  opened.resolve()
  await service.ready(10_000)
  expect(service.commands.available).toBe(true)
  expect(service.commands.counts).toEqual({ failed: 0, skipped: 0 })
  service.close()
  for (const socket of sockets) socket.destroy()
  proxy.close()
})
