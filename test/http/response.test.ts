import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createResponses, preset, say, sayAll, sendReady } from '../../src/http/response.ts'

const BODY = Buffer.from('{"text":"größer"}')
/** More than answers are put together in, and more than fetch would take (undici, `maxHeaderSize`). */
const LONG = 'a'.repeat(40_000)
const COMMON = preset({ 'x-common': 'yes', 'cache-control': 'private' })

/** Of so many bytes, each its own. */
const bodyOf = (size: number) => Buffer.alloc(size, `<${size}>ü`)

let app: FastifyInstance
let url: string
beforeAll(async () => {
  app = Fastify({
    serverFactory(handler) {
      const ServerResponse = createResponses(() => server)
      const server: Server = createServer({ ServerResponse }, handler)
      return server
    },
  })
  app.addHook('onRequest', async (_request, reply) => sayAll(reply, COMMON))
  app.get('/ready', (_request, reply) => {
    reply.header('vary', 'Origin')
    say(reply, 'content-type', 'application/json')
    say(reply, 'x-count', 3)
    sendReady(reply, 200, BODY)
  })
  app.get('/made', (_request, reply) => reply.header('cache-control', 'no-store').send({ a: 1 }))
  app.get<{ Params: { size: number } }>('/sized/:size', (request, reply) => {
    sendReady(reply, 200, bodyOf(Number(request.params.size)))
  })
  app.get('/long-head', (_request, reply) => {
    say(reply, 'x-long', LONG)
    sendReady(reply, 200, BODY)
  })
  app.get('/split', (_request, reply) => say(reply, 'etag', 'a\r\nset-cookie: b'))
  url = await app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => app.close())

describe('an answer', () => {
  it('that is ready says all that was said of it, by whichever way', async () => {
    const { headers, status, text } = await ask('/ready')
    expect([status, text]).toEqual([200, BODY.toString()])
    expect(headers).toMatchObject({
      'x-common': 'yes',
      'cache-control': 'private',
      'content-type': 'application/json',
      'content-length': String(BODY.length),
      'x-count': '3',
      vary: 'Origin',
      date: expect.stringMatching(/GMT$/),
    })
    expect(headers).not.toHaveProperty('transfer-encoding')
  })

  it('to HEAD says the same, without a body', async () => {
    const { headers, status, text } = await ask('/ready', 'HEAD')
    expect([status, text]).toEqual([200, ''])
    expect(headers).toMatchObject({ 'content-length': String(BODY.length), 'x-common': 'yes' })
  })

  it('that the framework sends says each thing once, and what it says itself counts', async () => {
    const { headers } = await ask('/made')
    expect(headers).toMatchObject({ 'x-common': 'yes', 'cache-control': 'no-store' })
  })

  it('is whole behind its own head, however long it and those before wait to be read', async () => {
    const sizes = Array.from({ length: 600 }, (_, at) => (at * 7919) % 20_000)
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const last = sizes.length - 1
    const requests = sizes.map((size, at) => {
      const connection = at === last ? 'close' : 'keep-alive'
      return `GET /sized/${size} HTTP/1.1\r\nhost: a\r\nconnection: ${connection}\r\n\r\n`
    })
    // Those of another caller come between.
    const beside = Promise.all(sizes.slice(0, 50).map((size) => ask(`/sized/${size}`)))
    await new Promise<void>((resolve) => socket.write(requests.join(''), () => resolve()))
    const others = await beside
    expect(others.map(({ text }) => text)).toEqual(
      sizes.slice(0, 50).map((size) => bodyOf(size).toString()),
    )
    let rest = await buffer(socket)
    for (const size of sizes) {
      const begin = rest.indexOf('\r\n\r\n') + 4
      expect(rest.toString('latin1', 0, begin)).toContain(`\r\ncontent-length: ${size}\r\n`)
      expect(rest.subarray(begin, begin + size).equals(bodyOf(size)), `${size}`).toBe(true)
      rest = rest.subarray(begin + size)
    }
    expect(rest).toHaveLength(0)
  })

  it('is whole behind a head of any length', async () => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.write('GET /long-head HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    const [head, body] = (await buffer(socket)).toString().split('\r\n\r\n')
    expect(head).toContain(`\r\nx-long: ${LONG}\r\n`)
    expect(body).toBe(BODY.toString())
  })

  it('cannot be split by what is said', async () => {
    const { headers, status } = await ask('/split')
    expect(status).toBe(500)
    expect(headers).not.toHaveProperty('set-cookie')
  })
})

async function ask(path: string, method = 'GET') {
  const answer = await fetch(url + path, { method })
  const headers = Object.fromEntries(answer.headers)
  return { status: answer.status, headers, text: await answer.text() }
}
