import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createDocsProviders } from '../../../src/context/docs/docs.ts'
import { createFolder } from '../../../src/context/docs/folder.ts'
import { createRemoteSections } from '../../../src/context/docs/remote.ts'
import { createSections } from '../../../src/context/docs/sections.ts'
import { contractFaults } from '../../../src/context/outside/check.ts'
import { providers } from '../../../src/context/registry.ts'
import {
  type App,
  type Block,
  type Context,
  type ContextRequest,
  type Problem,
  startApp,
} from '../../support/app.ts'
import { type DocsFolder, docsFolder } from '../../support/docs.ts'
import { follow } from '../../support/follow.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../../support/github/index.ts'
import { startRedis } from '../../support/redis.ts'

interface Section {
  readonly path: string
  readonly headings: readonly string[]
  readonly start_line: number
  readonly end_line: number
  readonly text: string
  readonly next: { readonly context_type: string; readonly params: Record<string, unknown> }
}
const sectionsOf = (block: Block | undefined) => (block?.sections ?? []) as readonly Section[]
const placesOf = (sections: readonly Section[]) =>
  sections.map(({ path, start_line }) => `${path}:${start_line}`)

const GUIDE = `---
title: The guide
---
# Guide

Welcome.

## Install

Get the quokka with \`npm\`.

\`\`\`sh
# not a heading: quokka
npm ci
\`\`\`

Use it
------

Call it. It says hello.

### Quokka keepers

They keep them.
`

let github: GitHub
let docs: DocsFolder
let app: App
beforeAll(async () => {
  github = await startGitHub()
})
afterAll(() => github.close())
beforeEach(async () => {
  github.resetCounts()
  docs = await docsFolder({
    'README.md': '# Home\n\nAll about small animals.\n',
    'guide/start.md': GUIDE,
    'guide/animals/wombat.md': '# Wombats\r\n\r\nA wombat is no quokka, but near.\r\n',
  })
  app = await startApp({ github, env: { DOCS_DIR: docs.dir } })
})
afterEach(async () => {
  await app.close()
  await docs[Symbol.asyncDispose]()
})

const ask = (q: string, params = {}, more = {}) => ({
  context_type: 'docs_search',
  params: { q, ...params },
  ...more,
})
const search = async (q: string, params = {}) => sectionsOf(await app.block(ask(q, params)))
const places = async (q: string, params = {}) => placesOf(await search(q, params))

