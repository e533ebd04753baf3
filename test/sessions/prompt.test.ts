import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countTokens, createPace } from '../../src/core/tokens.ts'
import { type Item, type ItemInput, identityOf, shownOf } from '../../src/sessions/items/item.ts'
import type { KeptItem, Turn } from '../../src/sessions/state.ts'
import { candidate, chooseMaterial } from '../../src/sessions/turn/material.ts'
import { buildPrompt, type PromptInput } from '../../src/sessions/turn/prompt.ts'
import { createRanker } from '../../src/sessions/turn/rank.ts'
import type { Update } from '../../src/sessions/turn/updates.ts'

const keptOf = (input: ItemInput, version = 1): KeptItem => ({
  key: identityOf(input),
  item: { ...input, tokens: countTokens(shownOf(input)) } as Item,
  version,
  before: undefined,
})
const turnOf = (user_input: string, model_response: string): Turn => ({
  user_input,
  model_response,
  created_at: '2026-01-31T12:00:00.000Z',
  tokens: countTokens(user_input) + countTokens(model_response),
  usage: {} as Turn['usage'],
})
const updateOf = (change: Update['change'], content: string): Update => ({
  type: 'github_issue',
  id: 'github_issue:o/r#1',
  title: 'A title',
  change,
  content,
  metadata: {},
})
const promptOf = (items: readonly KeptItem[], change: Partial<PromptInput> = {}) =>
  buildPrompt({
    input: 'What now?',
    system: undefined,
    turns: [],
    candidates: items.map((kept, index) => candidate(kept, index + 1, 1_800_000_000_000)),
    updates: [],
    room: 4_000,
    rank: () => createRanker().rank('s', items, change.input ?? 'What now?'),
    ...change,
  })
const note = (content: string, metadata: ItemInput['metadata'] = {}) =>
  keptOf({ type: 'note', content, metadata })
const words = (count: number, word: string) => Array.from({ length: count }, () => word).join(' ')

/** Line ends of all kinds, marks, and words. */
const text = fc
  .array(
    fc.constantFrom(
      'a',
      'word ',
      '\n',
      '\r\n',
      '\u2028',
      '\u0085',
      '\v',
      '> ',
      '---',
      '[1] x',
      '🙂',
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''))

describe('a prompt', () => {
  it('never exceeds its room, alternates, and marks what others wrote', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.tuple(text, fc.nat(80)), { maxLength: 12 }),
      fc.array(fc.tuple(text, fc.nat(60)), { maxLength: 5 }),
      fc.array(fc.tuple(fc.constantFrom('added', 'changed', 'removed'), text), { maxLength: 4 }),
      fc.integer({ min: 300, max: 3_000 }),
      async (texts, said, news, room) => {
        const items = texts.map(([start, more], id) => note(start + words(more, 'filler'), { id }))
        const turns = said.map(([start, more]) => turnOf('QUESTION', start + words(more, 'reply')))
        const updates = news.map(([change, content]) => updateOf(change as 'added', content))
        const input = 'USER'
        const prompt = await promptOf(items, { input, room, turns, updates, system: 'Be brief.' })
        const { messages, system } = prompt
        const all = [system ?? '', ...messages.map(({ content }) => content)]
        const tokens = all.reduce((sum, each) => sum + countTokens(each), 0)
        expect(tokens).toBeLessThanOrEqual(room)
        expect(messages.map(({ role }) => role)).toEqual(
          messages.map((_, index) => (index % 2 === 0 ? 'user' : 'assistant')),
        )
        expect(messages.length).toBe(2 * prompt.turnsSent + 1)
        expect(messages.at(-1)?.content.endsWith(input)).toBe(true)
        expect(prompt.itemsSent + prompt.itemsNamed).toBeLessThanOrEqual(items.length)
        expect(prompt.saved).toBeGreaterThanOrEqual(0)
        const ours = messages
          .filter(({ role }) => role === 'user')
          .flatMap(({ content }) => content.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/))
          .filter((line) => !line.startsWith('>'))
        const known =
          /^(|---|USER|QUESTION|Material of .*|Not shown .*|Changed on .*|added:|changed:|removed:|\[\d+\] note, as of [\dTZ:.-]+|\[… \d+ tokens omitted\]|… and \d+ more)$/
        expect(ours.filter((line) => !known.test(line))).toEqual([])
      },
    )
    await fc.assert(property, { numRuns: 300 })
  })

  it('fits into any room, and leaves little of it empty', async () => {
    const items = Array.from({ length: 60 }, (_, id) => note(words(20, `word${id}`), { id }))
    const turns = Array.from({ length: 40 }, () => turnOf('QUESTION', words(20, 'reply')))
    for (let room = 400; room < 2_600; room += 53) {
      const { messages, system } = await promptOf(items, { room, turns })
      const all = [system ?? '', ...messages.map(({ content }) => content)]
      const tokens = all.reduce((sum, each) => sum + countTokens(each), 0)
      expect([room, tokens <= room, tokens > room * 0.55]).toEqual([room, true, true])
    }
  })

  it('sends all there is where it fits, and says that nothing was saved', async () => {
    const items = ['one', 'two', 'three'].map((content) => note(content))
    const turns = [turnOf('Q1', 'A1'), turnOf('Q2', 'A2')]
    const prompt = await promptOf(items, { turns })
    expect(prompt).toMatchObject({ itemsSent: 3, itemsNamed: 0, turnsSent: 2, saved: 0 })
    const material = prompt.messages[0]?.content ?? ''
    expect(material.indexOf('> one')).toBeLessThan(material.indexOf('> two'))
    expect(material.indexOf('> two')).toBeLessThan(material.indexOf('> three'))
  })

  it('tells how many tokens it saved', async () => {
    const items = Array.from({ length: 30 }, (_, id) => note(words(100, `word${id}`), { id }))
    const turns = Array.from({ length: 10 }, () => turnOf('Q', words(100, 'well')))
    const prompt = await promptOf(items, { room: 1_500, turns })
    const whole =
      items.reduce((sum, { item }) => sum + item.tokens, 0) +
      turns.reduce((sum, { tokens }) => sum + tokens, 0)
    const sent = prompt.messages.reduce((sum, { content }) => sum + countTokens(content), 0)
    expect(prompt.saved).toBeGreaterThan(whole - sent)
    expect(prompt.saved).toBeLessThan(whole - sent * 0.7)
  })

  it('gives news no more than a quarter, and says how many there are more', async () => {
    const updates = Array.from({ length: 40 }, () => updateOf('changed', words(30, 'new')))
    const { messages } = await promptOf([], { updates, room: 2_000 })
    const said = messages[0]?.content ?? ''
    expect(said).toMatch(/\n\n… and \d+ more\n\n---\n\nWhat now\?$/)
    expect(countTokens(said)).toBeLessThan(550)
  })

  it('refuses words that do not fit', async () => {
    await expect(promptOf([], { input: words(5_000, 'word') })).rejects.toMatchObject({
      code: 'payload_too_large',
    })
  })
})

