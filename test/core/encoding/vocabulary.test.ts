import { describe, expect, it } from 'vitest'
import { createBytePairCounter } from '../../../src/core/encoding/bytePairs.ts'
import { readVocabulary } from '../../../src/core/encoding/vocabulary.ts'

const TOKENS = ['a', 'b', 'c', 'bc', 'ab', 'abcabc', 'ü']
const lines = (tokens: readonly string[]) =>
  tokens.map((token, rank) => `${Buffer.from(token).toString('base64')} ${rank}\n`)
const bytes = (text: string) => new TextEncoder().encode(text)

describe('readVocabulary', () => {
  const { rankOf } = readVocabulary(Buffer.from(lines(TOKENS).join('')))

  it.each(TOKENS.map((token, rank) => [token, rank] as const))(
    'knows %s by its rank',
    (token, rank) => {
      const within = bytes(`x${token}x`)
      expect(rankOf(within, 1, within.length - 1)).toBe(rank)
    },
  )

  it.each(['', 'x', 'ba', 'abc', 'abcab', 'u'])('does not know %j', (text) => {
    expect(rankOf(bytes(text), 0, bytes(text).length)).toBe(-1)
  })

  it('takes no file whose ranks are not the numbers of its lines', () => {
    const [first = '', , third = ''] = lines(TOKENS)
    expect(() => readVocabulary(Buffer.from(first + third))).toThrow(
      'Line 2 of the vocabulary has the rank 2',
    )
  })
})

describe('createBytePairCounter', () => {
  const count = createBytePairCounter(readVocabulary(Buffer.from(lines(TOKENS).join(''))))

  it.each([
    ['a', 1],
    // The lower rank is made first, though `ab` comes before it.
    ['abc', 2],
    ['ab', 1],
    ['abab', 2],
    // Of bytes that make no pair on the way, a piece is a token only as a whole.
    ['abcabc', 1],
    ['abcabca', 5],
    ['ü', 1],
    ['aü', 2],
  ])('%s is %i', (piece, tokens) => {
    expect(count(piece)).toBe(tokens)
  })
})
