import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Block, type Context, type Problem, startApp } from '../support/app.ts'
import {
  addFiles,
  addRepository,
  type FileContent,
  type GitHub,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  github.world.anonymousLimits.core = 1_000_000
  addRepository(github.world, { owner: 'octo', name: 'talk', default_branch: 'main' })
  app = await startApp({ github, env: { RATE_LIMIT_MAX: '1000000', GITHUB_BUDGET: 'off' } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const request = (params: object = {}) => ({
  context_type: 'github_tree',
  params: { owner: 'octo', repo: 'talk', ...params },
})
const add = (files: Record<string, FileContent>, options = {}) =>
  addFiles(github.world, 'octo/talk', files, options)
/** Files of that many bytes at these paths. */
const sized = (...paths: string[]) =>
  Object.fromEntries(paths.map((path, i) => [path, 'x'.repeat(i + 1)]))

interface Entry {
  path: string
  type: string
  size: number | null
  files?: number | null
}
const entriesOf = (block: Block) => block.entries as Entry[]
const pathsOf = (block: Block) => entriesOf(block).map(({ path }) => path)
const paths = async (params: object = {}) => pathsOf(await app.block(request(params)))
/** All files behind an answer: what it holds, and what is behind the requests that it names. */
async function allFiles(answer: Context): Promise<string[]> {
  const found = answer.context.flatMap((block) =>
    entriesOf(block).flatMap(({ path, type }) => (type === 'dir' ? [] : [path])),
  )
  for (const { reason, next } of answer.omitted) {
    if (!next) throw new Error('no way to the rest')
    const rest = await app.context(next)
    // What the budget left out lies inside of the list: what comes after it is told of elsewhere.
    found.push(...(await allFiles(reason === 'max_tokens' ? { ...rest, omitted: [] } : rest)))
  }
  return found
}

describe('github_tree', () => {
  it('lists each folder with the sizes of its files, before the folders in it', async () => {
    add({
      ...sized('README.md', 'src/main.ts', 'src/http/app.ts', 'zoo/z'),
      'src/link': { symlink: 'main.ts' },
      vendor: { submodule: '6ca3721222109997540bd6d9ccd396902e0ad2f9' },
    })
    const { context, omitted } = await app.context(request())
    expect(omitted).toEqual([])
    expect(context[0]).toEqual({
      type: 'github_tree',
      id: 'github_tree:octo/talk@HEAD:',
      title: 'octo/talk',
      url: 'https://github.com/octo/talk/tree/HEAD',
      trust: 'maintainer',
      path: '',
      ref: 'HEAD',
      depth: 3,
      files: 6,
      truncated: false,
      entries: [
        { path: 'README.md', type: 'file', size: 1 },
        { path: 'vendor', type: 'submodule', size: null },
        { path: 'src/link', type: 'symlink', size: 7 },
        { path: 'src/main.ts', type: 'file', size: 2 },
        { path: 'src/http/app.ts', type: 'file', size: 3 },
        { path: 'zoo/z', type: 'file', size: 4 },
      ],
      content:
        '# Files of octo/talk at HEAD, sizes in bytes\nEntries: 1–6 of 6 · Files: 6 · Depth: 3\n\n' +
        '> README.md 1\n> vendor (submodule)\n\n## src/\n> link (symlink)\n> main.ts 2\n\n' +
        '## src/http/\n> app.ts 3\n\n## zoo/\n> z 4',
      tokens: expect.any(Number),
    })
  })

  it('begins at a folder, of any ref', async () => {
    const { sha } = add(sized('a', 'src/b', 'src/in/c'))
    add({ 'src/d': 'd' }, { branch: 'fix/it', from: 'main' })
    expect(await paths({ path: 'src' })).toEqual(['src/b', 'src/in/c'])
    expect(await paths({ path: '/src/', ref: 'fix/it' })).toEqual(['src/b', 'src/d', 'src/in/c'])
    expect(await paths({ ref: sha })).toEqual(['a', 'src/b', 'src/in/c'])
    const block = await app.block(request({ path: 'src', ref: 'fix/it' }))
    expect(block).toMatchObject({
      id: 'github_tree:octo/talk@fix/it:src',
      title: 'octo/talk/src',
      url: 'https://github.com/octo/talk/tree/fix/it/src',
    })
    expect(block.content).toMatch(/^# Files of octo\/talk at fix\/it.*\n> octo\/talk\/src\n/)
  })

  it('goes as deep as asked, and says how much is deeper', async () => {
    add(sized('a', 'b/c', 'b/d/e', 'b/d/f/g', 'h/i'))
    const { context, omitted } = await app.context(request({ depth: 2 }))
    expect(context.flatMap(entriesOf)).toMatchObject([
      { path: 'a' },
      { path: 'b/c' },
      { path: 'b/d', type: 'dir', size: null, files: 2 },
      { path: 'h/i' },
    ])
    expect(context[0]?.content).toContain('## b/\n> c 2\n> d/ (2 files)')
    expect(omitted).toEqual([
      {
        what: 'entries',
        count: 2,
        reason: 'depth',
        next: {
          context_type: 'github_tree',
          params: { owner: 'octo', repo: 'talk', limit: 1_000, min_depth: 3 },
        },
      },
    ])
    expect(await paths(omitted[0]?.next?.params)).toEqual(['b/d/e', 'b/d/f/g'])
  })

  it('asks for no more than a level where no more is wanted', async () => {
    add(sized('a', 'b/c', 'd/e/f'))
    const { context, omitted } = await app.context(request({ depth: 1 }))
    expect(context.flatMap(entriesOf)).toEqual([
      { path: 'a', type: 'file', size: 1 },
      { path: 'b', type: 'dir', size: null, files: null },
      { path: 'd', type: 'dir', size: null, files: null },
    ])
    expect(context[0]?.content).toContain('> a 1\n> b/\n> d/')
    expect(github.requests[0]?.path).not.toContain('recursive')
    expect(omitted).toMatchObject([{ reason: 'depth', next: { params: { min_depth: 2 } } }])
    expect(omitted[0]).not.toHaveProperty('count')
    expect(await paths(omitted[0]?.next?.params)).toEqual(['b/c', 'd/e/f'])
    expect(await paths({ depth: 1, min_depth: 2 })).toEqual(['b/c', 'd/e'])
  })

  it('chooses the depth that its limit allows', async () => {
    const deep = Array.from({ length: 40 }, (_, i) => `pkg/p${i % 4}/src/f${i}.ts`)
    add(sized('README', ...deep))
    expect(await paths({ limit: 5 })).toEqual([
      'README',
      'pkg/p0/src',
      'pkg/p1/src',
      'pkg/p2/src',
      'pkg/p3/src',
    ])
    expect(await paths({ limit: 4 })).toEqual(['README', 'pkg'])
    expect(await paths({ limit: 41 })).toHaveLength(41)
  })

  it('shows what a pattern matches', async () => {
    add(sized('a.ts', 'src/b.ts', 'src/b.test.ts', 'src/in/c.md', 'docs/d.md'))
    expect(await paths({ pattern: '*.ts' })).toEqual(['a.ts', 'src/b.test.ts', 'src/b.ts'])
    expect(await paths({ pattern: 'src/**/*.md' })).toEqual(['src/in/c.md'])
    expect(await paths({ pattern: '*.md', depth: 1 })).toEqual(['docs', 'src'])
    expect(await paths({ path: 'src', pattern: 'src/*.ts' })).toEqual(['src/b.test.ts', 'src/b.ts'])
    const none = await app.block(request({ pattern: '*.go' }))
    expect([none.entries, none.files]).toEqual([[], 0])
    expect(none.content).toContain('Entries: none')
    const past = await app.block(request({ offset: 5_000 }))
    expect(past.content).toMatch(/Entries: none of [1-9]/)
    const many = await app.post(request({ pattern: '{a,b}'.repeat(8) }))
    expect(many.json<Problem>().errors?.[0]?.pointer).toBe('/params/pattern')
  })

  it('keeps odd names on their lines', async () => {
    const names = ['line\nbreak', '# Service', 'a\u2028b', '\u202eevil', 'sub\n## x/y', '日本']
    add(sized(...names))
    const block = await app.block(request())
    expect(pathsOf(block)).toHaveLength(names.length)
    for (const line of block.content.split('\n').slice(2)) {
      expect(line).toMatch(/^(?:> \S.*|## sub ## x\/|)$/)
    }
    expect(block.content).toContain('> 日本 6')
    expect(block.content).not.toMatch(/[\u2028\u202e]/)
    expect(block.content.match(/^> /gm)).toHaveLength(names.length)
  })
})

describe('the rest of a tree', () => {
  it('is named window by window; following all gives each file once', async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'dd', 'e.ts', 'f.md', 'g h')
    const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join('/'))
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(path, { minLength: 1, maxLength: 120, size: 'max' }),
        fc.integer({ min: 3, max: 40 }),
        fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
        fc.option(fc.integer({ min: 100, max: 400 }), { nil: undefined }),
        async (found, limit, depth, max_tokens) => {
          // A path cannot be a file and a folder.
          const files = found.filter((one) => !found.some((other) => other.startsWith(`${one}/`)))
          const { name: repo } = addRepository(github.world, {
            owner: 'octo',
            name: `r${github.world.nextId}`,
          }).body
          addFiles(github.world, `octo/${repo}`, sized(...files))
          const asked = request({ repo, limit, ...(depth && { depth }) })
          const answer = await app.context({ ...asked, ...(max_tokens && { max_tokens }) })
          if (max_tokens) expect(answer.tokens).toBeLessThanOrEqual(max_tokens)
          expect((await allFiles(answer)).toSorted()).toEqual(files.toSorted())
        },
      ),
      { numRuns: 25 },
    )
  })

  it('is named by folder where GitHub cut the tree, in two rounds', async () => {
    const folders = ['a', 'b', 'c', 'd']
    const files = folders.flatMap((folder) => [1, 2, 3].map((i) => `${folder}/${i}`))
    add(sized(...files, 'b/deep/4', 'm.txt', 'z.txt'))
    github.world.treeLimits.entries = 7
    github.latencyMs = 60
    const answer = await app.context(request())
    expect([github.count(), github.rounds()]).toEqual([2, 2])
    const [block] = answer.context as [Block]
    expect(block.truncated).toBe(true)
    expect(block.content).toContain('Truncated: GitHub lists no more')
    expect(block.entries).toMatchObject([
      { path: 'm.txt' },
      { path: 'z.txt' },
      { path: 'b', type: 'dir', files: null },
      { path: 'c', type: 'dir', files: null },
      { path: 'd', type: 'dir', files: null },
      { path: 'a/1' },
      { path: 'a/2' },
      { path: 'a/3' },
    ])
    expect(
      answer.omitted.map(({ what, reason, next }) => [what, reason, next?.params.path]),
    ).toEqual([
      ['entries of b', 'github_tree_limit', 'b'],
      ['entries of c', 'github_tree_limit', 'c'],
      ['entries of d', 'github_tree_limit', 'd'],
    ])
    expect((await allFiles(answer)).toSorted()).toEqual(
      [...files, 'b/deep/4', 'm.txt', 'z.txt'].toSorted(),
    )
    github.world.treeLimits.entries = 3
    github.resetCounts()
    const below = await app.context(request({ path: 'b', max_age: undefined, limit: 999 }))
    expect([github.count(), github.rounds()]).toEqual([2, 2])
    expect((await allFiles(below)).toSorted()).toEqual(['b/1', 'b/2', 'b/3', 'b/deep/4'])
  })

  it('is as deep as the budget allows, the top first', async () => {
    const deep = Array.from({ length: 300 }, (_, i) => `src/part${i % 30}/module${i}.ts`)
    add(sized('README.md', 'package.json', ...deep))
    const { context, tokens } = await app.context({ ...request(), max_tokens: 300 })
    expect(tokens).toBeLessThanOrEqual(300)
    expect(context.flatMap(pathsOf).slice(0, 2)).toEqual(['README.md', 'package.json'])
    const asked = { ...request(), max_tokens: 300, query: 'module299' }
    expect((await app.context(asked)).context.flatMap(pathsOf)).toContain('src/part29/module299.ts')
  })
})

describe('GitHub', () => {
  it('is asked once for a whole tree, twice for a folder', async () => {
    add(sized('a', 'src/b'))
    github.latencyMs = 60
    await app.block(request())
    expect([github.count(), github.rounds()]).toEqual([1, 1])
    github.resetCounts()
    await app.block(request({ path: 'src' }))
    expect([github.count(), github.rounds()]).toEqual([2, 2])
  })

  it('has nothing in an empty repository', async () => {
    const block = await app.block(request())
    expect(block).toMatchObject({ files: 0, entries: [], title: 'octo/talk' })
  })

  it('answers a tree of tens of thousands in time', async () => {
    add(Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`d${i % 300}/f${i}`, ''])))
    const { context, omitted } = await app.context({ ...request(), max_tokens: 2_000 })
    expect(context[0]).toMatchObject({ files: 30_000, depth: 1 })
    expect(omitted).toContainEqual(expect.objectContaining({ reason: 'depth', count: 30_000 }))
  })

  it('answers under the new name after a rename', async () => {
    add(sized('src/a'))
    renameRepository(github.world, 'octo/talk', 'speech')
    expect((await app.block(request())).title).toBe('octo/speech')
    expect((await app.block(request({ path: 'src' }))).title).toBe('octo/speech/src')
  })

  it.each([
    ['a missing path', 404, { path: 'nope' }],
    ['a missing ref', 404, { ref: 'nope' }],
    ['a missing repository', 404, { repo: 'nope' }],
    ['a private repository', 404, { repo: 'own' }],
    ['a file', 400, { path: 'a' }],
    ['a path that leads out', 400, { path: 'x/../y' }],
    ['a ref with a path', 400, { ref: 'main:src' }],
  ])('says no to %s', async (_name, status, params) => {
    add(sized('a', 'src/b'))
    addRepository(github.world, { owner: 'octo', name: 'own', private: true })
    expect((await app.post(request(params))).status).toBe(status)
  })

  it('may refuse', async () => {
    add(sized('a'))
    github.fault({ match: /trees/, kind: 'status', status: 403 })
    expect((await app.post(request())).status).toBe(403)
  })
})

it('is found by its page, with and without a path', async () => {
  add(sized('a', 'src/in/b'))
  const at = async (url: string) => {
    const answer = await app.get(`/mcp/context?url=${encodeURIComponent(url)}`)
    return pathsOf(answer.json<Context>().context[0] as Block)
  }
  expect(await at('https://github.com/octo/talk/tree/main')).toEqual(['a', 'src/in/b'])
  expect(await at('https://github.com/octo/talk/tree/main/src/in')).toEqual(['src/in/b'])
  const byQuery = await app.get('/mcp/context/github_tree?owner=octo&repo=talk&path=src&depth=1')
  expect(byQuery.json<Context>().context[0]?.path).toBe('src')
})
