import { type TObject, type TSchema, Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { providers } from '../../src/context/registry.ts'
import { defineProvider, type Provider } from '../../src/core/provider.ts'
import { IssueNumber, repositoryParams, Timestamp } from '../../src/core/schemas.ts'
import { countTokens } from '../../src/core/tokens.ts'
import { TOOLSETS } from '../../src/mcp/tools/toolsets.ts'
import { ask, testDoor } from '../support/mcp/door.ts'

interface Listed {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: TObject
  readonly outputSchema: TObject
  readonly annotations: Readonly<Record<string, boolean>>
}

const writes = { createIssue: async () => never(), addComment: async () => never() }
const never = (): never => {
  throw new Error('not called')
}

async function list(options: Parameters<typeof testDoor>[0] = {}): Promise<Listed[]> {
  const { result } = await ask(testDoor(options), 'tools/list')
  return result.tools
}

/**
 * Tokens (o200k) of what a model reads of a list before it has asked for anything: name, description
 * and arguments of each tool as JSON, as github-mcp-server's 9,901 tokens for 43 tools are counted.
 * What results look like comes on top; clients do not show it to models.
 */
function weigh(tools: readonly Listed[]): number {
  return countTokens(
    JSON.stringify(
      tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
    ),
  )
}

const LIMIT = 3_000

const text = (description: string) =>
  Type.Optional(Type.String({ maxLength: 500, description: `${description}, as GitHub takes it` }))
const number = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 30, description }))
const choice = (...values: string[]) =>
  Type.Optional(
    Type.Union(
      values.map((value) => Type.Literal(value)),
      { description: 'Which' },
    ),
  )
const several = (...values: string[]) =>
  Type.Optional(
    Type.Array(Type.Union(values.map((value) => Type.Literal(value))), {
      maxItems: 10,
      uniqueItems: true,
      description: 'What to add to the block, none unless it is given',
    }),
  )
const texts = Type.Optional(Type.Array(Type.String({ maxLength: 500 }), { maxItems: 50 }))
const LONG =
  'What it is about, with the files as plain text, the people, the dates, what refers to it and what it refers to, the newest first; what was left out is named and can be fetched by itself.'

function provider(type: string, params: Record<string, TSchema>, of = repositoryParams): Provider {
  return defineProvider({
    type,
    blockType: type,
    title: `${type} of GitHub`,
    description: LONG,
    uri: `github://{owner}/{repo}/${type}`,
    params: Type.Object({ ...of, ...params }, { additionalProperties: false }),
    block: Type.Object({}),
    example: {} as never,
    cache: { freshFor: 60, staleFor: 300, keepFor: 900 },
    tags: () => [],
    fetch: never,
  })
}

const none = {} as typeof repositoryParams
const page = { limit: number('At most'), offset: number('To skip') }
const lines = { start_line: number('First line'), end_line: number('Last line') }
const file = { path: Type.String({ maxLength: 500 }), ref: text('Branch, tag or commit') }

/** As many types, with as many params, as there are ever meant to be. */
const EVERYTHING: readonly Provider[] = [
  provider('github_repo', {
    include: several('readme', 'languages', 'tree', 'commits', 'releases', 'contributors'),
  }),
  provider('github_issue', {
    issue_number: IssueNumber,
    max_comments: number('Comments'),
    include: several('timeline', 'linked', 'sub_issues'),
  }),
  provider('github_issue_comments', { issue_number: IssueNumber, ...page }),
  provider('github_issues', {
    state: choice('open', 'closed', 'all'),
    labels: texts,
    since: Type.Optional(Timestamp),
    sort: choice('created', 'updated', 'comments'),
    ...page,
  }),
  provider('github_comment', {
    comment_id: IssueNumber,
    kind: choice('issue', 'review', 'commit'),
  }),
  provider('github_pull_request', {
    pull_number: IssueNumber,
    include: several('files', 'patches', 'reviews', 'comments', 'commits', 'checks', 'linked'),
  }),
  provider('github_pull_requests', {
    state: choice('open', 'closed', 'all'),
    base: text('Base'),
    head: text('Head'),
    sort: choice('created', 'updated', 'popularity', 'long-running'),
    ...page,
  }),
  provider('github_pull_request_files', {
    pull_number: IssueNumber,
    paths: texts,
    hunks: texts,
    page: number('Page'),
  }),
  provider('github_file', { ...file, ...lines, match: text('Around it') }),
  provider('github_files', {
    paths: Type.Array(Type.String({ maxLength: 500 }), { maxItems: 50 }),
    ref: text('Ref'),
  }),
  provider('github_tree', {
    path: text('Path'),
    ref: text('Ref'),
    depth: number('Depth'),
    pattern: text('Glob'),
  }),
  provider('github_commits', {
    path: text('Path'),
    ref: text('Ref'),
    since: Type.Optional(Timestamp),
    until: Type.Optional(Timestamp),
    author: text('Login'),
    ...page,
  }),
  provider('github_commit', {
    sha: Type.String({ maxLength: 40 }),
    detail: choice('none', 'stats', 'patch'),
  }),
  provider('github_compare', {
    base: Type.String({ maxLength: 99 }),
    head: Type.String({ maxLength: 99 }),
  }),
  provider(
    'github_code_search',
    { q: Type.String({ maxLength: 256 }), sort: choice('indexed'), limit: number('Limit') },
    none,
  ),
  provider(
    'github_issue_search',
    {
      q: Type.String({ maxLength: 256 }),
      sort: choice('created', 'updated', 'comments'),
      limit: number('Limit'),
    },
    none,
  ),
  provider('github_releases', page),
  provider('github_release', { tag: text('Tag') }),
  provider('github_workflow_run', {
    run_id: text('Id'),
    branch: text('Branch'),
    pull_number: number('Number'),
  }),
  provider('github_discussion', {
    discussion_number: IssueNumber,
    max_comments: number('Comments'),
  }),
  provider('github_discussion_comments', { discussion_number: IssueNumber, ...page }),
  provider('github_discussions', { category: text('Category'), ...page }),
  provider('github_user', { login: text('Login') }, none),
  provider('github_blame', { ...file, ...lines }),
  provider('github_contributors', page),
  provider('docs_search', { q: Type.String({ maxLength: 256 }), limit: number('Limit') }, none),
  provider('docs_page', { path: Type.String({ maxLength: 500 }), ...lines }, none),
]

