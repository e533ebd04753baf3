import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { classOf } from '../../../src/context/change/fileClasses.ts'
import {
  hunksOf,
  noteOn,
  patchKindOf,
  readHunks,
  writeHunks,
} from '../../../src/context/change/patches.ts'
import { windowsOf } from '../../../src/context/common/windows.ts'
import { diffTexts } from '../../support/github/diff.ts'
import { fileBody } from '../../support/github/index.ts'

type Entry = Parameters<typeof patchKindOf>[0]

describe('hunksOf', () => {
  it('parts a patch before each @@ line, whatever the lines hold', () => {
    const patch =
      '@@ -1 +1,2 @@ one\n-@@ old\n+@@ new\n+\n@@ -9 +10 @@\n x\n\\ No newline at end of file\n'
    expect(hunksOf(patch)).toEqual([
      { number: 1, text: '@@ -1 +1,2 @@ one\n-@@ old\n+@@ new\n+' },
      { number: 2, text: '@@ -9 +10 @@\n x\n\\ No newline at end of file' },
    ])
    expect(hunksOf(undefined)).toEqual([])
    expect(hunksOf('')).toEqual([])
    expect(hunksOf('no header\n[… 9 tokens omitted]')).toEqual([
      { number: 1, text: ' no header\n [… 9 tokens omitted]' },
    ])
  })

  it('loses nothing of what GitHub sends', () => {
    const line = fc.constantFrom('a', 'b', '@@ x', '', '+', '-')
    const text = fc.array(line, { maxLength: 60 }).map((lines) => `${lines.join('\n')}\n`)
    fc.assert(
      fc.property(text, text, (before, after) => {
        const { patch } = diffTexts(before, after)
        const hunks = hunksOf(patch)
        expect(hunks.map((hunk) => hunk.text).join('\n')).toBe(patch ?? '')
        expect(hunks.map(({ number }) => number)).toEqual(hunks.map((_, i) => i + 1))
        for (const hunk of hunks) expect(hunk.text).toMatch(/^@@ [^\n]*(?:\n[ +\\-][^\n]*)*$/)
      }),
    )
  })
})

describe('why there is no patch', () => {
  it.each([
    [{ filename: 'a.ts', patch: '@@ -1 +1 @@\n-a\n+b' }, 'patch', ''],
    [{ filename: 'a.png', status: 'added' }, 'binary', 'Binary: no text to show.'],
    [{ filename: 'a.sql', additions: 9_000 }, 'too_large', /9000 lines/],
    [{ filename: 'b', status: 'renamed', previous_filename: 'a' }, 'renamed', /did not change/],
    [{ filename: 'b', status: 'copied' }, 'renamed', /did not change/],
    [{ filename: 'run.sh', status: 'changed' }, 'mode', /mode/],
    [
      { filename: 'x', status: 'added', sha: 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391' },
      'empty',
      /no content/,
    ],
  ] as const)('%o: %s', (options, kind, note) => {
    const entry = fileBody({ ...options }) as unknown as Entry
    expect(patchKindOf(entry)).toBe(kind)
    expect(noteOn(entry)).toMatch(note)
  })
})

describe('numbers of hunks', () => {
  it('are read as they are written', () => {
    expect(writeHunks([1, 2, 3, 7, 9, 10])).toBe('1-3,7,9-10')
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { minLength: 1 })
    fc.assert(
      fc.property(numbers, (found) => {
        const sorted = found.toSorted((a, b) => a - b)
        const isWanted = readHunks(writeHunks(sorted))
        const all = Array.from({ length: 320 }, (_, i) => i + 1)
        expect(all.filter(isWanted)).toEqual(sorted)
      }),
    )
  })
})

describe('windowsOf', () => {
  it('covers every place once, in as few windows as can be', () => {
    expect(windowsOf([5, 3, 4, 9])).toEqual([
      { offset: 3, limit: 3 },
      { offset: 9, limit: 1 },
    ])
    expect(windowsOf([0, 1, 2, 3, 4], 2).map(({ limit }) => limit)).toEqual([2, 2, 1])
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(200)), (places) => {
        const windows = windowsOf(places)
        const covered = windows.flatMap(({ offset, limit }) =>
          Array.from({ length: limit }, (_, i) => offset + i),
        )
        expect(covered).toEqual(places.toSorted((a, b) => a - b))
        windows.slice(1).forEach(({ offset }, i) => {
          expect(offset).toBeGreaterThan((windows[i]?.offset ?? 0) + (windows[i]?.limit ?? 0))
        })
      }),
    )
  })
})

describe('classOf', () => {
  it.each([
    ['src/login.ts', 'source'],
    ['Makefile', 'source'],
    ['package.json', 'source'],
    ['contest/main.go', 'source'],
    ['src/generator.ts', 'source'],
    ['src/latest.ts', 'source'],
    ['test/login.ts', 'test'],
    ['src/login.test.ts', 'test'],
    ['pkg/login_test.go', 'test'],
    ['tests/test_login.py', 'test'],
    ['src/main/LoginTest.java', 'test'],
    ['spec/fixtures/a.json', 'test'],
    ['README.md', 'docs'],
    ['docs/guide/index.html', 'docs'],
    ['LICENSE', 'docs'],
    ['package-lock.json', 'generated'],
    ['web/yarn.lock', 'generated'],
    ['go.sum', 'generated'],
    ['Cargo.lock', 'generated'],
    ['dist/index.js', 'generated'],
    ['vendor/lib/a.go', 'generated'],
    ['web/app.min.js', 'generated'],
    ['api/user.pb.go', 'generated'],
    ['src/__snapshots__/a.snap', 'generated'],
    ['src/schema.generated.ts', 'generated'],
    ['src/generated/client.ts', 'generated'],
  ])('%s is %s', (path, expected) => {
    expect(classOf(path)).toBe(expected)
  })
})
