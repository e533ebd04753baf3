import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCleaner } from '../../../src/context/safe/cleaner.ts'
import { isPlain } from '../../../src/context/safe/plain.ts'
import type { TextKind } from '../../../src/core/provider.ts'
import { hostileText } from '../../support/hostile.ts'
import { privateKey, SECRETS } from '../../support/secrets.ts'

const TOKEN = SECRETS[0]?.secret ?? ''
const kinds = fc.constantFrom<TextKind>('markdown', 'code', 'line')

function cleaned(text: string, kind: TextKind, keepLines = false) {
  const cleaner = createCleaner()
  return { text: cleaner.text(text, kind, { keepLines }), removed: cleaner.removed() }
}

describe('text', () => {
  it('is cleaned of all, in the order in which one hides another', () => {
    const [head, tail] = [TOKEN.slice(0, 9), TOKEN.slice(9)]
    expect(cleaned(`a <!\u200B-- x --> ${head}\u200B<!-- y -->${tail}\0`, 'markdown')).toEqual({
      text: 'a  [masked github token]',
      removed: { control_characters: 1, hidden_characters: 2, html_comments: 2, secrets: 1 },
    })
  })

  it('that is clean is the same, and nothing is counted', () => {
    const text = 'Look at <b>this</b>:\n\n```js\nconst a = "b" // 😀\n```\n'
    for (const kind of ['markdown', 'code', 'line'] as const)
      expect(cleaned(text, kind)).toEqual({ text, removed: {} })
    expect(cleaned('a\r\nb', 'markdown')).toEqual({ text: 'a\nb', removed: {} })
  })

  it('tells the counts in the order of their names, without those that are none', () => {
    const cleaner = createCleaner()
    expect(cleaner.removed()).toEqual({})
    cleaner.text(TOKEN, 'code')
    cleaner.text(TOKEN, 'code')
    cleaner.text('a\0\u200B', 'code')
    expect(Object.entries(cleaner.removed())).toEqual([
      ['control_characters', 1],
      ['hidden_characters', 1],
      ['secrets', 2],
    ])
  })

  it('of code keeps its comments and its lines', () => {
    const html = '<!-- shown -->\n<!-- open'
    expect(cleaned(html, 'code').text).toBe(html)
    expect(cleaned('+a\u2028-b\rc\n d', 'code').text).toBe('+a␤-b␤c\n d')
    const key = `${privateKey()}\nx`
    expect(cleaned(key, 'code').text.split('\n')).toHaveLength(key.split('\n').length)
  })

  it('of Markdown ends lines where its readers see it, or keeps their number', () => {
    const text = 'a\u2028b<!--\n-->\nc'
    expect(cleaned(text, 'markdown').text).toBe('a\nb\nc')
    expect(cleaned(text, 'markdown', true).text).toBe('a␤b\n\nc')
  })

  it('of a title stays on its line, and is never cut off', () => {
    expect(cleaned('a\u2028# b\u2029c <!-- d --> e', 'line').text).toBe('a # b c  e')
    expect(cleaned('<!-- breaks', 'line').text).toBe('<!-- breaks')
  })

  it('is clean when it has been cleaned', () => {
    fc.assert(
      fc.property(hostileText, kinds, fc.boolean(), (text, kind, keepLines) => {
        const once = cleaned(text, kind, keepLines).text
        expect(cleaned(once, kind, keepLines)).toEqual({ text: once, removed: {} })
      }),
      { numRuns: 6_000 },
    )
  })

  it('keeps the number of its lines, where that is asked for', () => {
    fc.assert(
      fc.property(hostileText, fc.constantFrom('markdown', 'code'), (text, kind) => {
        const lines = text.split('\n').length
        expect(cleaned(text, kind, true).text.split('\n')).toHaveLength(lines)
      }),
      { numRuns: 3_000 },
    )
  })

  it('that is passed over at the first look has nothing to clean', () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, fc.string()), (text) => {
        fc.pre(isPlain(text))
        // The end of a line makes it look.
        expect(cleaned(`${text}\n`, 'markdown')).toEqual({ text: `${text}\n`, removed: {} })
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('data', () => {
  const dirty = `a\u200B<!-- b --> ${TOKEN}`

  it('is cleaned in every string, names of fields too', () => {
    const cleaner = createCleaner()
    const source = {
      title: dirty,
      list: [dirty, { deep: [[dirty]] }],
      'na\u200Bme': 1,
      none: null,
      yes: true,
      number: 1.5,
    }
    const copy = structuredClone(source)
    expect(cleaner.data(source)).toEqual({
      title: 'a [masked github token]',
      list: ['a [masked github token]', { deep: [['a [masked github token]']] }],
      name: 1,
      none: null,
      yes: true,
      number: 1.5,
    })
    expect(cleaner.removed()).toEqual({ hidden_characters: 4, html_comments: 3, secrets: 3 })
    expect(source).toEqual(copy)
  })

  it('that is clean is the same object, and so are its clean parts', () => {
    const clean = { a: ['b', { c: null, Keys: 'K' }], user: { login: 'octocat' } }
    expect(createCleaner().data(clean)).toBe(clean)
    const half = createCleaner().data({ clean, dirty })
    expect(half.clean).toBe(clean)
  })

  it('keeps the order of its fields', () => {
    const source = JSON.parse('{"b":"x\u200B","a\u200B":1,"__proto__":{"c":"\u200By"},"d":2}')
    expect(JSON.stringify(createCleaner().data(source))).toBe(
      '{"b":"x","a":1,"__proto__":{"c":"y"},"d":2}',
    )
  })

  it.each([
    ['the patch of a file', { patch: '+<!-- a -->' }],
    ['the hunk of a comment', { diff_hunk: '+<!-- a -->' }],
    ['the hunk of a comment, in GraphQL', { diffHunk: '+<!-- a -->' }],
    ['a file', { content: '<!-- a -->', encoding: 'utf-8' }],
    ['a blob, in GraphQL', { text: '<!-- a -->', isBinary: false }],
    ['what search found in a file', { property: 'content', fragment: '<!-- a -->' }],
  ])('keeps comments that are seen: in %s', (_what, source) => {
    expect(createCleaner().data(source)).toBe(source)
  })

  it.each([
    ['the text of a check', { summary: '', text: 'a<!-- b -->' }, { summary: '', text: 'a' }],
    [
      'what search found in an issue',
      { property: 'body', fragment: 'a<!-- b -->' },
      { property: 'body', fragment: 'a' },
    ],
    ['a body', { body: 'a<!-- b -->' }, { body: 'a' }],
    ['a message', { message: 'a<!-- b -->' }, { message: 'a' }],
  ])('removes comments that are not seen: in %s', (_what, source, expected) => {
    expect(createCleaner().data(source)).toEqual(expected)
  })

  it('opens files that came as base64', () => {
    const file = (path: string, text: string, content = Buffer.from(text).toString('base64')) => ({
      path,
      encoding: 'base64',
      content,
    })
    const cleaner = createCleaner()
    const read = (source: { content: string }) =>
      Buffer.from(cleaner.data(source).content, 'base64').toString()
    expect(read(file('README.md', 'a\u200B\n<!--\n-->\nb'))).toBe('a\n\n\nb')
    expect(read(file('a.html', `<!-- a -->\u202E${TOKEN}`))).toBe('<!-- a -->[masked github token]')
    expect(cleaner.removed()).toEqual({ hidden_characters: 2, html_comments: 1, secrets: 1 })
    const clean = file('a.ts', 'const a = "ü"\n')
    expect(cleaner.data(clean)).toBe(clean)
  })

  it('does not fall over what is nested deeper than anything is', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}"a\u200B"${']'.repeat(100_000)}`)
    expect(JSON.stringify(createCleaner().data(deep)).length).toBeLessThan(1_000)
  })

  it('is clean when it has been cleaned', () => {
    const json = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        hostileText,
        fc.integer(),
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(hostileText, fc.constantFrom('patch', 'text', 'title')), tie('any')),
      ),
    })).any
    fc.assert(
      fc.property(json, (source) => {
        const once = createCleaner().data(source)
        const cleaner = createCleaner()
        expect(cleaner.data(once)).toBe(once)
        expect(cleaner.removed()).toEqual({})
      }),
      { numRuns: 1_500 },
    )
  })
})

describe('file', () => {
  const file = (bytes: Buffer, path = 'a.txt') => createCleaner().file(bytes, path)

  it('is Markdown by its name', () => {
    for (const path of ['a.md', 'docs/A.MARKDOWN', 'README', '/repos/o/r/readme'])
      expect(file(Buffer.from('a<!-- b -->'), path).toString()).toBe('a')
    for (const path of ['a.html', 'readme.ts', 'md'])
      expect(file(Buffer.from('a<!-- b -->'), path).toString()).toBe('a<!-- b -->')
  })

  it('keeps its byte order mark, and is the same where it is clean', () => {
    const clean = Buffer.from('\uFEFFa\n')
    expect(file(clean)).toBe(clean)
    expect(file(Buffer.from('\uFEFFa\u200B\uFEFF\n'))).toEqual(Buffer.from('\uFEFFa\n'))
  })

  it('is left alone where it is no text', () => {
    const image = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xe2, 0x80, 0x8b])
    expect(file(image)).toBe(image)
  })

  it('in windows-1252 stays so', () => {
    const source = Buffer.from('93fcad80940a'.concat(Buffer.from(TOKEN).toString('hex')), 'hex')
    expect(file(source)).toEqual(
      Buffer.from('93fc80940a'.concat(Buffer.from('[masked github token]').toString('hex')), 'hex'),
    )
  })

  it('never becomes another text by what is left of it', () => {
    // In windows-1252 `â`, a soft hyphen, `€`, `‹`; without the hyphen a zero-width space in UTF-8.
    const cleaned = file(Buffer.from('e2ad808b', 'hex'))
    expect(cleaned.toString()).toBe('â€‹')
  })
})
