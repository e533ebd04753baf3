import fc from 'fast-check'
import { countTokens as reference } from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, it } from 'vitest'
import { countTokens } from '../../src/core/tokens.ts'

const exact = (text: string) => reference(text, { disallowedSpecial: new Set() })

describe('countTokens', () => {
  it.each([
    ['', 0],
    ['hello world', 2],
    ['<|endoftext|>', 7],
    ['こんにちは世界', 2],
    // A token of its own, which the reference does not find.
    ['\ufeff', 1],
  ])('%j has %i', (text, tokens) => {
    expect(countTokens(text)).toBe(tokens)
  })

  it('is exact where words are of usual length', () => {
    const text = fc.oneof(
      fc.lorem({ maxCount: 40 }),
      fc.string({ unit: 'grapheme', maxLength: 250 }),
      fc.string({ unit: 'binary', maxLength: 250 }),
    )
    fc.assert(fc.property(text, (text) => countTokens(text) === exact(text)))
  })

  it('is exact where the encoding parts words in its own way', () => {
    const piece = fc.constantFrom(
      ...["don't", "WE'LL", "they'Ve", "'s", "x'y", 'HTTPServer', 'iPhone', '中文ABC', 'ʰa', 'ǅ'],
      ...['1234567', '½', '((a', '//\n/', '"\r\n', '🎉', '🎉go', '⚠️', 'e\u0301', '\u0301', '𝐀𝐁'],
      ...[' ', '  ', '\t', '\n', '\n\n ', '\u00a0', '\u3000', '_', '/', '\ud800', 'a'],
    )
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(text, (text) => countTokens(text) === exact(text)),
      { numRuns: 2_000 },
    )
  })

  it('is exact where it slices between words and lines', () => {
    const paragraph = fc.oneof(
      fc.lorem({ maxCount: 120, mode: 'sentences' }),
      fc.constantFrom(
        'const a = {\n  b: 1,\n}\n',
        '// one\n/* two */\n\n\tx()\n',
        '- [ ] a\n',
        ' 12 ',
      ),
    )
    fc.assert(
      fc.property(fc.array(paragraph, { minLength: 60, maxLength: 120 }), (paragraphs) => {
        const text = paragraphs.join('\n')
        expect(countTokens(text)).toBe(exact(text))
      }),
      { numRuns: 30 },
    )
  })

  it('never tells too few where they are not', () => {
    const run = fc
      .tuple(
        fc.constantFrom('a', 'ab', '=', ' ', '界', '🙂', 'x1'),
        fc.integer({ min: 256, max: 2_500 }),
      )
      .map(([text, times]) => text.repeat(times))
    const text = fc
      .array(fc.oneof(run, fc.lorem()), { minLength: 1, maxLength: 3 })
      .map((a) => a.join(' '))
    fc.assert(
      fc.property(text, (text) => {
        expect(countTokens(text)).toBeGreaterThanOrEqual(exact(text))
        expect(countTokens(text)).toBeLessThanOrEqual(exact(text) * 1.1 + 50)
      }),
      { numRuns: 40 },
    )
  })

  it.each([0, 1])('counts no half of a character where it slices (%i before)', (before) => {
    // A private sign of four tokens: a lone half of it would be one.
    const text = `${'x'.repeat(before)}${'\u{f0000}'.repeat(1_500)}`
    expect(countTokens(text)).toBeGreaterThanOrEqual(exact(text))
  })

  it('takes a long run without a break in its stride', () => {
    const letters = (length: number, seed: number) =>
      fc.sample(
        fc.string({
          unit: fc.constantFrom(...'abcdefghijklmnopqrst'),
          minLength: length,
          maxLength: length,
        }),
        { seed, numRuns: 1 },
      )[0] as string
    // Eight times as much; in quadratic time it would be 64 times.
    expect(milliseconds(letters(80_000, 2))).toBeLessThan(
      24 * milliseconds(letters(10_000, 1)) + 50,
    )
  })
})

function milliseconds(text: string): number {
  const begun = performance.now()
  countTokens(`in words ${text} too`)
  return performance.now() - begun
}
