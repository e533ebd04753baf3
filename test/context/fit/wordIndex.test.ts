import MiniSearch from 'minisearch'
import { describe, expect, it } from 'vitest'
import { createWordIndex, type Likeness } from '../../../src/context/fit/wordIndex.ts'

const same = (word: string) => word
const split = (text: string) => text.split(' ').filter(Boolean)

const TEXTS = [
  ['login', 'the login page shows an error when the login token is gone'],
  ['', 'loginn is a spelling of it, and logins are many'],
  ['errors', 'nothing here'],
  ['login login', ''],
  [
    '',
    'a very long text in which a login is one word of so many others that it tells little of it',
  ],
] as const

/** The same texts in an index of a library that scores by the same formula. */
function libraryScores(word: string, { fuzzy = 0, prefix = false }: Likeness): number[] {
  const library = new MiniSearch({
    fields: ['heading', 'text'],
    tokenize: split,
    processTerm: same,
  })
  for (const [id, [heading, text]] of TEXTS.entries()) library.add({ id, heading, text })
  const found = library.search(word, {
    prefix,
    fuzzy: fuzzy > 0 && fuzzy,
    tokenize: (whole) => [whole],
  })
  const scores = TEXTS.map(() => 0)
  for (const { id, score } of found) scores[id] = score
  return scores
}

function scores(word: string, like: Likeness): number[] {
  const index = createWordIndex(2, same)
  for (const [heading, text] of TEXTS) index.add([split(heading), split(text)])
  return [...index.scoresOf(word, like)]
}

describe('an index of words', () => {
  it.each<[string, Likeness]>([
    ['login', {}],
    ['login', { prefix: true }],
    ['logim', { fuzzy: 0.25 }],
    ['error', { prefix: true, fuzzy: 0.25 }],
    ['is', {}],
    ['unknown', { prefix: true, fuzzy: 0.25 }],
  ])('scores %s with %o as BM25+ does', (word, like) => {
    const expected = libraryScores(word, like)
    const own = scores(word, like)
    for (const [at, score] of own.entries()) expect(score).toBeCloseTo(expected[at] as number, 10)
    expect(own.some((score) => score > 0)).toBe(word !== 'unknown')
  })

  it('takes no words of which no form is left', () => {
    const index = createWordIndex(1, (word) => (word === '_' ? '' : word))
    index.add([['_', 'a']])
    expect([...index.vocabulary]).toEqual(['a'])
    expect([...index.scoresOf('')]).toEqual([0])
  })
})
