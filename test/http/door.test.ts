import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { createDoorNames } from '../../src/http/doorNames.ts'
import { createDoor } from '../../src/http/server.ts'

it('lets a connection rest once all of a request is there, also where it is refused before', async () => {
  const resting: Socket[] = []
  const intake = {
    came: () => true,
    rest(_caller: string, socket: Socket) {
      socket.pause()
      resting.push(socket)
    },
    waiting: 0,
    delayOf: () => 0,
  }
  const admission = {
    isFull: () => true,
    refuses: () => false,
    enter: () => undefined,
    workOf: () => 0,
    stats: () => ({
      inWork: 0,
      streams: 0,
      shed: { delay: 0, concurrency: 0, share: 0, streams: 0 },
    }),
  }
  const door = createDoor(() => {}, { admission, intake, names: createDoorNames() })
  const server = createServer(door).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const caller = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const head = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\n\r\n'
  caller.write(`${head}half`)
  expect(String((await once(caller, 'data'))[0])).toContain('HTTP/1.1 503')
  expect(resting).toHaveLength(0)
  caller.write('half')
  await expect.poll(() => resting.length, { timeout: 10_000 }).toBe(1)
  let answers = 0
  caller.on('data', () => {
    answers += 1
  })
  caller.write(`${head}allofitx`)
  // As many turns as it would take to read it, were it read.
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  expect([resting.length, answers]).toEqual([1, 0])
  resting[0]?.resume()
  await expect.poll(() => answers, { timeout: 10_000 }).toBe(1)
  caller.destroy()
  server.close()
})
