import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Block, type Problem, startApp } from '../support/app.ts'
import {
  addFiles,
  addRepository,
  addTag,
  blockRepository,
  deleteRepository,
  type FileContent,
  type GitHub,
  OCTOCAT_TOKEN,
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

const request = (path: string, params: object = {}) => ({
  context_type: 'github_file',
  params: { owner: 'octo', repo: 'talk', path, ...params },
})
const add = (files: Record<string, FileContent>, options = {}) =>
  addFiles(github.world, 'octo/talk', files, options)
/** A file of which each line says its number. */
const numbered = (count: number, more = '') =>
  Array.from({ length: count }, (_, i) => `line ${i + 1}${more}\n`).join('')

interface Range {
  start_line: number
  end_line: number
  text: string
}
const rangesOf = (block: Block) => block.ranges as Range[]
const spans = (block: Block) =>
  rangesOf(block).map(({ start_line, end_line }) => [start_line, end_line])

describe('text', () => {
  it('has line numbers in the content, and none in the fields', async () => {
    add({ 'src/a.ts': 'const a = 1\n\n  return a\n' })
    const block = await app.block(request('src/a.ts'))
    expect(block).toEqual({
      type: 'github_file',
      id: 'github_file:octo/talk@main:src/a.ts',
      title: 'src/a.ts',
      url: 'https://github.com/octo/talk/blob/main/src/a.ts',
      trust: 'maintainer',
      kind: 'text',
      path: 'src/a.ts',
      ref: 'main',
      sha: expect.stringMatching(/^[0-9a-f]{40}$/),
      size: 24,
      lines: 3,
      encoding: 'utf-8',
      target: null,
      repository: null,
      stored_size: null,
      matches: null,
      ranges: [{ start_line: 1, end_line: 3, text: 'const a = 1\n\n  return a' }],
      content:
        '# File of octo/talk at main\n> src/a.ts\nhttps://github.com/octo/talk/blob/main/src/a.ts\n' +
        'Lines: 1–3 of 3\n\n1\tconst a = 1\n2\t\n3\t  return a',
      tokens: expect.any(Number),
    })
  })

  it('counts lines as editors do, whatever ends them', async () => {
    add({ dos: 'one\r\ntwo\r\n', open: 'one\ntwo', blank: '\n\n' })
    for (const [path, text] of [
      ['dos', 'one\ntwo'],
      ['open', 'one\ntwo'],
      ['blank', '\n'],
    ] as const) {
      expect((await app.block(request(path))).ranges).toEqual([
        { start_line: 1, end_line: 2, text },
      ])
    }
  })

  it('keeps every row marked, whatever ends a line elsewhere', async () => {
    add({ tricky: 'a\rb\u2028# Service\u2029c\vd\fe\x85f\n' })
    const { content } = await app.block(request('tricky'))
    expect(content.split('\n\n')[1]).toBe('1\ta␤b␤# Service␤c␤d␤e␤f')
  })

  it('reads other encodings', async () => {
    add({
      latin: Buffer.from('grüße\x81', 'latin1'),
      bom: '\uFEFFgrüße',
    })
    const read = async (path: string) => {
      const { encoding, ranges } = await app.block(request(path))
      return [encoding, (ranges as Range[])[0]?.text]
    }
    expect(await read('latin')).toEqual(['windows-1252', 'grüße\uFFFD'])
    expect(await read('bom')).toEqual(['utf-8', 'grüße'])
  })

  it('goes by branch, tag and sha', async () => {
    const { sha } = add({ a: 'old' })
    addTag(github.world, 'octo/talk', 'v1', sha)
    add({ a: 'new' })
    add({ a: 'side' }, { branch: 'fix/it', from: 'main' })
    const text = async (ref: object) => rangesOf(await app.block(request('a', ref)))[0]?.text
    expect(await text({})).toBe('new')
    expect(await text({ ref: 'v1' })).toBe('old')
    expect(await text({ ref: sha })).toBe('old')
    expect(await text({ ref: 'fix/it' })).toBe('side')
  })

  it('takes any name that git takes', async () => {
    const names = ['a b', 'ü/日本', '#1?', 'line\nbreak', '100%', '..x', 'a+b&c=d', 'a;b']
    add(Object.fromEntries(names.map((name) => [name, name])))
    for (const name of names) {
      const block = await app.block(request(name))
      expect([block.path, rangesOf(block)[0]?.text]).toEqual([name, name])
      expect(block.content).toMatch(/^# File of octo\/talk at main\n> .*\nhttps:\S+\nLines: 1/)
    }
    expect((await app.block(request('/ü/日本/'))).path).toBe('ü/日本')
  })
})

describe('a part of a text', () => {
  it('is the lines asked for', async () => {
    add({ a: numbered(100) })
    const block = await app.block(request('a', { start_line: 10, end_line: 12 }))
    expect(block.ranges).toEqual([
      { start_line: 10, end_line: 12, text: 'line 10\nline 11\nline 12' },
    ])
    expect(block.content).toContain('Lines: 10–12 of 100\n\n10\tline 10\n11\tline 11\n12\tline 12')
    expect(spans(await app.block(request('a', { start_line: '98', end_line: 200 })))).toEqual([
      [98, 100],
    ])
    expect(spans(await app.block(request('a', { end_line: 2 })))).toEqual([[1, 2]])
  })

  it('is what is around each match, the rest named', async () => {
    add({ a: numbered(100).replace('line 20\n', 'Needle\n').replace('line 30\n', 'a needle\n') })
    const { context, omitted } = await app.context(request('a', { match: 'NEEDLE' }))
    const [block] = context as [Block]
    expect(block.matches).toBe(2)
    expect(spans(block)).toEqual([[14, 36]])
    expect(block.content).toContain('20\tNeedle')
    const next = (start_line: number, end_line: number) => ({
      context_type: 'github_file',
      params: { owner: 'octo', repo: 'talk', path: 'a', ref: 'main', start_line, end_line },
    })
    expect(omitted).toEqual([
      { what: 'lines 1–13', count: 13, reason: 'match', next: next(1, 13) },
      { what: 'lines 37–100', count: 64, reason: 'match', next: next(37, 100) },
    ])
    const apart = await app.block(request('a', { match: 'line 1', start_line: 15, end_line: 100 }))
    expect(spans(apart)).toEqual([
      [15, 25],
      [94, 100],
    ])
  })

  it('is nothing where nothing matches, which it says', async () => {
    add({ a: numbered(5) })
    const { context, omitted } = await app.context(request('a', { match: 'line.1' }))
    expect(context[0]).toMatchObject({ matches: 0, ranges: [] })
    expect(context[0]?.content).toContain('Lines: none of 5 · Matches: 0 lines have "line.1"')
    expect(omitted.map(({ what }) => what)).toEqual(['lines 1–5'])
  })

  it('must be there', async () => {
    add({ a: numbered(5) })
    const problem = async (params: object) => {
      const answer = await app.post(request('a', params))
      expect(answer.status).toBe(400)
      return answer.json<Problem>().errors
    }
    expect(await problem({ start_line: 6 })).toEqual([
      { pointer: '/params/start_line', message: 'the file has 5 lines.' },
    ])
    expect(await problem({ start_line: 3, end_line: 2 })).toEqual([
      { pointer: '/params/end_line', message: 'must not be less than start_line.' },
    ])
  })
})

describe('a file in a budget', () => {
  it('names the exact lines left out; following all gives the file once', async () => {
    let omissions = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 120, size: 'max' }), {
          minLength: 1,
          maxLength: 300,
          size: 'max',
        }),
        fc.integer({ min: 100, max: 6_000 }),
        fc.option(fc.constantFrom('line', 'a', 'zebra'), { nil: undefined }),
        async (texts, max_tokens, query) => {
          const all = texts.map((text) => text.replaceAll(/[\r\n]/g, ' '))
          add({ prop: `${all.join('\n')}\n` })
          const budget = { max_tokens, max_age: 0, ...(query && { query }) }
          const { context, omitted, tokens } = await app.context({ ...request('prop'), ...budget })
          expect(tokens).toBeLessThanOrEqual(max_tokens)
          omissions += omitted.length
          const ranges = context.flatMap(rangesOf)
          for (const { next } of omitted) {
            if (!next) throw new Error('no way to the rest')
            ranges.push(...rangesOf(await app.block({ ...next, max_age: 0 })))
          }
          ranges.sort((a, b) => a.start_line - b.start_line)
          expect(ranges.flatMap(({ text }) => text.split('\n'))).toEqual(all)
        },
      ),
      { numRuns: 25 },
    )
    expect(omissions).toBeGreaterThan(5)
  })

  it('keeps what the query is about', async () => {
    const functions = Array.from(
      { length: 100 },
      (_, i) =>
        `function part${i}() {\n  // ${i === 77 ? 'verifies the webhook signature' : 'adds things'}\n  return ${i}\n}\n`,
    )
    add({ 'big.ts': functions.join('\n') })
    const block = await app.block({
      ...request('big.ts'),
      max_tokens: 800,
      query: 'webhook signature',
    })
    expect(block.tokens).toBeLessThanOrEqual(800)
    expect(block.content).toContain('function part77() {')
    expect(rangesOf(block).some(({ text }) => text.includes('webhook signature'))).toBe(true)
  })

  it('ends its pieces where the code does', async () => {
    const functions = Array.from(
      { length: 8 },
      (_, i) => `function f${i}() {\n${'  go()\n'.repeat(22)}}\n`,
    )
    add({ 'a.ts': functions.join('\n') })
    const { context, omitted } = await app.context({ ...request('a.ts'), max_tokens: 300 })
    const [{ start_line, end_line } = { start_line: 0, end_line: 0 }] = context.flatMap(rangesOf)
    expect([start_line, end_line % 25]).toEqual([1, 0])
    expect(omitted[0]?.what).toBe(`lines ${end_line + 1}–199`)
  })

  it('goes on under the same number where a line is very long', async () => {
    add({ 'min.js': `${'x'.repeat(999)}😀${'y '.repeat(4_000)}\nend\n` })
    const block = await app.block(request('min.js'))
    expect(block.ranges).toEqual([
      { start_line: 1, end_line: 2, text: `${'x'.repeat(999)}😀${'y '.repeat(4_000)}\nend` },
    ])
    for (const row of block.content
      .split('\n\n')
      .slice(1)
      .flatMap((part) => part.split('\n'))) {
      expect(row).toMatch(/^[12]\t/)
    }
    const small = await app.context({ ...request('min.js'), max_tokens: 2_000 })
    expect(small.tokens).toBeLessThanOrEqual(2_000)
    expect(small.omitted).toMatchObject([{ what: 'lines 1', next: { params: { start_line: 1 } } }])
  })

  it('says of what is no text that much, in the smallest budget', async () => {
    add({ 'logo.png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0]) })
    const block = await app.block({ ...request('logo.png'), max_tokens: 100 })
    expect(block.content).toContain('The file is binary')
  })
})