describe('the choice of items', () => {
  const ranked = (items: readonly KeptItem[], query: string) =>
    createRanker()
      .rank('s', items, query)
      .then((scores) =>
        items.toSorted((a, b) => (scores.get(b.key) ?? 0) - (scores.get(a.key) ?? 0)),
      )

  it('follows the words of the user, in texts and in names', async () => {
    const items = [
      note('Pipelines and caches.'),
      note('let limit = 1', { path: 'src/authentication.ts' }),
      note('The login form forgets passwords.'),
    ]
    expect((await ranked(items, 'why does the password get lost?'))[0]).toBe(items[2])
    expect((await ranked(items, 'look at authentication'))[0]).toBe(items[1])
    expect((await ranked(items, 'cache'))[0]).toBe(items[0])
  })

  it('knows an item’s latest version, and forgets those that are gone', async () => {
    const ranker = createRanker()
    const old = note('zanzibar', { id: 1 })
    const newer = note('madagascar', { id: 1 })
    const other = note('other', { id: 2 })
    expect((await ranker.rank('s', [old, other], 'zanzibar')).get(old.key)).toBeGreaterThan(0)
    expect((await ranker.rank('s', [newer, other], 'zanzibar')).size).toBe(0)
    expect((await ranker.rank('s', [newer, other], 'madagascar')).size).toBe(1)
    expect((await ranker.rank('s', [other], 'madagascar')).size).toBe(0)
    expect((await ranker.rank('t', [old], 'other')).size).toBe(0)
  })

  it('takes the latest of equals', async () => {
    const items = Array.from({ length: 20 }, (_, id) => note(words(50, 'same'), { id }))
    const candidates = items.map((kept, index) => candidate(kept, index + 1, undefined))
    const chosen = await chooseMaterial(candidates, 600, async () => new Map(), createPace())
    expect(chosen.text.match(/^\[\d+\]/gm)?.slice(0, 2)).not.toContain('[1]')
    expect(chosen.text).toContain('[20] note')
  })

  it('does not hold others up, however much there is', async () => {
    const items = Array.from({ length: 400 }, (_, id) =>
      note(Array.from({ length: 1_500 }, (_, at) => `w${(id * 7 + at) % 3_000}`).join(' '), { id }),
    )
    let turns = 0
    let going = true
    const watch = () => {
      turns += 1
      if (going) setImmediate(watch)
    }
    watch()
    await promptOf(items, { input: 'w17 w2900', room: 10_000 })
    going = false
    // Indexing it all takes a second or more: others had their turn many times meanwhile.
    expect(turns).toBeGreaterThan(10)
  })
})
