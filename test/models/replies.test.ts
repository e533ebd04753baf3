import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  adapterOf,
  collect,
  configFor,
  createAsking,
  failureOf,
  KEY,
  MODELS,
  type ProtocolName,
  requestOf,
} from '../support/models/ask.ts'
import { fails, says, silent } from '../support/models/scripts.ts'
import { startStandIn } from '../support/models/server.ts'

const live = () => new AbortController().signal

async function start(protocol: ProtocolName, more: Parameters<typeof createAsking>[0] = {}) {
  const server = await startStandIn({ protocol, key: KEY })
  const asking = createAsking({
    ...more,
    config: { ...configFor(protocol, server), ...more.config },
  })
  return {
    server,
    ...asking,
    adapter: adapterOf(asking.models, protocol),
    async [Symbol.asyncDispose]() {
      await asking[Symbol.asyncDispose]()
      await server.close()
    },
  }
}

describe.each(['anthropic', 'openai'] as const)('%s', (protocol) => {
  it('passes on the text as it comes, then what was counted', async () => {
    await using it = await start(protocol)
    it.server.plays(says(['Hello', ', ', 'wörld ✓'], { usage: { input: 41, output: 5 } }))
    const reply = await collect(it.adapter.reply(requestOf(protocol), live()))
    expect(reply.texts).toEqual(['Hello', ', ', 'wörld ✓'])
    expect(reply.end).toEqual({
      type: 'end',
      usage: { input: 41, output: 5 },
      model: MODELS[protocol],
      truncated: false,
    })
  })

  it('passes on each token before the next one is there', async () => {
    await using it = await start(protocol)
    const goOn = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
    it.server.plays(async (stage) => {
      stage.begin()
      stage.text('one')
      await goOn[0].promise
      stage.ping()
      stage.text('two')
      await goOn[1].promise
      stage.end()
    })
    const events = it.adapter.reply(requestOf(protocol), live())[Symbol.asyncIterator]()
    expect((await events.next()).value).toEqual({ type: 'text', text: 'one' })
    goOn[0].resolve()
    expect((await events.next()).value).toEqual({ type: 'text', text: 'two' })
    goOn[1].resolve()
    expect((await events.next()).value).toMatchObject({ type: 'end' })
    expect((await events.next()).done).toBe(true)
  })

  it('reads characters that are cut apart on the wire', async () => {
    await using it = await start(protocol)
    it.server.plays(async (stage) => {
      stage.begin()
      stage.text('ä€😀')
      stage.end()
    })
    expect((await collect(it.adapter.reply(requestOf(protocol), live()))).text).toBe('ä€😀')
  })

  it('says when the reply was cut at max_tokens', async () => {
    await using it = await start(protocol)
    const reason = protocol === 'anthropic' ? 'max_tokens' : 'length'
    it.server.plays(says(['half a'], { reason }))
    const reply = await collect(it.adapter.reply(requestOf(protocol), live()))
    expect(reply.end?.truncated).toBe(true)
  })

  it('uses its connections again', async () => {
    await using it = await start(protocol)
    for (let turn = 0; turn < 8; turn += 1) {
      await collect(it.adapter.reply(requestOf(protocol), live()))
    }
    // The end of a reply is told a moment before its connection is free.
    expect(new Set(it.server.calls.map(({ port }) => port)).size).toBeLessThanOrEqual(2)
  })

  it('slows down the model for a caller who reads slowly', async () => {
    await using it = await start(protocol)
    const text = 'x'.repeat(65_536)
    const all = 400
    let sent = 0
    it.server.plays(async (stage) => {
      stage.begin()
      for (; sent < all; sent += 1) {
        stage.text(text)
        await stage.drained()
      }
      stage.end()
    })
    const events = it.adapter.reply(requestOf(protocol), live())[Symbol.asyncIterator]()
    await events.next()
    for (let still = 0, before = sent; still < 300; before = sent) {
      await turn()
      still = sent === before ? still + 1 : 0
    }
    expect(sent).toBeLessThan(all / 2)
    let length = text.length
    for (let next = await events.next(); !next.done; next = await events.next()) {
      if (next.value.type === 'text') length += next.value.text.length
    }
    expect(length).toBe(all * text.length)
  })

  it('sends nothing but what the protocol needs', async () => {
    await using it = await start(protocol)
    await collect(it.adapter.reply(requestOf(protocol), live()))
    const [call] = it.server.calls
    const names = Object.keys(call?.headers ?? {}).filter((name) => name !== 'anthropic-version')
    expect(names.sort()).toEqual([
      'accept',
      'accept-encoding',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
    ])
    expect(call?.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'accept-encoding': 'identity',
      'user-agent': 'github-context-service/test',
    })
  })

  it('closes the connection at once when the caller aborts', async () => {
    await using it = await start(protocol)
    it.server.plays((stage) => {
      stage.begin()
      stage.text('one')
    })
    const caller = new AbortController()
    const events = it.adapter.reply(requestOf(protocol), caller.signal)[Symbol.asyncIterator]()
    await events.next()
    const next = events.next()
    caller.abort(new Error('the caller has left'))
    await expect(next).rejects.toThrow('the caller has left')
    await (await it.server.call(0)).left
    expect(it.reports).toMatchObject([{ outcome: 'aborted', usage: undefined }])
  })

  it('closes it too before there is any answer', async () => {
    await using it = await start(protocol)
    it.server.plays(silent)
    const caller = new AbortController()
    const failed = failureOf(it.adapter.reply(requestOf(protocol), caller.signal))
    const call = await it.server.call(0)
    caller.abort(new Error('the caller has left'))
    expect((await failed).error).toEqual(new Error('the caller has left'))
    await call.left
    expect(it.server.calls.length).toBe(1)
  })

  it('closes it when the caller reads no further', async () => {
    await using it = await start(protocol)
    it.server.plays((stage) => {
      stage.begin()
      stage.text('one')
      stage.text('two')
    })
    for await (const event of it.adapter.reply(requestOf(protocol), live())) {
      if (event.type === 'text') break
    }
    await (await it.server.call(0)).left
    expect(it.reports).toMatchObject([{ outcome: 'aborted' }])
  })

  it('does not call where the caller has already left', async () => {
    await using it = await start(protocol)
    const left = AbortSignal.abort(new Error('gone'))
    expect((await failureOf(it.adapter.reply(requestOf(protocol), left))).error).toEqual(
      new Error('gone'),
    )
    expect(it.server.calls).toEqual([])
  })

  it('reports what became of each reply', async () => {
    await using it = await start(protocol)
    it.server.plays(fails(500), says(['a', 'b'], { usage: { input: 10, output: 2 } }), fails(400))
    await collect(it.adapter.reply(requestOf(protocol), live()))
    await failureOf(it.adapter.reply(requestOf(protocol, { model: 'my-model' }), live()))
    expect(it.reports).toEqual([
      {
        provider: protocol,
        model: protocol === 'anthropic' ? 'claude-sonnet-5' : 'gpt-6',
        outcome: 'ok',
        duration: expect.any(Number),
        firstToken: expect.any(Number),
        retries: 1,
        usage: { input: 10, output: 2 },
      },
      {
        provider: protocol,
        model: 'other',
        outcome: 'model_error',
        duration: expect.any(Number),
        firstToken: undefined,
        retries: 0,
        usage: undefined,
      },
    ])
  })
})