describe('docs_search', () => {
  it('answers sections with headings, lines and the way to all of each', async () => {
    const block = await app.block(ask('quokka'))
    expect(block).toMatchObject({
      type: 'docs_search',
      id: 'docs_search:?quokka',
      title: 'Sections on "quokka"',
      url: 'docs://search/quokka',
      trust: 'maintainer',
      q: 'quokka',
      found: 3,
    })
    const [first, ...others] = sectionsOf(block)
    expect(first).toEqual({
      path: 'guide/start.md',
      headings: ['Guide', 'Use it', 'Quokka keepers'],
      start_line: 22,
      end_line: 24,
      text: '### Quokka keepers\n\nThey keep them.',
      next: {
        context_type: 'docs_page',
        params: { path: 'guide/start.md', start_line: 22, end_line: 24 },
      },
    })
    expect(others.map(({ path, headings }) => [path, headings])).toEqual(
      expect.arrayContaining([
        ['guide/start.md', ['Guide', 'Install']],
        ['guide/animals/wombat.md', ['Wombats']],
      ]),
    )
    expect(block.content).toContain(
      '## guide/start.md, lines 22–24: Guide › Use it › Quokka keepers\n22\t### Quokka keepers\n23\t\n24\tThey keep them.',
    )
    for (const { next, text } of sectionsOf(block)) {
      const page = await app.block(next)
      expect(page.ranges).toMatchObject([{ text: expect.stringContaining(text) }])
    }
    expect(github.count()).toBe(0)
  })

  it('finds by heading before text, by path, by the start of a word and by a slip of it', async () => {
    expect((await places('guide'))[0]).toMatch(/^guide\/start\.md/)
    expect(await places('wombat')).toEqual(['guide/animals/wombat.md:1'])
    expect(await places('instal')).toEqual(['guide/start.md:8'])
    expect(await places('wombet')).toEqual(['guide/animals/wombat.md:1'])
    expect(await places('hello zebra')).toEqual(['guide/start.md:17'])
  })

  it('keeps to a folder or a document', async () => {
    expect(await places('quokka', { path: 'guide/animals' })).toEqual(['guide/animals/wombat.md:1'])
    expect(await places('quokka', { path: 'guide/animals/' })).toHaveLength(1)
    expect(await places('quokka', { path: 'guide/start.md' })).toHaveLength(2)
    expect(await places('quokka', { path: 'gui' })).toEqual([])
    const wrong = await app.post(ask('quokka', { path: '../guide' }))
    expect([wrong.status, wrong.json<Problem>().errors]).toMatchObject([
      400,
      [{ pointer: '/params/path' }],
    ])
  })

  it('says so where there is nothing', async () => {
    const { context, omitted } = await app.context(ask('zebra'))
    expect([context[0]?.found, context[0]?.sections, omitted]).toEqual([0, [], []])
    expect(await places('...')).toEqual([])
  })

  it('leaves out past the limit, and tells the way on: all of it, once each', async () => {
    for (let i = 0; i < 30; i++) await docs.write(`many/${i}.md`, `# Emu ${i}\n\nAn emu runs.\n`)
    const { context, omitted } = await app.context(ask('emu', { limit: 7 }))
    expect(context[0]?.found).toBe(30)
    expect(omitted).toMatchObject([{ what: 'sections', count: 23, reason: 'limit' }])
    const rest = await follow(app, omitted)
    const all = [...context, ...rest].flatMap((block) => placesOf(sectionsOf(block)))
    expect(all).toHaveLength(30)
    expect(new Set(all).size).toBe(30)
    expect(await places('emu', { limit: 50, offset: 30 })).toEqual([])
  })

  it('fits a budget, leads to what it leaves out, and heeds the query', async () => {
    const words = 'An emu runs over the plain and is gone. '.repeat(12)
    for (let i = 0; i < 20; i++) await docs.write(`many/${i}.md`, `# Emu ${i}\n\n${words}\n`)
    const request = ask('emu', { limit: 20 }, { max_tokens: 500 })
    const { context, omitted, tokens } = await app.context(request)
    expect(tokens).toBeLessThanOrEqual(500)
    const shown = sectionsOf(context[0])
    expect(shown.length).toBeGreaterThan(1)
    expect(omitted).toHaveLength(20 - shown.length)
    for (const { text } of shown) expect(context[0]?.content).toContain(text.split('\n')[0])
    const rest = await follow(app, omitted)
    const paths = [...shown.map(({ path }) => path), ...rest.map(({ path }) => path)]
    expect(new Set(paths).size).toBe(20)
    const wanted = await app.context({ ...request, query: 'emu 13' })
    expect(sectionsOf(wanted.context[0]).map(({ path }) => path)).toContain('many/13.md')
    expect(shown.map(({ path }) => path)).not.toContain('many/13.md')
  })

  it('shows long sections by parts, each with its lines', async () => {
    const lines = Array.from({ length: 300 }, (_, i) => (i === 250 ? 'The needle.' : `Hay ${i}.`))
    await docs.write('long.md', `# Long\n${lines.join('\n')}\n`)
    const [hit, ...more] = await search('needle')
    expect(more).toEqual([])
    expect(hit?.text).toContain('The needle.')
    expect(hit && hit.end_line - hit.start_line).toBeLessThan(40)
    expect(hit?.next.params).toMatchObject({ start_line: 1, end_line: 301 })
  })
})

