import { describe, expect, it } from 'vitest'
import { buildAnswer } from '../../src/context/answer/answer.ts'
import { relevance } from '../../src/context/fit/relevance.ts'
import type { ContextRequest } from '../../src/context/request/request.ts'
import type { Draft, FetchContext, Piece } from '../../src/core/provider.ts'
import { measureTokens } from '../../src/core/tokens.ts'

/** Milliseconds for which nothing else may have its turn, and which part of a long run: slow machines take longer for each. */
const LONGEST = 20
const PART = 1 / 25

/** Milliseconds of this thread's own work, whatever else the machine does. */
function worked(): number {
  const { system, user } = process.threadCpuUsage()
  return (system + user) / 1_000
}

/**
 * The longest stretch of `run` without a turn for others, over what it may last; of three runs the best, as
 * garbage is collected at any time.
 */
async function longestTurn(run: () => Promise<unknown>): Promise<number> {
  const runs: number[] = []
  for (let turn = 0; turn < 3; turn += 1) {
    let longest = 0
    let running = true
    const started = worked()
    let before = started
    const look = () => {
      const now = worked()
      longest = Math.max(longest, now - before)
      before = now
      if (running) setImmediate(look)
    }
    setImmediate(look)
    await run()
    running = false
    const ended = worked()
    longest = Math.max(longest, ended - before)
    runs.push(longest / Math.max(LONGEST, PART * (ended - started)))
  }
  return Math.min(...runs)
}

/** Always the same, without any pattern. */
function noise(length: number, signs: (value: number) => string): string {
  let state = 1
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return signs(state >> 8)
  }).join('')
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const letter = (value: number) => LETTERS[value % LETTERS.length] as string
const SENTENCE = 'Words of a sentence that somebody wrote, with a number 42 in it.\n'
const MEGABYTE = SENTENCE.repeat(16_000)

describe('the event loop', () => {
  it.each([
    ['prose', MEGABYTE.slice(0, 300_000)],
    ['Chinese without spaces', noise(60_000, (n) => String.fromCharCode(0x4e00 + (n % 5_000)))],
    ['random letters', noise(100_000, letter)],
    ['random words', noise(100_000, (n) => (n % 180 === 0 ? ' ' : letter(n)))],
    ['one letter', 'a'.repeat(300_000)],
    ['line ends', '\n'.repeat(300_000)],
  ])('has a turn while %s are counted', async (_what, text) => {
    const longest: number[] = []
    for (let run = 0; run < 3; run += 1) {
      let most = 0
      let pauses = 0
      let before = worked()
      await measureTokens(text, () => {
        const now = worked()
        most = Math.max(most, now - before)
        before = now
        pauses += 1
        return undefined
      })
      longest.push(most)
      expect(text.length / pauses).toBeLessThanOrEqual(2_048)
    }
    expect(Math.min(...longest)).toBeLessThan(LONGEST)
  })

  it('has a turn after each word that is looked for', async () => {
    const texts = Array.from({ length: 300 }, (_, at) => ({
      heading: `### ann ${at}`,
      text: noise(400, (n) => (n % 7 === 0 ? ' ' : letter(n + at))),
    }))
    const pauses = async (query: string) => {
      let count = 0
      await relevance(texts, query, () => {
        count += 1
        return undefined
      })
      return count
    }
    const words = Array.from({ length: 50 }, (_, at) => `${LETTERS.slice(at % 9, 9)}${at}zzz`)
    expect((await pauses(words.join(' '))) - (await pauses('zzzzz'))).toBeGreaterThanOrEqual(49)
  })

  const piece = (text: string, rank: number): Piece => ({
    part: 'texts',
    text,
    by: 'repository',
    rank,
  })
  const draft = (pieces: readonly Piece[]): Draft => ({
    id: 'a',
    title: 'A',
    url: 'https://github.com/o/r',
    head: '# A',
    by: 'service',
    pieces,
    fields: (kept) => ({ texts: kept.map(({ text }) => text) }),
    omit: (dropped) => [{ what: 'texts', count: dropped.length, reason: 'max_tokens' }],
  })
  const whole = [piece(MEGABYTE, 0)]
  const varied = [
    piece(
      MEGABYTE.replaceAll('42', (_all, at) => (at % 3 ? '42' : 'x')),
      0,
    ),
  ]
  const many = Array.from({ length: 1_000 }, (_, at) => piece(MEGABYTE.slice(0, 1_040), at))

  it.each([
    ['one text', whole, {}],
    ['one text in a budget', whole, { maxTokens: 1_500 }],
    ['one text by a question', whole, { maxTokens: 1_500, query: 'who wrote 42 sentences' }],
    ['one text in a large budget', whole, { maxTokens: 100_000 }],
    ['one text by a question in a large budget', varied, { maxTokens: 100_000, query: 'who 42' }],
    ['a thousand texts', many, {}],
    ['a thousand texts in a budget', many, { maxTokens: 50_000 }],
    ['a thousand texts by a question', many, { maxTokens: 50_000, query: 'who wrote 42' }],
  ])(
    'has a turn while a megabyte becomes an answer: %s',
    async (_what, pieces, options) => {
      const request = {
        provider: { type: 'thing', blockType: 'thing' },
        params: {},
        maxTokens: undefined,
        query: undefined,
        minTrust: undefined,
        ...options,
      } as unknown as ContextRequest
      const context = { removed: () => ({}) } as FetchContext
      const answer = { blocks: [draft(pieces)], omitted: [], visibility: 'public' } as const
      expect(await longestTurn(() => buildAnswer(request, { answer, context }))).toBeLessThan(1)
    },
    30_000,
  )
})
