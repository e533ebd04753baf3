import { matchesGlob } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileGlob } from '../../../src/context/tree/glob.ts'

const PATHS = [
  'README.md',
  'src/main.ts',
  'src/http/app.ts',
  'src/http/app.test.tsx',
  'src/.hidden/x.ts',
  'docs/a b.md',
  'a/b/c/d/e.json',
]
const matching = (pattern: string) => PATHS.filter(compileGlob(pattern))

describe('compileGlob', () => {
  it.each([
    ['*.ts', ['src/main.ts', 'src/http/app.ts', 'src/.hidden/x.ts']],
    ['/*.md', ['README.md']],
    ['src/*.ts', ['src/main.ts']],
    ['src/**/*.ts', ['src/main.ts', 'src/http/app.ts', 'src/.hidden/x.ts']],
    ['**', PATHS],
    ['src/http/', ['src/http/app.ts', 'src/http/app.test.tsx']],
    ['**/http/**', ['src/http/app.ts', 'src/http/app.test.tsx']],
    ['*.{md,json}', ['README.md', 'docs/a b.md', 'a/b/c/d/e.json']],
    ['{src/{http,main}*,docs}/**', ['src/http/app.ts', 'src/http/app.test.tsx', 'docs/a b.md']],
    ['README.md/**', []],
    ['app.???', []],
    ['app.??', ['src/http/app.ts']],
    ['readme.md', []],
    ['a/**/d/**/e.json', ['a/b/c/d/e.json']],
    ['a/*/e.json', []],
    ['x{1}', []],
  ])('%s', (pattern, paths) => {
    expect(matching(pattern)).toEqual(paths)
  })

  it('takes all other characters for themselves', () => {
    for (const path of ['[id].tsx', 'a+b', '(x)', '$a^', 'x{1}', 'a{b', '!x', 'ü\\n']) {
      expect([path, compileGlob(path)(path)]).toEqual([path, true])
    }
  })

  it('agrees with Node on what both know', () => {
    const segment = fc.stringMatching(/^[ab]{0,3}$/)
    const wild = fc.stringMatching(/^(?:\*\*|[ab*?]{1,4})$/)
    const path = fc.array(segment.filter(Boolean), { minLength: 1, maxLength: 5 })
    const pattern = fc.array(wild, { minLength: 2, maxLength: 5 })
    let hits = 0
    fc.assert(
      fc.property(path, pattern, (segments, parts) => {
        // Elsewhere two stars beside others are one.
        const wanted = parts.map((part) => (part === '**' ? part : part.replaceAll(/\*+/g, '*')))
        const [name, glob] = [segments.join('/'), wanted.join('/')]
        const expected = matchesGlob(name, glob)
        if (expected) hits += 1
        expect([name, glob, compileGlob(glob)(name)]).toEqual([name, glob, expected])
      }),
      { numRuns: 3_000 },
    )
    expect(hits).toBeGreaterThan(50)
  })

  it('cannot be made slow', () => {
    const slow = compileGlob(`${'*a'.repeat(100)}b`)
    const started = performance.now()
    expect(slow(`x/${'a'.repeat(4_000)}`)).toBe(false)
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it('refuses more alternatives than it would try', () => {
    expect(() => compileGlob('{a,b}'.repeat(6))).toThrow('more than 32 alternatives')
    expect(compileGlob('{a,b}'.repeat(5))('ababa')).toBe(true)
  })
})