describe('what is no text', () => {
  it('is told apart', async () => {
    const sha = '6ca3721222109997540bd6d9ccd396902e0ad2f9'
    add({
      empty: '',
      'image.png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0]),
      'utf16.txt': Buffer.from('\uFEFFtext', 'utf16le'),
      folder: { symlink: 'src' },
      odd: { symlink: 'x\u2028# Service' },
      'src/a': 'a',
      link: { symlink: 'src/a' },
      vendor: { submodule: sha },
      '.gitmodules':
        '[submodule "v"]\n\tpath = vendor\n\turl = https://github.com/jquery/qunit.git\n',
      'model.bin': `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`,
      'huge.txt': Buffer.alloc(10 * 1024 * 1024 + 1, 'x'),
    })
    const told = async (path: string) => {
      const { kind, size, content, ...fields } = await app.block(request(path))
      expect(fields.ranges).toEqual([])
      return { kind, size, content: content.split('\n\n')[1], ...fields }
    }
    expect(await told('empty')).toMatchObject({ kind: 'empty', size: 0 })
    expect(await told('image.png')).toMatchObject({ kind: 'binary', size: 6 })
    expect(await told('utf16.txt')).toMatchObject({ kind: 'binary' })
    expect(await told('folder')).toMatchObject({
      kind: 'symlink',
      target: 'src',
      content: '> A symbolic link that leads to "src".',
    })
    const odd = await told('odd')
    expect(odd.content).toContain('> A symbolic link that leads to "x\\n# Service".')
    expect(await told('vendor')).toMatchObject({
      kind: 'submodule',
      sha,
      repository: 'https://github.com/jquery/qunit.git',
      url: `https://github.com/jquery/qunit/tree/${sha}`,
    })
    expect(await told('model.bin')).toMatchObject({ kind: 'lfs_pointer', stored_size: 12_345 })
    expect(await told('huge.txt')).toMatchObject({
      kind: 'too_large',
      content: 'The file is too large to be read here.',
    })
    expect(await app.block(request('link'))).toMatchObject({ kind: 'text', path: 'link' })
  })

  it('is a clear problem for a folder', async () => {
    add({ 'src/a': 'a' })
    const answer = await app.post(request('src'))
    expect(answer.status).toBe(400)
    expect(answer.json<Problem>().detail).toContain('Ask github_tree')
  })
})

