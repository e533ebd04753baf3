import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Block, type Problem, startApp } from '../support/app.ts'
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
  github.world.anonymousLimits.core = 10_000
  addRepository(github.world, { owner: 'octo', name: 'talk', default_branch: 'main' })
  app = await startApp({ github })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const request = (paths: readonly string[], params: object = {}) => ({
  context_type: 'github_files',
  params: { owner: 'octo', repo: 'talk', paths, ...params },
})
const add = (files: Record<string, FileContent>) => addFiles(github.world, 'octo/talk', files)
const pathsOf = (blocks: readonly Block[]) => blocks.map(({ path }) => path)
const numbered = (count: number, word = 'line') =>
  Array.from({ length: count }, (_, i) => `${word} ${i + 1}\n`).join('')

describe('github_files', () => {
  it('gives one block for each file, in the order asked for', async () => {
    const names = Array.from({ length: 50 }, (_, i) => `src/${(i * 7) % 50}.ts`)
    add(Object.fromEntries(names.map((name) => [name, `// ${name}\n`])))
    const { context, omitted, tokens } = await app.context(request(names))
    expect(pathsOf(context)).toEqual(names)
    expect(context[3]?.content).toContain(`1\t// ${names[3]}`)
    expect(context.reduce((sum, block) => sum + block.tokens, 0)).toBe(tokens)
    expect(omitted).toEqual([])
    expect(github.count()).toBe(50)
  })

  it('asks for all of them before it has one', async () => {
    const names = Array.from({ length: 50 }, (_, i) => `${i}`)
    await using wide = await startApp({ github, env: { GITHUB_CONNECTIONS: '64' } })
    add({ first: '' })
    // Until GitHub has said what the budget is, only a few are let through at a time.
    await wide.context(request(['first']))
    github.resetCounts()
    github.fault({ match: () => true, kind: 'hang' })
    const answer = wide.post(request(names)).catch(() => undefined)
    await expect.poll(() => github.count(), { timeout: 9_000 }).toBe(50)
    await wide.close()
    await answer
  })

  it('takes a second round for what is large, and no third', async () => {
    add({ a: 'x\n'.repeat(600_000), b: 'y\n'.repeat(600_000), c: 'c' })
    github.latencyMs = 200
    await app.context({ ...request(['a', 'b', 'c']), max_tokens: 500 })
    expect([github.count(), github.rounds()]).toEqual([5, 2])
  })

  it('asks for each path once', async () => {
    add({ a: 'a' })
    expect(pathsOf((await app.context(request(['a', 'a']))).context)).toEqual(['a'])
    expect(github.count()).toBe(1)
  })

  it('names what is missing or a folder, and answers the rest', async () => {
    add({ a: 'a', 'src/b': 'b', 'logo.png': Buffer.from([0, 1, 2]) })
    const { context, omitted } = await app.context(request(['nope', 'a', 'src', 'logo.png']))
    expect(context.map(({ path, kind }) => [path, kind])).toEqual([
      ['a', 'text'],
      ['logo.png', 'binary'],
    ])
    expect(omitted).toEqual([
      { what: 'nope', count: 1, reason: 'not_found' },
      {
        what: 'src',
        reason: 'is_a_folder',
        next: {
          context_type: 'github_tree',
          params: { owner: 'octo', repo: 'talk', path: 'src' },
        },
      },
    ])
    const folders = await app.context(request(['src', 'nope'], { ref: 'main' }))
    expect([folders.context, folders.tokens, folders.omitted.length]).toEqual([[], 0, 2])
  })

  it('is not found where nothing is, and fails where GitHub does', async () => {
    add({ a: 'a' })
    const answer = await app.post(request(['b', 'c']))
    expect([answer.status, answer.json<Problem>().code]).toEqual([404, 'not_found'])
    expect((await app.post(request(['a'], { repo: 'other' }))).status).toBe(404)
    github.fault({ match: /contents\/b/, kind: 'status', status: 403 })
    expect((await app.post(request(['a', 'b']))).status).toBe(403)
  })

  it('shares one budget, so that each file has its start', async () => {
    add({ a: numbered(2_000), b: numbered(2_000, 'row'), c: 'short\n', d: Buffer.from([0]) })
    const asked = { ...request(['a', 'b', 'c', 'd']), max_tokens: 2_000 }
    const { context, omitted, tokens } = await app.context(asked)
    expect(tokens).toBeLessThanOrEqual(2_000)
    expect(pathsOf(context)).toEqual(['a', 'b', 'c', 'd'])
    expect(context[3]?.content).toContain('The file is binary')
    for (const { ranges } of context.slice(0, 2)) {
      expect(ranges).toMatchObject([{ start_line: 1 }])
    }
    expect(omitted.map(({ next }) => next?.params.path)).toEqual(['a', 'b'])
    for (const { next } of omitted) {
      if (!next) throw new Error('no way to the rest')
      const { ranges } = await app.block(next)
      expect(ranges).toMatchObject([{ end_line: 2_000 }])
    }
  })

  it('finds the file that the query is about', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [
        `${i}.md`,
        numbered(60, i === 31 ? 'webhook signature' : 'filler'),
      ]),
    )
    add(files)
    const { context } = await app.context({
      ...request(Object.keys(files)),
      max_tokens: 600,
      query: 'how are webhook signatures verified',
    })
    const found = context.find(({ path }) => path === '31.md')
    expect(found?.content).toContain('webhook signature')
  })

  it('holds no more than one file may, together', async () => {
    const long = `${'x'.repeat(99)}\n`.repeat(8_000)
    add({ a: long, b: long })
    const { context, omitted } = await app.context(request(['a', 'b']))
    const size = context.reduce((sum, { content }) => sum + content.length, 0)
    expect(size).toBeLessThan(1.2 * 1024 * 1024)
    expect(omitted).toMatchObject([
      { reason: 'answer_limit', next: { params: { path: 'a' } } },
      { reason: 'answer_limit', next: { params: { path: 'b' } } },
    ])
  })

  it('answers under the new name after a rename', async () => {
    add({ a: 'a' })
    renameRepository(github.world, 'octo/talk', 'speech')
    expect((await app.context(request(['a', 'b']))).context[0]?.id).toBe(
      'github_file:octo/speech@main:a',
    )
  })

  it('is a query too, and refuses what cannot be', async () => {
    add({ a: 'a', 'b c': 'b' })
    const path = '/mcp/context/github_files?owner=octo&repo=talk&paths=a,b%20c'
    const answer = await app.get(path)
    expect(pathsOf(answer.json<{ context: Block[] }>().context)).toEqual(['a', 'b c'])
    for (const paths of [[], ['a', '../b'], ['x'.repeat(5_000)], Array(51).fill('a')]) {
      expect((await app.post(request(paths))).status).toBe(400)
    }
  })
})