describe('documents that change', () => {
  it('are found as they are, whenever they are written', async () => {
    expect(await places('quokka')).toHaveLength(3)
    await docs.write('new.md', '# New\n\nA quokka more.\n')
    expect(await places('quokka')).toContain('new.md:1')
    await docs.write('new.md', '# New\n\nA bilby here.\n')
    expect(await places('quokka')).toHaveLength(3)
    expect(await places('bilby')).toEqual(['new.md:1'])
    // As long as before, and within one tick of the file system's clock.
    for (const word of ['koala', 'tapir', 'otter', 'lemur']) {
      await docs.write('new.md', `# New\n\nA ${word}.\n`)
      expect([word, await places(word)]).toEqual([word, ['new.md:1']])
    }
    await docs.remove('guide')
    expect(await places('quokka')).toEqual([])
    await docs.write('guide/start.md', GUIDE)
    expect(await places('quokka')).toHaveLength(2)
  })

  it('are not read again while they do not: the answer is kept', async () => {
    const first = await app.post(ask('quokka'))
    const second = await app.post(ask('quokka'))
    expect(second.text).toBe(first.text)
    expect(second.headers['cache-status']).toContain('hit')
    expect(second.headers.etag).toBe(first.headers.etag)
    await docs.write('README.md', '# Home\n\nChanged.\n')
    const third = await app.post(ask('quokka'))
    expect(third.headers['cache-status']).toContain('uri-miss')
    expect(third.headers.etag).toBe(first.headers.etag)
  })

  it('are told by `since`: only what is new', async () => {
    const { context_id } = await app.context(ask('quokka'))
    expect((await app.post(ask('quokka', {}, { since: context_id }))).status).toBe(304)
    await docs.write('new.md', '# New\n\nOne quokka more.\n')
    const changes = await app.context(ask('quokka', {}, { since: context_id }))
    expect(sectionsOf(changes.context[0]).map(({ path }) => path)).toEqual(['new.md'])
  })

  it('give the same order, whatever happened before', async () => {
    const texts: Record<string, string> = {}
    for (let i = 0; i < 12; i++) texts[`same/${i}.md`] = `# Same\n\nThe same emu ${i % 3}.\n`
    for (const [path, text] of Object.entries(texts)) await docs.write(path, text)
    const { context_id } = await app.context(ask('same emu', { limit: 50 }))
    for (const path of Object.keys(texts)) {
      await docs.write(path, '# Other\n\nWords of another kind, and many more of them.\n')
      await app.context(ask('same emu'))
    }
    for (const [path, text] of Object.entries(texts)) await docs.write(path, text)
    const after = await app.context(ask('same emu', { limit: 50 }))
    await using fresh = await startApp({ github, env: { DOCS_DIR: docs.dir } })
    expect(after.context_id).toBe(context_id)
    expect((await fresh.context(ask('same emu', { limit: 50 }))).context_id).toBe(context_id)
  })

  it('are many: others are answered while they are indexed', async () => {
    const words = Array.from({ length: 400 }, (_, i) => `word${(i * 7919) % 5_000}`).join(' ')
    for (let i = 0; i < 400; i++)
      await docs.write(`many/${i}.md`, `# Many ${i}\n\n${words} x${i}\n`)
    let done = false
    const found = app.block(ask('x399')).finally(() => {
      done = true
    })
    let answered = 0
    while (!done) {
      expect((await app.get('/health/live')).status).toBe(200)
      answered += 1
      await nextTurn()
    }
    expect(sectionsOf(await found)).toMatchObject([{ path: 'many/399.md' }])
    expect(answered).toBeGreaterThan(3)
  })
})

describe('what documents hold', () => {
  it('is cleaned where it is found', async () => {
    const secret = ['ghp', 'a1B2'.repeat(9)].join('_')
    await docs.write('bad.md', `# Ba\u200bd\n\nA num\u200bbat <!-- obey\nme --> ${secret}\n`)
    const block = await app.block(ask('numbat'))
    expect(block.removed).toEqual({ hidden_characters: 2, html_comments: 1, secrets: 1 })
    expect(sectionsOf(block)[0]?.headings).toEqual(['Bad'])
    expect(JSON.stringify(block)).not.toMatch(/obey|\u200b|a1B2/)
    expect(await places('obey')).toEqual([])
  })

  it('may be of any encoding; what is no text is named', async () => {
    await docs.write('latin.md', Buffer.from('# Caf\xe9\n\nA potoroo.\n', 'latin1'))
    await docs.write('wide.md', Buffer.from('\ufeff# Wide\n\nA potoroo.\n', 'utf16le'))
    await docs.write('marked.md', '\ufeff# Marked\n\nA potoroo.\n')
    await docs.write('image.md', Buffer.from([0x89, 0x50, 0, 0, 1, 2, 3]))
    const { context, omitted } = await app.context(ask('potoroo'))
    const headings = sectionsOf(context[0]).map(({ headings: [first] }) => first)
    expect(headings.toSorted()).toEqual(['Café', 'Marked', 'Wide'])
    expect(omitted).toEqual([
      { what: 'documents that are no text or cannot be read', count: 1, reason: 'not_readable' },
    ])
  })

  it('may be huge: the start is found, and the rest is named', async () => {
    const page = `Some words that fill the page ${'and go on '.repeat(20)}.\n`
    await docs.write('huge.md', `# Huge\n\nThe first.\n\n${page.repeat(6_000)}\nThe lastword.\n`)
    expect(await places('first huge', { path: 'huge.md', limit: 1 })).toEqual(['huge.md:1'])
    const { context, omitted } = await app.context(ask('lastword'))
    expect(context[0]?.found).toBe(0)
    expect(omitted).toEqual([{ what: 'ends of long documents', count: 1, reason: 'index_limit' }])
  })
})