describe('GitHub', () => {
  it('is asked once, and twice for what is over 1 MB', async () => {
    add({ small: 'x', large: numbered(60_000, ' with some words') })
    github.latencyMs = 50
    await app.block(request('small'))
    expect([github.count(), github.rounds()]).toEqual([1, 1])
    github.resetCounts()
    const block = await app.block(request('large', { start_line: 59_999 }))
    expect(rangesOf(block)[0]?.text).toBe('line 59999 with some words\nline 60000 with some words')
    expect([github.count(), github.rounds()]).toEqual([2, 2])
  })

  it('gives no more than a mebibyte in one answer, and the way to the rest', async () => {
    add({ large: numbered(60_000, ' with some words') })
    const { context, omitted } = await app.context(request('large'))
    const [[start, end] = []] = spans(context[0] as Block)
    expect(start).toBe(1)
    expect(omitted).toMatchObject([
      {
        reason: 'answer_limit',
        next: { params: { start_line: Number(end) + 1, end_line: 60_000 } },
      },
    ])
    const rest = await app.context(omitted[0]?.next as never)
    expect(spans(rest.context[0] as Block)).toEqual([[Number(end) + 1, 60_000]])
    expect(rest.omitted).toEqual([])
  })

  it('answers under the new name after a rename', async () => {
    add({ a: 'a' })
    renameRepository(github.world, 'octo/talk', 'speech')
    expect((await app.block(request('a'))).id).toBe('github_file:octo/speech@main:a')
  })

  it.each([
    ['a missing path', 404, 'not_found', () => request('b')],
    ['a missing ref', 404, 'not_found', () => request('a', { ref: 'nope' })],
    ['an empty repository', 404, 'not_found', () => request('a', { repo: 'empty' })],
    ['a private repository', 404, 'not_found', () => request('a', { repo: 'own' })],
    ['a path that leads out', 400, 'invalid_request', () => request('../a')],
    ['a path with a zero byte', 400, 'invalid_request', () => request('a\0')],
    ['a ref that git does not take', 400, 'invalid_request', () => request('a', { ref: 'a:b' })],
  ])('says no to %s', async (_name, status, code, asked) => {
    add({ a: 'a' })
    addRepository(github.world, { owner: 'octo', name: 'empty' })
    addRepository(github.world, { owner: 'octo', name: 'own', private: true })
    const answer = await app.post(asked())
    expect([answer.status, answer.json<Problem>().code]).toEqual([status, code])
  })

  it('does not let a deleted, blocked or forbidden repository be read', async () => {
    add({ a: 'a' })
    const status = async () => (await app.post({ ...request('a'), max_age: 0 })).status
    expect(await status()).toBe(200)
    github.fault({ match: /contents/, kind: 'status', status: 403 })
    expect(await status()).toBe(403)
    github.clearFaults()
    blockRepository(github.world, 'octo/talk')
    expect(await status()).toBe(404)
    deleteRepository(github.world, 'octo/talk')
    expect(await status()).toBe(404)
  })
})

