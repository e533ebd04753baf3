import { expect, it } from 'vitest'
import { countTokens } from '../../src/core/tokens.ts'
import { collect, createAsking, failureOf } from '../support/models/ask.ts'

const live = () => new AbortController().signal
const request = {
  model: 'echo',
  system: 'Be brief.',
  messages: [
    { role: 'user', content: 'One?' },
    { role: 'assistant', content: 'Two.' },
    { role: 'user', content: 'What is\n\nnew in  Hello-World? ✓' },
  ],
  maxTokens: 500,
  temperature: undefined,
} as const

it('needs no configuration, and is the default without any', async () => {
  await using it = createAsking()
  const { adapter, model } = it.models.choose({})
  expect([adapter.provider, model]).toEqual(['echo', 'echo'])
})

it('says plainly what it is and what it was given', async () => {
  await using it = createAsking()
  const reply = await collect(it.models.choose({}).adapter.reply(request, live()))
  expect(reply.text).toMatch(/^This is the built-in echo, not a language model.*3 messages of \d+/)
  expect(reply.text).toContain('Instructions:\n\nBe brief.')
  expect(reply.text).toContain('The last message:\n\nWhat is\n\nnew in  Hello-World? ✓')
  expect(reply.texts.length).toBeGreaterThan(20)
  const input = ['Be brief.', ...request.messages.map(({ content }) => content)]
    .map(countTokens)
    .reduce((sum, tokens) => sum + tokens)
  expect(reply.end).toMatchObject({ usage: { input }, model: 'echo', truncated: false })
  expect(it.reports).toMatchObject([{ provider: 'echo', model: 'echo', outcome: 'ok' }])
})

it('keeps to max_tokens, and says that it was cut', async () => {
  await using it = createAsking()
  const { adapter } = it.models.choose({ provider: 'echo' })
  const reply = await collect(adapter.reply({ ...request, maxTokens: 12 }, live()))
  expect(reply.end).toMatchObject({ truncated: true })
  expect(countTokens(reply.text)).toBeLessThanOrEqual(12)
  expect(reply.text.length).toBeGreaterThan(10)
})

it('stops when the caller leaves', async () => {
  await using it = createAsking()
  const caller = new AbortController()
  const events = it.models.choose({}).adapter.reply(request, caller.signal)
  const texts: string[] = []
  const read = async () => {
    for await (const event of events) {
      if (event.type === 'text') texts.push(event.text)
      caller.abort(new Error('gone'))
    }
  }
  await expect(read()).rejects.toThrow('gone')
  expect(texts.length).toBe(1)
  expect(
    (await failureOf(it.models.choose({}).adapter.reply(request, caller.signal))).error,
  ).toEqual(new Error('gone'))
})
