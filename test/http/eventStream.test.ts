import { connect, type Socket } from 'node:net'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { event, sendEvents } from '../../src/http/eventStream.ts'

/** A server that answers everything with one stream, on a port of its own. */
async function serve(events: () => AsyncGenerator<string>, heartbeat?: number) {
  const app = Fastify()
  app.get('/', (_request, reply) => sendEvents(reply, events(), heartbeat))
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  return {
    /** A caller that has asked, and reads nothing until told. */
    ask(): Socket {
      const socket = connect({ host: url.hostname, port: Number(url.port) })
      socket.pause()
      socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n')
      return socket
    },
    [Symbol.asyncDispose]: () => app.close(),
  }
}

/** What comes, until it has this. */
async function readUntil(socket: Socket, what: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) {
    text += chunk
    if (what.test(text)) break
  }
  return text
}

describe('sendEvents', () => {
  it('sends a comment while there is nothing to say, and loses no event to it', async () => {
    const { promise: quiet, resolve: speak } = Promise.withResolvers<void>()
    await using server = await serve(async function* () {
      yield event('one', 1)
      await quiet
      yield event('two', 2)
    }, 5)
    const socket = server.ask()
    let text = ''
    for await (const chunk of socket.setEncoding('utf8')) {
      text += chunk
      if (text.split(': keep-alive\n\n').length > 3) speak()
      if (text.includes('\r\n0\r\n')) break
    }
    const body = text.replaceAll(/\r\n[\da-f]+\r\n/g, '')
    expect(body).toMatch(
      /event: one\ndata: 1\n\n(?:: keep-alive\n\n){3,}event: two\ndata: 2\n\n(?:: keep-alive\n\n)*0?/,
    )
    expect(text.match(/^event: /gm)).toHaveLength(2)
  })

  it('says nothing in between where events come in time', async () => {
    await using server = await serve(async function* () {
      for (let n = 0; n < 50; n += 1) yield event('tick', n)
    }, 60_000)
    const text = await readUntil(server.ask(), /\r\n0\r\n/)
    expect(text).not.toContain(': keep-alive\n\n')
    expect(text.match(/^event: /gm)).toHaveLength(50)
  })

  it('takes no more events than its caller reads, heartbeats included', async () => {
    let taken = 0
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    await using server = await serve(async function* () {
      try {
        // 200 MB in all.
        for (; taken < 2_000; taken += 1) yield event('large', 'x'.repeat(100_000))
      } finally {
        end()
      }
    }, 1)
    const socket = server.ask()
    // Until it goes no further: what is on its way fills the buffers of both sockets.
    let seen = -1
    const stands = () => {
      const stood = taken > 0 && taken === seen
      seen = taken
      return stood
    }
    await expect.poll(stands, { interval: 200, timeout: 20_000 }).toBe(true)
    expect(taken).toBeLessThan(500)
    const before = taken
    // Reading on brings more.
    socket.resume()
    await expect.poll(() => taken, { timeout: 20_000 }).toBeGreaterThan(before)
    socket.destroy()
    await ended
    expect(taken).toBeLessThanOrEqual(2_000)
  })

  it('ends the source when the caller hangs up in silence', async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    let go = () => {}
    await using server = await serve(async function* () {
      try {
        yield event('one', 1)
        await new Promise<void>((resolve) => {
          go = resolve
        })
        yield event('two', 2)
        throw new Error('it went on')
      } finally {
        end()
      }
    })
    const socket = server.ask()
    await readUntil(socket, /event: one/)
    socket.destroy()
    go()
    await ended
  })
})
