import { connect, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { ServiceError } from '../../src/core/errors.ts'
import {
  adapterOf,
  collect,
  configFor,
  createAsking,
  failureOf,
  KEY,
  type ProtocolName,
  requestOf,
} from '../support/models/ask.ts'
import { fails, type Script, says, silent } from '../support/models/scripts.ts'
import { startStandIn } from '../support/models/server.ts'

const live = () => new AbortController().signal

async function start(protocol: ProtocolName, more: Parameters<typeof createAsking>[0] = {}) {
  const server = await startStandIn({ protocol, key: KEY })
  const asking = createAsking({
    ...more,
    config: { ...configFor(protocol, server), ...more.config },
  })
  const adapter = adapterOf(asking.models, protocol)
  return {
    ...asking,
    server,
    ask: (more = {}) => collect(adapter.reply(requestOf(protocol, more), live())),
    fail: (more = {}) => failureOf(adapter.reply(requestOf(protocol, more), live())),
    async [Symbol.asyncDispose]() {
      await asking[Symbol.asyncDispose]()
      await server.close()
    },
  }
}

/** Three of the same, as many as there are attempts. */
const thrice = (script: Script): Script[] => [script, script, script]

describe.each(['anthropic', 'openai'] as const)('%s', (protocol) => {
  const keyName = protocol === 'anthropic' ? 'ANTHROPIC_API_KEY' : 'OPENAI_API_KEY'

  it.each<[string, Script, string, RegExp]>([
    [
      'a refused key',
      fails(401, { type: 'authentication_error' }),
      'model_auth',
      new RegExp(keyName),
    ],
    ['a forbidden model', fails(403, { type: 'permission_error' }), 'model_auth', /operator/],
    ['an unknown model', fails(404, { type: 'not_found_error' }), 'model_error', /model_config/],
    ['a wrong request', fails(400, { type: 'invalid_request_error' }), 'model_error', /refused/],
    ['an unprocessable one', fails(422), 'model_error', /model_config/],
    [
      'a long prompt',
      fails(400, {
        type: 'invalid_request_error',
        message: 'prompt is too long: 210000 tokens > 200000 maximum',
      }),
      'model_error',
      /longer than the model/,
    ],
    [
      'a long prompt, by its code',
      fails(400, { type: 'invalid_request_error', code: 'context_length_exceeded' }),
      'model_error',
      protocol === 'openai' ? /longer than the model/ : /refused/,
    ],
    ['a huge prompt', fails(413, { type: 'request_too_large' }), 'model_error', /longer than/],
    ['a redirect', fails(307, {}, { location: 'http://127.0.0.1:1/' }), 'model_error', /BASE_URL/],
    ['no money', fails(402, { type: 'billing_error' }), 'model_rate_limited', /quota/],
  ])('%s is told, and not tried again', async (_, script, code, detail) => {
    await using it = await start(protocol)
    it.server.plays(script)
    const { error, texts } = await it.fail()
    expect(error).toBeInstanceOf(ServiceError)
    expect(error).toMatchObject({ code, detail: expect.stringMatching(detail) })
    expect((error as ServiceError).detail).toContain(protocol)
    expect([texts, it.server.calls.length, it.waits]).toEqual([[], 1, []])
  })

  it.each<[string, Script, string]>([
    ['429', fails(429, { type: 'rate_limit_error' }), 'model_rate_limited'],
    ['529', fails(529, { type: 'overloaded_error' }), 'model_rate_limited'],
    ['500', fails(500), 'model_error'],
    ['502 of a proxy', (stage) => stage.answer(502, {}, '<html>Bad gateway'), 'model_error'],
    ['503', fails(503), 'model_error'],
    ['504', fails(504), 'model_timeout'],
    ['408', fails(408), 'model_timeout'],
    ['a cut before the first token', (stage) => stage.cut(), 'model_error'],
    [
      'an end before the first token',
      (stage) => {
        stage.begin()
        stage.stop()
      },
      'model_error',
    ],
    [
      'an error before the first token',
      (stage) => {
        stage.begin()
        stage.error('overloaded_error', 'Overloaded')
      },
      'model_rate_limited',
    ],
  ])(
    '%s is tried twice more, each time after a longer wait, and then told',
    async (_, script, code) => {
      await using it = await start(protocol)
      it.server.plays(...thrice(script))
      expect((await it.fail()).error).toMatchObject({ code })
      expect(it.server.calls.length).toBe(3)
      expect(it.waits).toEqual([500, 1000])
      it.server.plays(script, says(['good']))
      expect((await it.ask()).text).toBe('good')
      expect(it.reports.map(({ retries, outcome }) => [retries, outcome])).toEqual([
        [2, code],
        [1, 'ok'],
      ])
    },
  )

  it.each<[string, Record<string, string>, number]>([
    ['seconds', { 'retry-after': '3' }, 3_000],
    ['a date', { 'retry-after': 'Sun, 01 Nov 2026 10:00:07 GMT' }, 7_000],
    ['milliseconds', { 'retry-after': '9', 'retry-after-ms': '1500' }, 1_500],
    ['nothing', { 'retry-after': 'soon' }, 250],
  ])('Retry-After in %s is waited for', async (_, headers, wait) => {
    await using it = await start(protocol, { now: () => Date.parse('2026-11-01T10:00:00Z') })
    it.server.plays(fails(429, {}, headers), says(['good']))
    expect((await it.ask()).text).toBe('good')
    expect(it.waits).toEqual([wait + 250])
  })

  it('Retry-After that is too long is passed on at once', async () => {
    await using it = await start(protocol, { config: { MODEL_TIMEOUT_MS: 600_000 } })
    it.server.plays(fails(429, {}, { 'retry-after': '75' }))
    expect((await it.fail()).error).toMatchObject({ code: 'model_rate_limited', retryAfter: 75 })
    expect([it.server.calls.length, it.waits]).toEqual([1, []])
  })

  it('a limit without Retry-After says when to come back all the same', async () => {
    await using it = await start(protocol)
    it.server.plays(...thrice(fails(429)))
    expect((await it.fail()).error).toMatchObject({ retryAfter: 30 })
  })

  it('x-should-retry is obeyed', async () => {
    await using it = await start(protocol)
    it.server.plays(fails(429, {}, { 'x-should-retry': 'false' }))
    expect((await it.fail()).error).toMatchObject({ code: 'model_rate_limited' })
    expect(it.server.calls.length).toBe(1)
    it.server.plays(fails(400, {}, { 'x-should-retry': 'true' }), says(['good']))
    expect((await it.ask()).text).toBe('good')
  })

  it('nothing is tried again after the first token', async () => {
    await using it = await start(protocol)
    const heard = Promise.withResolvers<void>()
    it.server.plays(async (stage) => {
      stage.begin()
      stage.text('Once upon')
      await heard.promise
      stage.cut()
    })
    const texts: string[] = []
    const listen = async () => {
      const events = adapterOf(it.models, protocol).reply(requestOf(protocol), live())
      for await (const event of events) {
        if (event.type === 'text') texts.push(event.text)
        heard.resolve()
      }
    }
    const error = await listen().catch((error) => error)
    expect(texts).toEqual(['Once upon'])
    expect(error).toMatchObject({ code: 'model_error', detail: expect.stringMatching(/broke off/) })
    expect([it.server.calls.length, it.waits]).toEqual([1, []])
  })

  it('a stream that ends in the middle is no reply, however quietly it ends', async () => {
    await using it = await start(protocol)
    it.server.plays((stage) => {
      stage.begin()
      stage.text('Once upon')
      stage.stop()
    })
    const { error, texts } = await it.fail()
    expect(texts).toEqual(['Once upon'])
    expect(error).toMatchObject({ code: 'model_error', detail: expect.stringMatching(/broke off/) })
  })

  it('an error in the middle of the stream is told', async () => {
    await using it = await start(protocol)
    it.server.plays((stage) => {
      stage.begin()
      stage.text('Once upon')
      stage.error('overloaded_error', 'Overloaded')
    })
    const { error, texts } = await it.fail()
    expect(texts).toEqual(['Once upon'])
    expect(error).toMatchObject({ code: 'model_rate_limited', retryAfter: 30 })
    expect(it.server.calls.length).toBe(1)
  })

  it('garbage in the stream is told, and not repeated', async () => {
    await using it = await start(protocol)
    it.server.plays((stage) => {
      stage.begin()
      stage.raw('event: message\ndata: {"secret": gar\n\n')
      stage.stop()
    })
    const { error } = await it.fail()
    expect(error).toMatchObject({ detail: expect.stringMatching(/could not be read/) })
    expect(String((error as Error).cause)).not.toContain('gar')
  })

  it('a server that is none of models is told from one that fails', async () => {
    await using it = await start(protocol)
    it.server.plays((stage) => stage.answer(200, { 'content-type': 'text/html' }, '<html>'))
    expect((await it.fail()).error).toMatchObject({
      code: 'model_error',
      detail: expect.stringMatching(/does not speak its protocol.*_BASE_URL/),
    })
    expect(it.server.calls.length).toBe(1)
  })

  it('nobody at the address is tried again, and then told', async () => {
    const port = await closedPort()
    const url = `http://127.0.0.1:${port}${protocol === 'openai' ? '/v1' : ''}`
    await using it = await start(protocol, { config: configFor(protocol, { url }) })
    expect((await it.fail()).error).toMatchObject({
      code: 'model_error',
      detail: expect.stringMatching(/No connection/),
    })
    expect(it.waits.length).toBe(2)
  })

  it('no answer in time is told, and the call is ended', async () => {
    await using it = await start(protocol, { config: { MODEL_TIMEOUT_MS: 150 } })
    it.server.plays(silent)
    expect((await it.fail()).error).toMatchObject({ code: 'model_timeout' })
    await (await it.server.call(0)).left
    expect(it.server.calls.length).toBe(1)
  })

  it('signs of life without a word do not make it wait for ever', async () => {
    await using it = await start(protocol, { config: { MODEL_TIMEOUT_MS: 300 } })
    it.server.plays(async (stage) => {
      stage.begin()
      const alive = setInterval(() => stage.ping(), 20)
      await (await it.server.call(0)).left
      clearInterval(alive)
    })
    expect((await it.fail()).error).toMatchObject({ code: 'model_timeout' })
    await (await it.server.call(0)).left
  })

  it('silence after the first token is told', async () => {
    await using it = await start(protocol, { config: { MODEL_TIMEOUT_MS: 300 } })
    it.server.plays((stage) => {
      stage.begin()
      stage.text('Once upon')
    })
    const { error, texts } = await it.fail()
    expect([texts, error]).toEqual([
      ['Once upon'],
      expect.objectContaining({ code: 'model_timeout' }),
    ])
  })

  it('a reply without end is ended when its time is over', async () => {
    const config = { MODEL_TIMEOUT_MS: 200, MODEL_REPLY_TIMEOUT_MS: 500 }
    await using it = await start(protocol, { config })
    it.server.plays(async (stage) => {
      stage.begin()
      const talking = setInterval(() => stage.text('and then '), 20)
      await (await it.server.call(0)).left
      clearInterval(talking)
    })
    const { error, texts } = await it.fail()
    expect(error).toMatchObject({ code: 'model_timeout' })
    expect(texts.length).toBeGreaterThan(1)
    await (await it.server.call(0)).left
  })

  it('a wait that would end after the time for the first token is not begun', async () => {
    await using it = await start(protocol, { config: { MODEL_TIMEOUT_MS: 2_000 } })
    it.server.plays(fails(429, {}, { 'retry-after': '5' }))
    expect((await it.fail()).error).toMatchObject({ code: 'model_rate_limited', retryAfter: 5 })
    expect(it.waits).toEqual([])
  })

  it('an abort ends the wait between two attempts', async () => {
    const caller = new AbortController()
    await using it = await start(protocol, {
      wait: (_, signal) => {
        const { promise, reject } = Promise.withResolvers<never>()
        signal.addEventListener('abort', () => reject(signal.reason))
        caller.abort(new Error('the caller has left'))
        return promise
      },
    })
    it.server.plays(fails(529))
    const events = adapterOf(it.models, protocol).reply(requestOf(protocol), caller.signal)
    expect((await failureOf(events)).error).toEqual(new Error('the caller has left'))
    expect(it.server.calls.length).toBe(1)
  })

  it('a reply without a word is no reply', async () => {
    await using it = await start(protocol)
    it.server.plays(says([]), says([' \n']))
    for (const _ of [1, 2]) {
      expect((await it.fail()).error).toMatchObject({
        code: 'model_error',
        detail: expect.stringMatching(/said nothing/),
      })
    }
    it.server.plays(says([], { reason: protocol === 'anthropic' ? 'max_tokens' : 'length' }))
    expect((await it.fail()).error).toMatchObject({ detail: expect.stringMatching(/max_tokens/) })
  })
})

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  const refused = await new Promise((resolve) => {
    connect(port, '127.0.0.1')
      .once('error', () => resolve(true))
      .once('connect', () => resolve(false))
  })
  expect(refused).toBe(true)
  return port
}
