import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { contractFaults } from '../../../src/context/outside/check.ts'
import { providers } from '../../../src/context/registry.ts'
import type { Provider } from '../../../src/core/provider.ts'
import { blockFields } from '../../../src/core/schemas.ts'
import { createClient, startApp } from '../../support/app.ts'
import { startGitHub } from '../../support/github/index.ts'

const sound = {
  type: 'jira_issue',
  blockType: 'jira_issue',
  title: 'Issue in Jira',
  description: 'An issue of the tracker that the company uses.',
  uri: 'jira://{site}/{key}',
  params: Type.Object(
    {
      site: Type.String({ maxLength: 80, description: 'Name of the site' }),
      key: Type.String({ pattern: '^[A-Z]+-\\d+$', description: 'Key of the issue' }),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 9, default: 5, description: 'Comments at most' }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({ ...blockFields, state: Type.String() }),
  example: { site: 'acme', key: 'ABC-1' },
  data: 'own',
  cache: { freshFor: 60, staleFor: 300, keepFor: 3_600 },
  tags: () => ['jira'],
  fetch: () => Promise.reject(new Error('not asked')),
}
const faultsOf = (change: object, others: readonly Provider[] = []) =>
  contractFaults({ ...sound, ...change }, others)

const param = (schema: object) => ({
  params: Type.Object(
    { ...sound.params.properties, extra: schema as never },
    { additionalProperties: false },
  ),
  example: { ...sound.example, extra: 'x' },
  uri: 'jira://{site}/{key}/{extra}',
})

describe('the contract', () => {
  it('is kept by a sound provider, and by all of the service’s own', () => {
    expect(faultsOf({})).toEqual([])
    const search = { uri: 'jira://find?site={site}&q={text}#top-{key}', params: { key: '{text}' } }
    expect(faultsOf({ pages: ['jira://{site}/{key}#comment-{_}', search] })).toEqual([])
    for (const provider of providers) {
      const others = providers.filter((other) => other !== provider)
      const faults = contractFaults(provider, others)
      // Several of them answer the same kind of block, which is described once.
      expect([provider.type, faults.filter((fault) => !fault.startsWith('blockType'))]).toEqual([
        provider.type,
        [],
      ])
    }
  })

  it.each<[unknown, RegExp]>([
    [null, /^is null, not a provider/],
    ['x', /^is a string, not a provider/],
    [[], /^is an array, not a provider/],
    [() => sound, /^is a function, not a provider/],
  ])('%s is no provider', (candidate, message) => {
    expect(contractFaults(candidate, [])).toEqual([expect.stringMatching(message)])
  })

  it('names all that is missing', () => {
    const faults = contractFaults({}, [])
    const names = faults.map((fault) => /^(\w+) is missing: it must/.exec(fault)?.[1])
    expect(names).toEqual([
      'type',
      'blockType',
      'title',
      'description',
      'uri',
      'params',
      'block',
      'example',
      'cache',
      'tags',
      'fetch',
    ])
  })

  it.each<[string, object, RegExp]>([
    ['a type in camel case', { type: 'jiraIssue' }, /^type must be a name in snake case/],
    ['a type with digits', { type: 'jira2' }, /^type must be/],
    ['a type that is too long', { type: 'a'.repeat(61) }, /^type must be/],
    ['a reserved type', { type: 'github_context' }, /^type github_context is reserved/],
    ['a title of two lines', { title: 'Issue\nin Jira' }, /^title must be one line/],
    ['a short description', { description: 'Issue' }, /^description must be one line/],
    ['a member that is misspelt', { filterd: true }, /^filterd is no part .* mean filtered\?/],
    [
      'a schema that is not of TypeBox',
      { params: { type: 'object' } },
      /^params must be a TypeBox/,
    ],
    [
      'params that take anything',
      { params: Type.Object(sound.params.properties) },
      /^params must refuse .*additionalProperties: false/,
    ],
    ['an example that is not valid', { example: { site: 'acme' } }, /^example is not valid: \/key/],
    [
      'an example with an unknown name',
      { example: { ...sound.example, more: 1 } },
      /^example is not valid: \/more/,
    ],
    ['times that are no numbers', { cache: { freshFor: '1' } }, /^cache must be/],
    [
      'a fresh time past the kept one',
      { cache: { freshFor: 60, staleFor: 60, keepFor: 90 } },
      /^cache must be/,
    ],
    ['a time below zero', { cache: { freshFor: -1, staleFor: 0, keepFor: 0 } }, /^cache must be/],
    ['data of nobody', { data: 'mine' }, /^data must be 'github' or 'own'/],
    ['tags that are no function', { tags: ['jira'] }, /^tags must be a function/],
    ['tags that throw', { tags: ({ no }: { no: string }) => [no.trim()] }, /^tags throws .*trim/],
    ['tags that are no list', { tags: () => 'jira' }, /^tags must answer an array/],
    ['a uri that is no template', { uri: '/jira/{key}' }, /^uri must be a template/],
    ['pages that are no templates', { pages: ['/jira/{key}'] }, /^pages must be templates/],
    [
      'a page with an expression',
      { pages: ['jira://{site}/find?q=.*{key}'] },
      /^pages must be templates/,
    ],
    [
      'a page with params that are no text',
      { pages: [{ uri: 'jira://{site}/{key}', params: { site: 1 } }] },
      /^pages must be templates/,
    ],
    ['a uri with an unknown place', { uri: 'jira://{site}/{key}/{id}' }, /^uri has a place \{id\}/],
    ['a uri that lacks a param', { uri: 'jira://{site}' }, /^uri lacks a place .*\{key\}/],
    ['a uri with a place twice', { uri: 'jira://{site}/{key}/{key}' }, /^uri has a place twice/],
    [
      'a block without the common fields',
      { block: Type.Object({ state: Type.String() }) },
      /^block jira_issue lacks id, title, url, trust, content, tokens/,
    ],
    [
      'a block that refers elsewhere',
      { block: Type.Object({ ...blockFields, x: Type.Ref('Other') }) },
      /^block jira_issue (cannot be compiled|must not have)/,
    ],
    [
      'GitHub’s data without a repository',
      { data: undefined },
      /^params must require owner and repo.*ALLOWED_REPOS/,
    ],
    [
      'a param that is an object',
      param(Type.Object({})),
      /^params\.extra must be a string, an integer/,
    ],
    ['a param that is a number', param(Type.Number()), /^params\.extra must be a string/],
    [
      'a param without a description',
      param(Type.String({ maxLength: 9 })),
      /^params\.extra must have a description/,
    ],
    [
      'a param without bounds',
      param(Type.String({ description: 'More' })),
      /^params\.extra must be bounded/,
    ],
    [
      'a required param with a default',
      param(Type.String({ maxLength: 9, description: 'More', default: 'x' })),
      /^params\.extra has a default, so it must be Type\.Optional/,
    ],
    [
      'a default that is not valid',
      param(Type.Optional(Type.String({ maxLength: 1, description: 'More', default: 'xx' }))),
      /^params\.extra has a default that is not valid/,
    ],
  ])('%s is a fault, in one line', (_name, change, message) => {
    const faults = faultsOf(change)
    expect(faults.some((fault) => message.test(fault))).toBe(true)
    for (const fault of faults) expect(fault).not.toContain('\n')
  })

  it('has no place for a param by the name of an option', () => {
    const properties = { max_tokens: Type.Integer({ minimum: 1, maximum: 2, description: 'Few' }) }
    const params = Type.Object(properties, { additionalProperties: false })
    expect(faultsOf({ params, example: { max_tokens: 1 }, uri: 'jira://{max_tokens}' })).toEqual([
      expect.stringMatching(/^params\.max_tokens has the name of an option/),
    ])
  })

  it('gives each name once', () => {
    const other = sound as unknown as Provider
    expect(faultsOf({}, [other])).toEqual([
      'type jira_issue is taken: choose another name',
      'blockType jira_issue is taken: choose another name',
      'uri jira://{site}/{key} is that of another type',
    ])
    expect(
      faultsOf({ type: 'jira_issue_block', blockType: 'jira', uri: 'jira://x/{site}/{key}' }, [
        other,
      ]),
    ).toEqual(['type jira_issue_block is reserved: choose another name'])
    expect(faultsOf({ type: 'github_issue' }, providers)).toEqual([
      'type github_issue is taken: choose another name',
    ])
  })

  it('keeps the names of tools that are no context types', async () => {
    await using github = await startGitHub()
    await using app = await startApp({ github, env: { ENABLE_WRITES: 'true' } })
    const client = createClient(app.url)
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    const answer = await client.send(
      'POST',
      '/mcp',
      { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      JSON.stringify(call),
    )
    const names = [...answer.text.matchAll(/"name":"(\w+)","title"/g)].map(([, name]) => name ?? '')
    const types = new Set(providers.map(({ type }) => type))
    const others = names.filter((name) => !types.has(name))
    expect(others).toContain('github_context')
    for (const type of others)
      expect(faultsOf({ type })).toEqual([expect.stringMatching(/reserved/)])
    await client.close()
  })
})
