/** What GitHub may say of anything, asked of every context type: the registry is the table. */
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { providers } from '../../src/context/registry.ts'
import type { Provider } from '../../src/core/provider.ts'
import { type Alter, startAltered } from '../support/altered.ts'
import { type App, type Context, type Problem, startApp } from '../support/app.ts'
import {
  addRepository,
  deleteRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'
import { createNuller } from '../support/nullable.ts'

const ENV = {
  GITHUB_TOKEN: OCTOCAT_TOKEN,
  RATE_LIMIT_MAX: '1000000',
  GITHUB_BUDGET: 'off',
}
const types = providers.map((provider) => [provider.type, provider] as const)
/** Those that are of one repository, named in their params. */
const ofRepository = types.filter(([, { params }]) => 'repo' in params.properties)

/** The example with all that can be included. */
function fullest({ example, params }: Provider): Record<string, unknown> {
  const pattern: string = params.properties.include?.items?.pattern ?? ''
  const parts = /^\^\(\?:([\w|]+)\)\$$/.exec(pattern)?.[1]?.split('|')
  return { ...(example as object), ...(parts ? { include: parts } : {}) }
}

const request = (provider: Provider) => ({
  context_type: provider.type,
  params: fullest(provider),
  max_age: 0,
})

/** Faults of blocks against what their type promises. */
function brokenPromises({ alsoBlocks, block, blockType }: Provider, { context }: Context) {
  return context.flatMap((one) => {
    const schema = one.type === blockType ? block : alsoBlocks?.[one.type]
    if (!schema) return [`${one.type} is not promised`]
    const errors = [...TypeCompiler.Compile(schema).Errors(one)]
    return errors.map(({ path, message }) => `${one.type}${path} ${message}`)
  })
}

const contentOf = ({ context }: Context) => context.map(({ content }) => content).join('\n\n')

/** Service and GitHub for one table. */
function serve(alter?: Alter) {
  const parts = {} as { github: GitHub; app: App }
  let altered: Awaited<ReturnType<typeof startAltered>> | undefined
  beforeAll(async () => {
    parts.github = await startGitHub()
    parts.github.world.limits.core = 1_000_000
    parts.github.world.limits.graphql = 1_000_000
    altered = alter && (await startAltered(parts.github, alter))
    parts.app = await startApp({ github: altered ?? parts.github, env: ENV })
  }, 60_000)
  afterAll(async () => {
    await parts.app.close()
    await altered?.[Symbol.asyncDispose]()
    await parts.github.close()
  })
  return parts
}

describe('null wherever GitHub’s descriptions allow it', () => {
  const parts = serve(createNuller())

  it.each(types)('%s', async (_type, provider) => {
    const answer = await parts.app.context(request(provider))
    expect(answer.context.length).toBeGreaterThan(0)
    expect(brokenPromises(provider, answer)).toEqual([])
    expect(contentOf(answer)).not.toMatch(/\b(?:null|undefined|NaN)\b|\[object/)
    const tight = { ...request(provider), max_tokens: 200, query: 'anything' }
    expect((await parts.app.context(tight)).tokens).toBeLessThanOrEqual(200)
  })
})

/** Lists of nothing, and the counts of them; what is not a list stays. */
function emptied(value: unknown): unknown {
  if (Array.isArray(value)) return []
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, own]) => {
    if (
      /^(?:total_?count|filteredCount|comments|commits|changed_files|review_comments)$/i.test(name)
    )
      return [name, typeof own === 'number' ? 0 : emptied(own)]
    // Not what GitHub found, but why it did not.
    if (name === 'errors') return [name, own]
    if (/^(?:body|description|message|patch|name_with_owner)$/.test(name)) return [name, '']
    return [name, emptied(own)]
  })
  return Object.fromEntries(entries)
}

describe('empty: no entries in any list, no words in any text', () => {
  const parts = serve((_exchange, body) => emptied(body))

  it.each(types)('%s', async (_type, provider) => {
    const response = await parts.app.post(request(provider))
    // What is looked for in a list is not there then.
    if (response.status === 404) {
      expect(response.json<Problem>().code).toBe('not_found')
      return
    }
    expect(response.status, response.text).toBe(200)
    const answer = response.json<Context>()
    expect(brokenPromises(provider, answer)).toEqual([])
    for (const { content, title } of answer.context) {
      expect(content.trim().length).toBeGreaterThan(title.length)
      expect(content).not.toMatch(/\b(?:null|undefined|NaN)\b|\[object/)
    }
  })
})

const HUGE = 'A sentence of somebody, who has much to say. '.repeat(1_400)

/** The longest texts that GitHub allows, wherever people write. */
function swollen(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(swollen)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, own]) => {
    if (typeof own !== 'string') return [name, swollen(own)]
    if (/^(?:body|description|message|summary|bio)$/.test(name)) return [name, HUGE]
    if (name === 'patch')
      return [name, `@@ -1,0 +1,900 @@\n${`+${HUGE.slice(0, 70)}\n`.repeat(900)}`]
    if (/^(?:title|name)$/.test(name) && /\s/.test(own)) return [name, HUGE.slice(0, 1_000)]
    return [name, own]
  })
  return Object.fromEntries(entries)
}