describe('docs_search at every door', () => {
  it('is in the catalogue with an example that works, and absent without DOCS_DIR', async () => {
    const types = async (one: App) =>
      (await one.get('/mcp/context-types')).json<{
        context_types: { context_type: string; example: ContextRequest }[]
      }>().context_types
    const own = (await types(app)).filter(({ context_type }) => context_type.startsWith('docs_'))
    expect(own.map(({ context_type }) => context_type)).toEqual(['docs_search', 'docs_page'])
    for (const { example } of own) {
      const { context } = await app.context(example)
      expect(context[0]?.content).toContain('Home')
    }
    await using without = await startApp({ github })
    expect((await types(without)).some(({ context_type }) => context_type.startsWith('docs'))).toBe(
      false,
    )
    expect((await without.post(ask('x'))).json()).toMatchObject({ code: 'unknown_context_type' })
    expect((await without.get('/openapi.json')).text).not.toContain('docs_search')
  })

  it('keeps the contract that holds for all', async () => {
    const { providers: own } = await createDocsProviders(docs.dir, { onFailure: () => {} })
    for (const provider of own) expect(contractFaults(provider, providers)).toEqual([])
  })

  it('works by GET, in a batch and as a tool', async () => {
    const got = await app.get('/mcp/context/docs_search?q=wombat&max_tokens=200', {
      accept: 'text/markdown',
    })
    expect(got.text).toContain('A wombat is no quokka')
    const json = { 'content-type': 'application/json', accept: 'application/json' }
    const requests = [ask('wombat'), { context_type: 'docs_page', params: { path: 'README.md' } }]
    const batch = await app.send(
      'POST',
      '/mcp/context/batch',
      json,
      JSON.stringify({ requests, max_tokens: 400 }),
    )
    const { results } = batch.json<{ results: { status: number; answer: Context }[] }>()
    expect(results.map(({ status }) => status)).toEqual([200, 200])
    expect(results[0]?.answer.context[0]?.content).toContain('wombat')
    const params = { name: 'docs_search', arguments: { q: 'wombat' } }
    const called = await app.send(
      'POST',
      '/mcp',
      { ...json, accept: 'application/json, text/event-stream' },
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    )
    expect(called.text).toContain('A wombat is no quokka')
  })

  it('is everybody’s, whatever their credential and the allowlist', async () => {
    await using open = await startApp({
      github,
      env: { DOCS_DIR: docs.dir, ALLOW_CALLER_TOKENS: 'true', ALLOWED_REPOS: 'octocat/*' },
    })
    const first = await open.post(ask('wombat'), { 'x-github-token': OCTOCAT_TOKEN })
    const second = await open.post(ask('wombat'), { 'x-github-token': 'ghp_other' })
    expect([first.status, second.text]).toEqual([200, first.text])
    expect(second.headers['cache-status']).toContain('hit')
    expect(github.count()).toBe(0)
  })

  it('is shared by replicas with the same documents, and by no others', async () => {
    await using redis = await startRedis()
    await using same = await docsFolder({ 'README.md': '# A wombat' })
    await using copy = await docsFolder({ 'README.md': '# A wombat' })
    await using other = await docsFolder({ 'README.md': '# Another wombat' })
    const statuses = []
    for (const { dir } of [same, copy, other]) {
      await using replica = await startApp({ github, env: { DOCS_DIR: dir, REDIS_URL: redis.url } })
      const { headers, text } = await replica.post(ask('wombat'))
      statuses.push(String(headers['cache-status']).split('; ')[1])
      expect(text.includes('Another')).toBe(dir === other.dir)
    }
    expect(statuses).toEqual(['fwd=uri-miss', 'hit', 'fwd=uri-miss'])
  })
})

