import { createServer, type Server } from 'node:http'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createResponses, preset, say, sayAll, sendReady } from '../../src/http/response.ts'

const BODY = Buffer.from('{"text":"größer"}')
const COMMON = preset({ 'x-common': 'yes', 'cache-control': 'private' })

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