describe('huge', () => {
  const parts = serve((_exchange, body) => swollen(body))

  it.each(types)(
    '%s',
    async (_type, provider) => {
      const all = await parts.app.context(request(provider))
      expect(brokenPromises(provider, all)).toEqual([])
      for (const max_tokens of [100, 1_000]) {
        const answer = await parts.app.context({ ...request(provider), max_tokens })
        const counted = answer.context.reduce((sum, { content }) => sum + countTokens(content), 0)
        expect(counted).toBeLessThanOrEqual(max_tokens)
        expect(brokenPromises(provider, answer)).toEqual([])
        // No field holds what the content leaves out: it is some facts longer than the text at most.
        expect(JSON.stringify(answer.context).length).toBeLessThan(max_tokens * 16 + 40_000)
        if (counted < all.tokens) expect(answer.omitted.length).toBeGreaterThan(0)
      }
    },
    30_000,
  )
})

describe('renamed', () => {
  const parts = serve()
  beforeAll(() => void renameRepository(parts.github.world, 'octocat/Hello-World', 'Renamed'))

  it.each(ofRepository)('%s', async (_type, provider) => {
    const answer = await parts.app.context({ ...request(provider), max_tokens: 400 })
    expect(answer.context.length).toBeGreaterThan(0)
    const [first] = answer.context
    expect(`${first?.id} ${first?.url} ${first?.content}`).toContain('Renamed')
    expect(first?.id).not.toMatch(/hello-world/i)
    for (const { next } of answer.omitted) {
      if (next) expect(next.params).toMatchObject({ owner: 'octocat', repo: 'Renamed' })
    }
    expect(brokenPromises(provider, answer)).toEqual([])
  })
})

describe('renamed, with nothing in it', () => {
  const parts = serve()
  const lists = ['github_issues', 'github_pull_requests', 'github_releases', 'github_commits']
  const asked = (context_type: string) => ({
    context_type,
    params: { owner: 'octo', repo: 'before' },
    max_age: 0,
  })
  beforeAll(() => {
    addRepository(parts.github.world, { owner: 'octo', name: 'before' })
    renameRepository(parts.github.world, 'octo/before', 'After')
  })

  it.each(lists)('%s', async (type) => {
    const [block] = (await parts.app.context(asked(type))).context
    expect(`${block?.id} ${block?.url} ${block?.content}`).not.toContain('before')
    expect(block?.id).toContain('octo/After')
  })

  it('is refused where its present name is', async () => {
    await using limited = await startApp({
      github: parts.github,
      env: { ...ENV, ALLOWED_REPOS: 'octo/before' },
    })
    for (const type of lists) expect((await limited.post(asked(type))).status).toBe(403)
  })
})

describe('deleted', () => {
  const parts = serve()
  beforeAll(() => deleteRepository(parts.github.world, 'octocat/Hello-World'))

  it.each(ofRepository)('%s', async (_type, provider) => {
    const response = await parts.app.post(request(provider))
    expect([response.status, response.json<Problem>().code]).toEqual([404, 'not_found'])
    expect(response.json<Problem>().detail).toContain('credential')
  })
})

describe.each([
  ['switched off or deleted', 410, 404, 'not_found', /deleted/],
  ['blocked', 451, 404, 'not_found', /legal/],
  ['forbidden', 403, 403, 'upstream_forbidden', /accepts: secrets=read/],
] as const)('%s', (_what, status, answered, code, says) => {
  const parts = serve()
  beforeAll(() => {
    const headers = { 'x-accepted-github-permissions': 'secrets=read' }
    parts.github.fault({ kind: 'status', status, headers, match: /./ })
  })

  it.each(types)('%s', async (_type, provider) => {
    const response = await parts.app.post(request(provider))
    const problem = response.json<Problem>()
    expect([response.status, problem.code]).toEqual([answered, code])
    expect(problem.detail).toMatch(says)
  })
})

describe('rounds', () => {
  const parts = serve()

  it.each(types)('%s takes two at most', async (_type, provider) => {
    for (const options of [{}, { max_tokens: 1_000, query: 'greet' }]) {
      parts.github.resetCounts()
      parts.github.latencyMs = 250
      await parts.app.context({ ...request(provider), ...options })
      parts.github.latencyMs = 0
      expect(parts.github.count()).toBeGreaterThan(0)
      expect(parts.github.rounds()).toBeLessThanOrEqual(2)
    }
  })
})
