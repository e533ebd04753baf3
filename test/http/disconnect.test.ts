import { once } from 'node:events'
import { connect } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { afterEach, expect, it, vi } from 'vitest'
import type { Answered, Engine } from '../../src/context/engine.ts'
import { providers } from '../../src/context/registry.ts'
import { compileContracts } from '../../src/context/request/contract.ts'
import { parseRequest } from '../../src/context/request/request.ts'
import { answer } from '../../src/http/answer.ts'
import { decorate } from '../../src/http/decorations.ts'
import { answerOf } from '../suites/store.ts'

const context = parseRequest(compileContracts(providers), {
  context_type: 'github_repo',
  params: { owner: 'octo', repo: 'talk' },
})
const answered: Answered = {
  entry: answerOf('{}'),
  outcome: 'hit_shared',
  principal: 'p',
  scope: 'p',
}

const left = vi.fn<(reply: FastifyReply) => void>()
const answeredWhole = vi.fn()
let app: FastifyInstance | undefined
afterEach(async () => {
  await app?.close()
  vi.clearAllMocks()
})

/** A caller that hangs up once the engine looks for its answer. */
async function leaveDuring(get: Engine['get']): Promise<void> {
  const asked = Promise.withResolvers<void>()
  const done = Promise.withResolvers<void>()
  const own: FastifyInstance = Fastify()
  app = own
  decorate(own)
  own.decorate('callerLeft', (reply) => {
    left(reply)
    done.resolve()
  })
  own.addHook('onResponse', async () => answeredWhole())
  const engine: Engine = {
    atHand: () => undefined,
    async get(request, caller) {
      asked.resolve()
      return get(request, caller)
    },
    changes: async () => Buffer.alloc(0),
  }
  own.get('/', (request, reply) => {
    reply.raw.once('close', () => gone.resolve())
    return answer(
      { engine, now: Date.now, rateLimitRemaining: () => undefined },
      context,
      request,
      reply,
    )
  })
  const url = new URL(await own.listen({ port: 0, host: '127.0.0.1' }))
  const socket = connect(Number(url.port), url.hostname)
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await asked.promise
  socket.destroy()
  await once(socket, 'close')
  await done.promise
}

let gone = Promise.withResolvers<void>()
afterEach(() => {
  gone = Promise.withResolvers<void>()
})

it('is told of once where the answer comes when its caller is gone already', async () => {
  await leaveDuring(async () => {
    await gone.promise
    return answered
  })
  expect(left).toHaveBeenCalledOnce()
  expect(answeredWhole).not.toHaveBeenCalled()
})

it('ends at once what would be fetched for a caller who is gone already', async () => {
  const reasons: unknown[] = []
  await leaveDuring(async (_request, caller) => {
    await gone.promise
    const signal = caller.signal()
    reasons.push(signal.reason)
    signal.throwIfAborted()
    return answered
  })
  expect(reasons).toEqual([new Error('The caller hung up')])
  expect(left).toHaveBeenCalledOnce()
  expect(answeredWhole).not.toHaveBeenCalled()
})
