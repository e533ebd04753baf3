import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { removeComments } from '../../../src/context/safe/htmlComments.ts'
import { hostileMarkup } from '../../support/hostile.ts'

const markdown = (text: string) => removeComments(text, { keepLines: false, toTheEnd: true })
const withLines = (text: string) => removeComments(text, { keepLines: true, toTheEnd: true }).text
const title = (text: string) => removeComments(text, { keepLines: true, toTheEnd: false }).text

describe('removeComments', () => {
  it.each([
    ['in a line', 'a <!-- hidden --> b', 'a  b', 1],
    ['over lines', 'a\n<!-- hid\n\nden -->\nb', 'a\n\nb', 1],
    ['several', '<!--1-->a<!--2--><!--3-->b', 'ab', 3],
    ['empty', 'a<!-->b<!--->c<!---->d', 'abcd', 3],
    ['closed in the other way', 'a<!-- x --!>b', 'ab', 1],
    ['with dashes and openers inside', 'a<!-- -- <!-- - -> -->b', 'ab', 1],
    ['not closed, in a block', 'a\n\n<!-- hidden\n\nhidden', 'a\n\n', 1],
    ['not closed, in a quoted list', '> - a\n> - <!-- hidden\nhidden', '> - a\n> - ', 1],
    ['not closed, in a footnote', '[^1]: <!-- hidden', '[^1]: ', 1],
    ['not closed, after a tag on an earlier line', '<b>\na <!-- hidden', '<b>\na ', 1],
    ['with an empty one that would close too early', '<!--!> hidden -->a', 'a', 1],
  ])('removes them: %s', (_what, text, expected, comments) => {
    expect(markdown(text)).toEqual({ text: expected, comments })
  })

  it.each([
    ['arrows and tags', 'a --> b <- c <b>d</b> <!doctype html> <! -- x -->'],
    [
      'what opens in the middle of a line, and nothing closes',
      'The parser fails on `<!--` here.\n\nAnd more.',
    ],
    ['what a list item says of it', '- it fails on <!-- here\n- too'],
  ])('leaves %s', (_what, text) => {
    expect(markdown(text)).toEqual({ text, comments: 0 })
  })

  it('leaves a title that nothing closes', () => {
    expect(title('<!-- breaks the parser')).toBe('<!-- breaks the parser')
    expect(title('a <!-- b --> c')).toBe('a  c')
  })

  it('makes no new comment of what was around one', () => {
    expect(markdown('<!-<!-- -->- seen -->').text).toBe('<!- - seen -->')
    expect(markdown('<!<!-- --><!-- -->-<!-- -->- seen -->').text).toBe('<!- - seen -->')
    expect(markdown('<<!-- -->!-- seen -->').text).toBe('< !-- seen -->')
  })

  it('leaves one blank line where a block was', () => {
    expect(markdown('# A\n\n<!-- one -->\n\n<!-- two -->\n\ntext').text).toBe('# A\n\ntext')
    expect(markdown('<!-- template -->\n\ntext').text).toBe('text')
  })

  it('keeps the lines where they are, when asked to', () => {
    expect(withLines('a\n<!-- 1\n2\n3 --> b\nc')).toBe('a\n\n\n b\nc')
    expect(withLines('a\n<!-- 1\n2\n3')).toBe('a\n\n\n')
    fc.assert(
      fc.property(hostileMarkup, (text) => {
        expect(withLines(text).split('\n')).toHaveLength(text.split('\n').length)
      }),
      { numRuns: 2_000 },
    )
  })

  it('leaves none, and changes nothing when it is applied again', () => {
    fc.assert(
      fc.property(hostileMarkup, fc.boolean(), fc.boolean(), (text, keepLines, toTheEnd) => {
        const options = { keepLines, toTheEnd }
        const once = removeComments(text, options).text
        expect(once).not.toMatch(/<!--[\s\S]*?--!?>|<!---?>/)
        expect(removeComments(once, options)).toEqual({ text: once, comments: 0 })
      }),
      { numRuns: 5_000 },
    )
  })

  it('loses nothing outside of them', () => {
    const words = fc.array(fc.constantFrom('a', 'b c', '<', '!', '-', '>', '\n', '`', '<!-', '->'))
    const text = words.map((chosen) => chosen.join('').replaceAll('<!--', '').replaceAll('-->', ''))
    const squeeze = (value: string) => value.replaceAll(/\s/g, '')
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { minLength: 1 }), (pairs) => {
        const source = pairs.map(([seen, hidden]) => `${seen}|<!-- ${hidden} -->|`).join('')
        const seen = pairs.map(([seen]) => `${seen}||`).join('')
        // What the parts make together is none of their own.
        fc.pre(
          !/<!--|--!>/.test(seen) && pairs.every(([, hidden]) => !/--!?>/.test(`<!-- ${hidden} `)),
        )
        expect(squeeze(markdown(source).text)).toBe(squeeze(seen))
      }),
      { numRuns: 2_000 },
    )
  })
})