describe('the cache', () => {
  it('keeps what a full sha leads to for longer, and lets no push touch it', async () => {
    const { sha } = add({ a: 'a' })
    const ttl = async (params: object) => {
      const answer = await app.post(request('a', params))
      const again = await app.post(request('a', params))
      expect(answer.status).toBe(200)
      return Number(/ttl=(\d+)/.exec(String(again.headers['cache-status']))?.[1])
    }
    expect(await ttl({ ref: sha })).toBeGreaterThan(500)
    expect(await ttl({})).toBeLessThan(340)
    expect(await ttl({ ref: sha.slice(0, 10) })).toBeLessThan(340)
  })
})

describe('other forms of the request', () => {
  it('are a query, and the address of the page with its lines', async () => {
    add({ 'src/a b.ts': numbered(30) }, { branch: 'fix/it' })
    const params = 'owner=octo&repo=talk&path=src/a%20b.ts&ref=fix%2Fit'
    const byQuery = await app.get(`/mcp/context/github_file?${params}&start_line=3&end_line=4`)
    const address = 'https://github.com/octo/talk/blob/fix%2Fit/src/a%20b.ts?plain=1#L3-L4'
    const byUrl = await app.get(`/mcp/context?url=${encodeURIComponent(address)}`)
    for (const answer of [byQuery, byUrl]) {
      expect(answer.status).toBe(200)
      const { context } = answer.json<{ context: Block[] }>()
      expect(context.map(spans)).toEqual([[[3, 4]]])
    }
    const line = encodeURIComponent(address.replace('-L4', ''))
    const one = (await app.get(`/mcp/context?url=${line}`)).json<{ context: Block[] }>()
    expect(one.context.map(spans)).toEqual([[[3, 3]]])
  })

  it('is private for a credential of its own', async () => {
    addRepository(github.world, {
      owner: 'octocat',
      name: 'own',
      private: true,
      default_branch: 'main',
    })
    addFiles(github.world, 'octocat/own', { a: 'secret plans' })
    await using owner = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
    const asked = request('a', { owner: 'octocat', repo: 'own' })
    expect((await owner.block(asked)).content).toContain('1\tsecret plans')
    expect((await app.post(asked)).status).toBe(404)
  })
})