describe('the list of tools', () => {
  it('costs a conversation at most 3,000 tokens', async () => {
    expect(weigh(await list())).toBeLessThanOrEqual(LIMIT)
    expect(weigh(await list({ writes }))).toBeLessThanOrEqual(LIMIT)
  })

  it('will cost no more with every type there is to be', async () => {
    const all = await list({ providers: EVERYTHING })
    expect(all.length).toBe(EVERYTHING.length + 2)
    const tokens = weigh(all)
    expect(tokens).toBeLessThanOrEqual(LIMIT)
    // The measure is one of something.
    expect(tokens).toBeGreaterThan(LIMIT / 2)
  })

  it('can be narrowed to sets', async () => {
    const all = await list({ writes })
    const lists = await Promise.all(TOOLSETS.map((name) => list({ writes, toolsets: [name] })))
    expect(
      lists
        .flat()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(all.map(({ name }) => name).toSorted())
    const issues = (await list({ writes, toolsets: ['issues'] })).map(({ name }) => name)
    expect(issues).toEqual(
      expect.arrayContaining(['github_issue', 'github_list_issues', 'github_create_issue']),
    )
    expect(issues).not.toContain('github_repo')
  })

  it('puts each type into a set that fits its name', async () => {
    const sets = Object.fromEntries(
      await Promise.all(
        TOOLSETS.map(async (name) => [
          name,
          (await list({ providers: EVERYTHING, toolsets: [name] })).map((tool) => tool.name),
        ]),
      ),
    )
    expect(sets.context).toEqual(
      expect.arrayContaining(['github_context', 'github_repo', 'github_user']),
    )
    expect(sets.pull_requests).toEqual([
      'github_pull_request',
      'github_pull_requests',
      'github_pull_request_files',
      'github_compare',
    ])
    expect(sets.docs).toEqual(['docs_search', 'docs_page'])
    expect(sets.actions).toEqual(['github_workflow_run'])
  })

  it('has the tools that change GitHub only where they are switched on', async () => {
    const names = async (options = {}) => (await list(options)).map(({ name }) => name)
    expect(await names()).not.toEqual(expect.arrayContaining(['github_create_issue']))
    expect(await names({ writes })).toEqual([
      ...(await names()),
      'github_create_issue',
      'github_add_comment',
    ])
  })
})

describe('every tool', async () => {
  const tools = await list({ writes })
  const params = new Map(providers.map((one) => [one.type, one.params]))
  const writing = ['github_create_issue', 'github_add_comment']

  it.each(tools.map((tool) => [tool.name, tool] as const))('%s is well formed', (name, tool) => {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)+$/)
    expect(tool.title).toMatch(/^[A-Z]/)
    expect(tool.description).toMatch(/^[A-Z][^\n]{10,}\.$/)
    expect(tool.description.length).toBeLessThanOrEqual(120)
    expect(tool.inputSchema.type).toBe('object')
    expect(tool.outputSchema).toMatchObject({ type: 'object', required: expect.any(Array) })
    const names = Object.keys(tool.inputSchema.properties)
    expect(names).toEqual(expect.arrayContaining([...(tool.inputSchema.required ?? [])]))
    if (writing.includes(name)) {
      expect(tool.annotations).toMatchObject({
        readOnlyHint: false,
        destructiveHint: true,
        idempotentHint: false,
      })
      expect(names).not.toContain('max_tokens')
    } else {
      expect(tool.annotations).toMatchObject({ readOnlyHint: true, idempotentHint: true })
      expect(names.slice(-2)).toEqual(['max_tokens', 'query'])
    }
    const own = params.get(name)
    if (own) {
      expect(names.slice(0, -2)).toEqual(Object.keys(own.properties))
      expect(tool.inputSchema.required).toEqual(own.required)
    }
  })

  it('tells types and choices of its arguments, and nothing that costs more', () => {
    for (const { inputSchema, name } of tools) {
      for (const schema of Object.values(inputSchema.properties)) {
        const known = ['type', 'enum', 'items', 'default', 'description']
        expect([name, Object.keys(schema).filter((key) => !known.includes(key))]).toEqual([
          name,
          [],
        ])
        expect(['string', 'integer', 'number', 'boolean', 'array']).toContain(schema.type)
      }
    }
    const issues = tools.find(({ name }) => name === 'github_issues')
    expect(issues?.inputSchema.properties).toMatchObject({
      owner: { type: 'string' },
      state: { type: 'string', enum: ['open', 'closed', 'all'] },
      labels: { type: 'array', items: { type: 'string' } },
      limit: { type: 'integer' },
    })
  })

  it('explains budget and query once for all', () => {
    const explained = tools.filter(({ inputSchema }) => inputSchema.properties.max_tokens?.default)
    expect(explained.map(({ name }) => name)).toEqual(['github_context'])
    expect(explained[0]?.inputSchema.properties.max_tokens).toMatchObject({ default: 4000 })
  })
})