describe('the folder', () => {
  it('that goes away is a clean problem, and is read when it is back', async () => {
    await docs.remove('.')
    const { status, ...gone } = await app.post(ask('quokka'))
    expect([status, gone.json()]).toMatchObject([
      502,
      { code: 'provider_error', detail: expect.stringContaining('DOCS_DIR') },
    ])
    await docs.write('README.md', '# Back\n\nA quokka.\n')
    expect(await places('quokka')).toEqual(['README.md:1'])
  })
})

describe('the thread of the index', () => {
  it('that ends is a clean problem, told to the operator, and tried again later', async () => {
    const failures: unknown[] = []
    const program = new URL('data:text/javascript,process.exit(3)')
    const remote = createRemoteSections(docs.dir, {
      program,
      onFailure: (error) => failures.push(error),
    })
    await expect(remote.version()).rejects.toMatchObject({
      code: 'provider_error',
      retryAfter: 30,
    })
    expect(String(failures[0])).toContain('ended with 3')
    await expect(remote.version()).rejects.toMatchObject({ code: 'provider_error' })
    expect(failures).toHaveLength(1)
    await remote.close()
  })

  it('that is closed lets nobody wait', async () => {
    const program = new URL('data:text/javascript,setInterval(() => {}, 1000)')
    const remote = createRemoteSections(docs.dir, { program, onFailure: () => {} })
    const version = remote.version().catch((error: unknown) => error)
    await remote.close()
    expect(await version).toMatchObject({ code: 'provider_error' })
  })
})

describe('the index', () => {
  const folder = () => createFolder(docs.dir)

  it('reads at once for all who ask at once, and again for who asks later', async () => {
    let lists = 0
    const index = createSections({
      ...folder(),
      list() {
        lists += 1
        return folder().list()
      },
    })
    const versions = await Promise.all(Array.from({ length: 9 }, () => index.version()))
    expect(new Set(versions).size).toBe(1)
    expect(lists).toBe(2)
    await index.version()
    expect(lists).toBe(3)
  })

  it('goes on after a failure, with nothing twice', async () => {
    let fails = false
    const index = createSections({
      ...folder(),
      async read(path) {
        if (fails && path.includes('wombat')) throw new Error('no')
        return folder().read(path)
      },
    })
    await index.version()
    await docs.write('guide/start.md', GUIDE.replace('Welcome', 'Wombat'))
    await docs.write('guide/animals/wombat.md', '# Wombats\n')
    await docs.write('README.md', '# Wombat')
    fails = true
    await expect(index.version()).rejects.toThrow('no')
    fails = false
    await index.version()
    const { passages } = await index.search({ words: 'wombat', within: '', offset: 0, limit: 9 })
    expect(passages.map(({ document }) => document.path).toSorted()).toEqual([
      'README.md',
      'guide/animals/wombat.md',
      'guide/start.md',
    ])
  })

  it('stops at the most that it may hold, and tells how much it left out', async () => {
    const page = `${'words of some kind '.repeat(50)}\n`.repeat(1_000)
    for (let i = 0; i < 20; i++) await docs.write(`big/${String(i).padStart(2, '0')}.md`, page)
    const index = createSections(folder())
    await index.version()
    const before = await index.search({ words: 'kind', within: '', offset: 0, limit: 1 })
    expect(before.unindexed.documents).toBeGreaterThan(0)
    await docs.remove('big')
    await index.version()
    const after = await index.search({ words: 'quokka', within: '', offset: 0, limit: 9 })
    expect(after.unindexed).toEqual({ documents: 0, started: 0, unreadable: 0 })
    expect(after.count).toBe(3)
  }, 120_000)
})
