import { describe, expect, it } from 'vitest'
import { countTokens } from '../../src/core/tokens.ts'
import { createOpenAI } from '../../src/models/openai.ts'
import {
  adapterOf,
  collect,
  configFor,
  createAsking,
  failureOf,
  KEY,
  requestOf,
} from '../support/models/ask.ts'
import { openai } from '../support/models/openai.ts'
import { fails, says } from '../support/models/scripts.ts'
import { startStandIn } from '../support/models/server.ts'

const live = () => new AbortController().signal

async function start(key: string | undefined = KEY) {
  const server = await startStandIn({ protocol: 'openai', ...(key === '' ? {} : { key }) })
  const config = key === '' ? { OPENAI_BASE_URL: server.url } : configFor('openai', server)
  const asking = createAsking({ config })
  return {
    server,
    models: asking.models,
    adapter: adapterOf(asking.models, 'openai'),
    async [Symbol.asyncDispose]() {
      await asking[Symbol.asyncDispose]()
      await server.close()
    },
  }
}

describe('the request', () => {
  it('has the instructions first, then the conversation, and asks for the counts', async () => {
    await using it = await start()
    const messages = [
      { role: 'user', content: 'One?' },
      { role: 'assistant', content: 'Two.' },
      { role: 'user', content: 'Three?' },
    ] as const
    const asked = { system: 'Be brief.', messages, maxTokens: 321, temperature: 0.2 }
    await collect(it.adapter.reply(requestOf('openai', asked), live()))
    expect(it.server.calls[0]?.body).toEqual({
      model: 'gpt-6.1-terra',
      messages: [{ role: 'system', content: 'Be brief.' }, ...messages],
      max_tokens: 321,
      temperature: 0.2,
      stream: true,
      stream_options: { include_usage: true },
    })
  })

  it('has no temperature and no instructions where none are asked for', async () => {
    await using it = await start()
    await collect(it.adapter.reply(requestOf('openai'), live()))
    const { body } = it.server.calls[0] ?? {}
    expect(body).not.toHaveProperty('temperature')
    expect(body?.messages).toEqual([{ role: 'user', content: 'What is new?' }])
  })

  it.each<[string | undefined, string]>([
    [undefined, 'max_completion_tokens'],
    ['https://eu.api.openai.com/v1', 'max_completion_tokens'],
    ['https://mine.openai.azure.com/openai/v1', 'max_completion_tokens'],
    ['https://openai.com.example/v1', 'max_tokens'],
  ])('to %s names the limit %s', async (baseUrl, name) => {
    const sent = Promise.withResolvers<{ url: string; body: Record<string, unknown> }>()
    const wire = createOpenAI({
      apiKey: KEY,
      baseUrl,
      contextTokens: 8_192,
      timeoutMs: 1_000,
      async fetch(url, init) {
        sent.resolve({ url: String(url), body: JSON.parse(String(init?.body)) })
        return new Response(says200, { headers: { 'content-type': 'text/event-stream' } })
      },
    })
    for await (const _ of wire.attempt(requestOf('openai', { maxTokens: 99 }), live()));
    const { body, url } = await sent.promise
    expect(url).toBe(`${baseUrl ?? 'https://api.openai.com/v1'}/chat/completions`)
    expect(body).toMatchObject({ [name]: 99 })
    expect(Object.keys(body).filter((field) => /^max_/.test(field))).toEqual([name])
  })
})

const says200 = openai.end({ model: 'm', messages: [] }, {})

