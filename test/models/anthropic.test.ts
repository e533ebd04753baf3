import { describe, expect, it } from 'vitest'
import {
  adapterOf,
  collect,
  configFor,
  createAsking,
  KEY,
  requestOf,
} from '../support/models/ask.ts'
import { says } from '../support/models/scripts.ts'
import { startStandIn } from '../support/models/server.ts'

const live = () => new AbortController().signal

async function start() {
  const server = await startStandIn({ protocol: 'anthropic', key: KEY })
  const asking = createAsking({ config: configFor('anthropic', server) })
  return {
    server,
    adapter: adapterOf(asking.models, 'anthropic'),
    async [Symbol.asyncDispose]() {
      await asking[Symbol.asyncDispose]()
      await server.close()
    },
  }
}

describe('the request', () => {
  it('has the conversation, the instructions and the limit', async () => {
    await using it = await start()
    const messages = [
      { role: 'user', content: 'One?' },
      { role: 'assistant', content: 'Two.' },
      { role: 'user', content: 'Three?' },
    ] as const
    const asked = requestOf('anthropic', { system: 'Be brief.', messages, maxTokens: 321 })
    await collect(it.adapter.reply(asked, live()))
    expect(it.server.calls[0]?.body).toEqual({
      model: 'claude-sonnet-5-5',
      system: 'Be brief.',
      messages,
      max_tokens: 321,
      stream: true,
    })
    expect(it.server.calls[0]?.headers['anthropic-version']).toBe('2026-10-21')
  })

  it('has a temperature only where one is asked for, by the version that still takes it', async () => {
    await using it = await start()
    for (const temperature of [0, 0.7]) {
      await collect(it.adapter.reply(requestOf('anthropic', { temperature }), live()))
      const call = it.server.calls.at(-1)
      expect(call?.body).toMatchObject({ temperature })
      expect(call?.body).not.toHaveProperty('system')
      expect(call?.headers['anthropic-version']).toBe('2023-06-01')
    }
  })
})

describe('the reply', () => {
  it('counts what came from the cache of the provider', async () => {
    await using it = await start()
    it.server.plays((stage) => {
      const usage = {
        input_tokens: 10,
        cache_creation_input_tokens: 200,
        cache_read_input_tokens: 3_000,
        output_tokens: 1,
      }
      stage.answer(
        200,
        { 'content-type': 'text/event-stream' },
        [
          { type: 'message_start', message: { model: 'claude-sonnet-5-5-20261001', usage } },
          { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
          {
            type: 'message_delta',
            delta: { stop_reason: 'end_turn' },
            usage: { output_tokens: 4 },
          },
          { type: 'message_stop' },
        ]
          .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
          .join(''),
      )
    })
    const { end } = await collect(it.adapter.reply(requestOf('anthropic'), live()))
    expect(end).toMatchObject({
      usage: { input: 3_210, output: 4 },
      model: 'claude-sonnet-5-5-20261001',
    })
  })

  it('leaves out what the model thinks, and does not mind events that it does not know', async () => {
    await using it = await start()
    it.server.plays((stage) => {
      stage.begin()
      const thinking = { type: 'thinking_delta', thinking: 'hm' }
      const delta = JSON.stringify({ type: 'content_block_delta', index: 0, delta: thinking })
      stage.raw(`event: content_block_delta\ndata: ${delta}\n\n`)
      stage.raw('event: news\ndata: {"type":"news"}\n\n')
      stage.text('Hi')
      stage.end()
    })
    expect((await collect(it.adapter.reply(requestOf('anthropic'), live()))).texts).toEqual(['Hi'])
  })

  it('tells a refusal as cut short', async () => {
    await using it = await start()
    it.server.plays(says(['I cannot'], { reason: 'refusal' }))
    const { end } = await collect(it.adapter.reply(requestOf('anthropic'), live()))
    expect(end?.truncated).toBe(true)
  })
})

describe('the context window', () => {
  it('is that of the family, in tokens as this service counts them', async () => {
    await using it = await start()
    const windows = ['claude-sonnet-5-5', 'claude-opus-4-6', 'claude-haiku-4-5', 'claude-x'].map(
      (model) => it.adapter.contextWindow(model),
    )
    expect(windows).toEqual([700_000, 700_000, 140_000, 140_000])
    expect(it.adapter.contextWindow('somebodys-own')).toBe(8_192)
  })
})
