import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { difference } from '../../src/sessions/turn/diff.ts'

const lines = (...texts: string[]) => texts.join('\n')

describe('a difference', () => {
  it.each([
    ['nothing', lines('a', 'b'), lines('a', 'b'), ''],
    ['a changed line', lines('a', 'b', 'c'), lines('a', 'x', 'c'), lines('- b', '+ x')],
    ['a new line', lines('a', 'c'), lines('a', 'b', 'c'), '+ b'],
    ['a lost line', lines('a', 'b', 'c'), lines('a', 'c'), '- b'],
    ['the first line', 'a', 'b', lines('- a', '+ b')],
    [
      'places apart',
      lines('a', 'b', 'c', 'd'),
      lines('x', 'b', 'c', 'y'),
      lines('- a', '+ x', '…', '- d', '+ y'),
    ],
    ['a text from nothing', '', 'a', lines('- ', '+ a')],
  ])('of %s', (_name, before, after, expected) => {
    expect(difference(before, after)).toBe(expected)
  })

  it('makes the one out of the other', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 })
    fc.assert(
      fc.property(text, text, (left, right) => {
        const found = difference(left.join('\n'), right.join('\n'))
        const said = found === '' ? [] : found.split('\n').filter((line) => line !== '…')
        const removed = said.filter((line) => line.startsWith('- ')).map((line) => line.slice(2))
        const added = said.filter((line) => line.startsWith('+ ')).map((line) => line.slice(2))
        expect(said).toHaveLength(removed.length + added.length)
        const [before, after] = [left, right].map((each) => each.join('\n').split('\n')) as [
          string[],
          string[],
        ]
        // What both share is what is left of each without its own lines.
        expect(without(before, removed)).toEqual(without(after, added))
      }),
      { numRuns: 1_000 },
    )
  })

  it('is cut where it is long, and says by how much', () => {
    const many = (word: string) =>
      Array.from({ length: 5_000 }, (_, at) => `${word} ${at}`).join('\n')
    const found = difference(many('old'), many('new'))
    expect(found.length).toBeLessThan(17_000)
    expect(found).toMatch(/\n… \d+ more lines changed$/)
  })
})

/** The lines without as many of each as are to be taken away. */
function without(all: readonly string[], taken: readonly string[]): string[] {
  const left = [...taken]
  return all
    .filter((line) => {
      const at = left.indexOf(line)
      if (at === -1) return true
      left.splice(at, 1)
      return false
    })
    .toSorted()
}
