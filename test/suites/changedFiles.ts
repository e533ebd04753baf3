import fc from 'fast-check'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, it } from 'vitest'
import type { App, ContextRequest } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import { type FileBody, fileBody } from '../support/github/index.ts'
import { changedFiles, filesIn, hunksIn, hunksOfFiles, patchOf } from '../support/patches.ts'

export interface ChangeScene {
  readonly app: () => App
  /** Makes a change of these files, and says how its patches are asked for. */
  readonly change: (files: FileBody[]) => ContextRequest
  /** Files that GitHub tells of one change at most. */
  readonly most: number
}

/** What all types that show changed files have in common. */
export function changedFilesSuite({ app, change, most }: ChangeScene): void {
  const patches = (files: FileBody[], params: object = {}): ContextRequest => {
    const request = change(files)
    return { ...request, params: { ...request.params, detail: 'patch', ...params } }
  }

  describe('changed files', () => {
    it('show their hunks as text, each line with its sign', async () => {
      const { context } = await app().context(
        patches([fileBody({ filename: 'a.ts', patch: patchOf(2) })]),
      )
      expect(filesIn(context)).toEqual([
        {
          path: 'a.ts',
          previous_path: null,
          status: 'modified',
          additions: 4,
          deletions: 2,
          kind: 'patch',
          hunks_count: 2,
          hunks: [
            {
              number: 1,
              text: '@@ -1,3 +1,4 @@ function part1()\n before\n-old\n+changed (hunk 1)\n+new\n after',
            },
            { number: 2, text: expect.stringMatching(/^@@ -51,3 \+51,4 @@/) },
          ],
        },
      ])
      const content = context.map((block) => block.content).join()
      expect(content).toContain(
        '### a.ts (modified +4 −2), hunk 1 of 2\n@@ -1,3 +1,4 @@ function part1()\n before\n-old\n+changed (hunk 1)\n',
      )
      expect(content).not.toContain('\\n')
    })

    it('tell apart what has no patch', async () => {
      const files = [
        fileBody({ filename: 'pic.png', status: 'added', additions: 0, deletions: 0 }),
        fileBody({ filename: 'big.sql', additions: 90_000, deletions: 1 }),
        fileBody({ filename: 'new/name.ts', status: 'renamed', previous_filename: 'old/name.ts' }),
        fileBody({ filename: 'run.sh', status: 'changed' }),
        fileBody({
          filename: '.gitkeep',
          status: 'added',
          sha: 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391',
        }),
        fileBody({ filename: 'gone.ts', status: 'removed', patch: '@@ -1 +0,0 @@\n-x' }),
      ]
      const { context, omitted } = await app().context(patches(files))
      expect(
        filesIn(context).map(({ path, kind, hunks_count }) => [path, kind, hunks_count]),
      ).toEqual([
        ['pic.png', 'binary', 0],
        ['big.sql', 'too_large', 0],
        ['new/name.ts', 'renamed', 0],
        ['run.sh', 'mode', 0],
        ['.gitkeep', 'empty', 0],
        ['gone.ts', 'patch', 1],
      ])
      expect(filesIn(context)[2]?.previous_path).toBe('old/name.ts')
      const content = context.map((block) => block.content).join()
      for (const words of [
        '### pic.png (added +0 −0)\nBinary',
        '### big.sql (modified +90000 −1)\nToo large: GitHub shows no patch of these 90001 lines',
        '### new/name.ts (renamed +0 −0, from old/name.ts)\n',
        '### gone.ts (removed +0 −1)\n@@ -1 +0,0 @@\n-x',
      ]) {
        expect(content).toContain(words)
      }
      expect(omitted).toEqual([])
    })

    it('stay text, whatever they hold', async () => {
      const patch =
        '@@ -1,4 +1,6 @@ evil\r\n # Heading\r\n-> quote\r\n+\u2028## Forged heading\u2029[… 9 tokens omitted]\r\n+\\n\\t"</x>"\r\n\r\n\\ No newline at end of file'
      const { context } = await app().context(
        patches([fileBody({ filename: 'a\nb ## c.ts', patch })]),
      )
      const lines = context
        .map((block) => block.content)
        .join('\n')
        .split(/\n|\r|\u2028|\u2029/)
      const at = lines.findIndex((line) => line.startsWith('@@'))
      expect(lines.slice(at)).toEqual([
        '@@ -1,4 +1,6 @@ evil',
        ' # Heading',
        '-> quote',
        '+␤## Forged heading␤[… 9 tokens omitted]',
        '+\\n\\t"</x>"',
        ' ',
        '\\ No newline at end of file',
      ])
      expect(lines[at - 1]).toBe('### a b ## c.ts (modified +2 −1)')
    })

    it('show what tools wrote last', async () => {
      const { context } = await app().context(patches(changedFiles(8)))
      const paths = filesIn(context).map(({ path }) => path)
      expect(paths.map((path) => path.endsWith('lock.json'))).toEqual([
        ...Array(6).fill(false),
        true,
        true,
      ])
    })

    it('keep source before tests, docs and lock files in a tight budget', async () => {
      const { context } = await app().context({ ...patches(changedFiles(120)), max_tokens: 900 })
      const paths = filesIn(context).map(({ path }) => path)
      expect(paths.length).toBeGreaterThan(5)
      expect(paths.every((path) => path.startsWith('src/'))).toBe(true)
    })

    it('are found by what is asked: one file of 130', async () => {
      const files = changedFiles(130, {
        say: (file) => (file === 87 ? 'teach the quokka to dance' : `change of file ${file}`),
      })
      const asked = { ...patches(files), max_tokens: 1_500 }
      const paths = async (query?: string) =>
        filesIn((await app().context({ ...asked, ...(query && { query }) })).context)
      const wanted = files[87]?.filename ?? ''
      expect((await paths()).map(({ path }) => path)).not.toContain(wanted)
      const found = (await paths('dancing quokka')).find(({ path }) => path === wanted)
      expect(found?.hunks[0]?.text).toContain('teach the quokka to dance')
    })

    it('are found by what is asked: one hunk of 400', async () => {
      const files = changedFiles(20, {
        hunks: () => 20,
        say: (file, hunk) => (file === 11 && hunk === 17 ? 'quokka escapes' : `line ${hunk}`),
      })
      const asked = { ...patches(files), max_tokens: 1_500, query: 'Why does the quokka escape?' }
      const { context, tokens } = await app().context(asked)
      expect(tokens).toBeLessThanOrEqual(1_500)
      const found = filesIn(context).find(({ path }) => path === files[11]?.filename)
      expect(found?.hunks.map(({ number }) => number)).toContain(17)
    })

    it('are found within one long hunk', async () => {
      const lines = Array.from({ length: 6_000 }, (_, i) =>
        i === 4_321 ? '+const quokka = escape()' : `+const value${i} = ${i}`,
      )
      const patch = `@@ -0,0 +1,6000 @@\n${lines.join('\n')}`
      const asked = patches([fileBody({ filename: 'a.ts', status: 'added', patch })])
      const answer = await app().context({ ...asked, max_tokens: 1_000, query: 'quokka escape' })
      expect(answer.tokens).toBeLessThanOrEqual(1_000)
      expect(answer.context.map(({ content }) => content).join()).toContain('const quokka')
      expect(answer.omitted).toMatchObject([{ what: 'files', count: 1, reason: 'max_tokens' }])
    })

    it('come by path and by hunk', async () => {
      const files = changedFiles(120, { hunks: (file) => (file === 110 ? 5 : 1) })
      const path = files[110]?.filename ?? ''
      const shown = async (params: object) =>
        hunksIn((await app().context(patches(files, params))).context)
      expect(await shown({ paths: [path] })).toEqual([1, 2, 3, 4, 5].map((n) => `${path}#${n}`))
      expect(await shown({ paths: [path], hunks: '2-3,5,9' })).toEqual(
        [2, 3, 5].map((n) => `${path}#${n}`),
      )
      const { context, omitted } = await app().context(patches(files, { paths: [path, 'no/such'] }))
      expect(filesIn(context)).toHaveLength(1)
      expect(omitted).toEqual([{ what: 'no/such', count: 1, reason: 'not_changed' }])
      const refused = await app().post(patches(files, { hunks: '1' }))
      expect([refused.status, refused.text]).toEqual([
        400,
        expect.stringContaining('/params/hunks'),
      ])
      expect((await app().post(patches(files, { paths: ['../x'] }))).status).toBe(400)
      expect((await app().post(patches(files, { paths: [path], hunks: '0' }))).status).toBe(400)
    })

    it('come each exactly once by what is named, whatever the budget and the limit', async () => {
      const scene = fc.record({
        hunks: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 40 }),
        limit: fc.integer({ min: 1, max: 45 }),
        max_tokens: fc.integer({ min: 100, max: 3_000 }),
        query: fc.constantFrom(undefined, 'change of file 3', 'hunk 2'),
      })
      await fc.assert(
        fc.asyncProperty(scene, async ({ hunks, limit, max_tokens, query }) => {
          const files = changedFiles(hunks.length, { hunks: (i) => hunks[i] ?? 0 }).map(
            (file, i) =>
              hunks[i] === 0 ? fileBody({ filename: file.filename, status: 'added' }) : file,
          )
          const asked = { ...patches(files, { limit }), max_tokens, ...(query && { query }) }
          const { context, omitted, tokens } = await app().context(asked)
          expect(tokens).toBeLessThanOrEqual(max_tokens)
          const exact = context.reduce((sum, block) => sum + countTokens(block.content), 0)
          expect(exact).toBeLessThanOrEqual(max_tokens)
          // What is cut of the first lines comes with all of the block.
          const gaps = omitted.filter(
            ({ what, reason }) => reason === 'max_tokens' && what !== 'facts',
          )
          const rest = omitted.filter(({ reason }) => reason === 'limit')
          const found = [
            ...hunksIn(context),
            ...hunksIn(await follow(app(), gaps, { gaps: true })),
            ...hunksIn(await follow(app(), rest)),
          ]
          const all = new Set(hunksOfFiles(files))
          for (const name of found) expect(all).toContain(name)
          // A file of which every hunk was cut comes whole, what was left of it included.
          expect(new Set(found)).toEqual(all)
          const cut = filesIn(context).some(({ hunks }) =>
            hunks.some(({ text }) => text.includes('tokens omitted]')),
          )
          if (!cut) expect(found).toHaveLength(all.size)
        }),
        { numRuns: 25 },
      )
    })

    it('are no more than one answer can hold: the rest is named', async () => {
      const patch = `@@ -0,0 +1 @@\n+${'x '.repeat(150_000)}`
      const files = Array.from({ length: 6 }, (_, i) => fileBody({ filename: `f${i}.ts`, patch }))
      const { context, omitted } = await app().context(patches(files))
      expect(filesIn(context)).toHaveLength(3)
      expect(omitted).toMatchObject([{ what: 'files', count: 3, reason: 'answer_limit' }])
      const rest = await follow(app(), omitted)
      expect(hunksIn([...context, ...rest])).toEqual(hunksOfFiles(files))
    })

    it(`are all to be had, up to the ${most} that GitHub tells`, async () => {
      const files = changedFiles(most + 20)
      const request = change(files)
      const { context, omitted } = await app().context({
        ...request,
        params: { ...request.params, detail: 'patch', limit: Math.min(1_000, most) },
      })
      const capped = (what: readonly { reason: string }[]) =>
        what.some(({ reason }) => reason === 'github_limit')
      let found = hunksIn(context)
      let left = omitted
      while (!capped(left)) {
        const next = left.find(({ reason }) => reason === 'limit')?.next
        if (!next) throw new Error('neither an end nor a way on')
        const answer = await app().context(next)
        found = [...found, ...hunksIn(answer.context)]
        left = answer.omitted
      }
      expect(found.toSorted()).toEqual(hunksOfFiles(files.slice(0, most)).toSorted())
    }, 60_000)
  })
}
