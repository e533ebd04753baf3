import { once } from 'node:events'
import { createServer, IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import { type AddressInfo, connect, Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createFairLoop } from '../../src/core/fairLoop.ts'
import { createDoorNames } from '../../src/http/doorNames.ts'
import { createDoor } from '../../src/http/server.ts'

/** Which refuses all at the door, or nobody. */
const admissionThat = (refuses: boolean) => ({
  isFull: () => refuses,
  refuses: () => false,
  enter: () => undefined,
  workOf: () => 0,
  stats: () => ({
    inWork: 0,
    streams: 0,
    shed: { delay: 0, concurrency: 0, share: 0, streams: 0 },
  }),
})

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
  const names = createDoorNames(false)
  const admission = admissionThat(true)
  const door = createDoor(() => {}, { admission, fairLoop: createFairLoop(), intake, names })
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

describe('who waits for the event loop', () => {
  const address = 'ip:192.0.2.1'
  /** By whom a request is begun at once, or who waits. */
  function ask(headers: Record<string, string>, trustsProxy = false) {
    const request = Object.assign(new IncomingMessage(new Socket()), { headers, url: '/x' })
    Object.defineProperty(request.socket, 'remoteAddress', { value: '192.0.2.1' })
    const names = createDoorNames(trustsProxy)
    const known = Object.assign(new IncomingMessage(new Socket()), {
      headers: { 'x-api-key': 'known' },
    })
    names.learn(known, 'key:ann')
    const line: { caller: string; work: () => void }[] = []
    const run = (caller: string, work: () => void) => void line.push({ caller, work })
    const fairLoop = Object.assign(Object.create(createFairLoop()), { run })
    const intake = { came: () => false, rest() {}, waiting: 0, delayOf: () => 0 }
    const begun: (string | undefined)[] = []
    const begin: RequestListener = (_request, { waitedAs }) => void begun.push(waitedAs)
    const door = createDoor(begin, { admission: admissionThat(false), fairLoop, intake, names })
    door(request, new ServerResponse(request))
    const before = [...begun]
    for (const { work } of line) work()
    return { before, callers: line.map(({ caller }) => caller), begun }
  }

  it('waits before anything is done for the request, where the door knows the caller', () => {
    const asAnn = { before: [], callers: ['key:ann'], begun: ['key:ann'] }
    expect(ask({ 'x-api-key': 'known' })).toEqual(asAnn)
    expect(ask({ 'x-api-key': 'known' }, true)).toEqual(asAnn)
    expect(ask({})).toEqual({ before: [], callers: [address], begun: [address] })
  })

  it('waits where the service has told who it is, where the door cannot', () => {
    const unknown = { before: [undefined], callers: [], begun: [undefined] }
    expect(ask({ 'x-api-key': 'made up' })).toEqual(unknown)
    expect(ask({ authorization: 'Bearer made up' })).toEqual(unknown)
    // All who come by way of one proxy have its address.
    expect(ask({}, true)).toEqual(unknown)
  })
})