describe('a server of one’s own', () => {
  it('needs no key, and gets none', async () => {
    await using it = await start('')
    const reply = await collect(
      it.adapter.reply(requestOf('openai', { model: 'llama3.2' }), live()),
    )
    expect(reply.text).toContain('stand-in')
    expect(it.server.calls[0]?.headers).not.toHaveProperty('authorization')
    expect(it.server.calls[0]?.body.model).toBe('llama3.2')
  })

  it('has models that nobody else knows, so one must be named', async () => {
    await using it = await start('')
    expect(() => it.models.choose({})).toThrow(/model_config\/model: name a model of openai/)
    expect(it.models.choose({ model: 'meta-llama/Llama-3.1-8B' })).toMatchObject({
      adapter: it.adapter,
      model: 'meta-llama/Llama-3.1-8B',
    })
    expect(it.adapter.contextWindow('meta-llama/Llama-3.1-8B')).toBe(8_192)
  })

  it('may not count, so its tokens are counted here', async () => {
    await using it = await start()
    it.server.plays(says(['Hello', ' world'], { usage: null }))
    const asked = requestOf('openai', { system: 'Be brief.' })
    const { end } = await collect(it.adapter.reply(asked, live()))
    expect(end?.usage).toEqual({
      input: countTokens('Be brief.') + countTokens('What is new?') + 8,
      output: countTokens('Hello world'),
    })
  })

  it('may end without [DONE]', async () => {
    await using it = await start()
    it.server.plays((stage) => {
      stage.begin()
      stage.text('Hello')
      const last = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
      stage.raw(`data: ${JSON.stringify(last)}\n\n`)
      stage.stop()
    })
    const reply = await collect(it.adapter.reply(requestOf('openai'), live()))
    expect(reply).toMatchObject({ text: 'Hello', end: { model: 'gpt-6.1-terra' } })
  })

  it('may leave the answer open after [DONE]: the reply is told, the connection used again', async () => {
    await using it = await start()
    const goOn = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    it.server.plays(async (stage) => {
      stage.begin()
      stage.text('Hello')
      stage.raw(openai.end({ model: 'm', messages: [] }, {}))
      await goOn.promise
      stage.stop()
      ended.resolve()
    })
    const reply = await collect(it.adapter.reply(requestOf('openai'), live()))
    expect(reply.text).toBe('Hello')
    goOn.resolve()
    await ended.promise
    const ports = new Set<number | undefined>()
    for (let turn = 0; turn < 6; turn += 1) {
      await collect(it.adapter.reply(requestOf('openai'), live()))
    }
    for (const { port } of it.server.calls) ports.add(port)
    expect(ports.size).toBeLessThanOrEqual(2)
  })

  it.each([
    ['numbers as codes', { message: 'This model’s maximum context length is 4096', code: 400 }],
    ['words of its own', { message: 'x', type: 'exceed_context_size_error', code: 400 }],
  ])('may tell errors in the stream by %s', async (_, error) => {
    await using it = await start()
    it.server.plays((stage) => {
      stage.begin()
      stage.raw(`data: ${JSON.stringify({ error })}\n\n`)
      stage.stop()
    })
    expect((await failureOf(it.adapter.reply(requestOf('openai'), live()))).error).toMatchObject({
      code: 'model_error',
      detail: expect.stringMatching(/longer than the model/),
    })
  })
})

describe('the reply', () => {
  it('is what the model says in refusing, too', async () => {
    await using it = await start()
    it.server.plays((stage) => {
      stage.begin()
      const choices = [{ index: 0, delta: { refusal: 'I will not.' }, finish_reason: null }]
      stage.raw(`data: ${JSON.stringify({ choices })}\n\n`)
      stage.end({ reason: 'content_filter' })
    })
    const reply = await collect(it.adapter.reply(requestOf('openai'), live()))
    expect(reply).toMatchObject({ text: 'I will not.', end: { truncated: true } })
  })

  it('is not asked for again when the quota is used up', async () => {
    await using it = await start()
    it.server.plays(fails(429, { type: 'insufficient_quota', code: 'insufficient_quota' }))
    const { error } = await failureOf(it.adapter.reply(requestOf('openai'), live()))
    expect(error).toMatchObject({
      code: 'model_rate_limited',
      detail: expect.stringMatching(/quota.*OPENAI_API_KEY/),
    })
    expect(it.server.calls.length).toBe(1)
  })
})

describe('the context window', () => {
  it('is that of the family', async () => {
    await using it = await start()
    const windows = ['gpt-6.1-terra', 'gpt-5-mini', 'gpt-4.1-nano', 'gpt-4o', 'gpt-4', 'o3'].map(
      (model) => it.adapter.contextWindow(model),
    )
    expect(windows).toEqual([922_000, 272_000, 1_047_576, 128_000, 8_192, 200_000])
  })
})
