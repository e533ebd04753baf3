import { Type } from '@sinclair/typebox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { providers } from '../../src/context/registry.ts'
import type { Provider } from '../../src/core/provider.ts'
import { type App, startApp } from '../support/app.ts'
import {
  addAccount,
  addFiles,
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'
import { ERAS, type Revision, rpc } from '../support/mcp/client.ts'
import { ask, testDoor } from '../support/mcp/door.ts'

const TOKEN = ['ghp', 'own'.repeat(12)].join('_')

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  const { world } = github
  addAccount(world, { login: 'octo', token: TOKEN, limits: { core: 100_000 } })
  addRepository(world, { owner: 'octo', name: 'talk', description: 'Where we talk' })
  addRepository(world, { owner: 'octo', name: 'hidden', private: true })
  addRepository(world, { owner: 'acme', name: 'shared', private: true, readers: ['octo'] })
  addRepository(world, { owner: 'acme', name: 'open' })
  addRepository(world, { owner: 'acme', name: 'closed', private: true })
  addIssue(world, 'octo/talk', { title: 'First words' })
  addIssue(world, 'octo/hidden', { title: 'A secret' })
  addFiles(world, 'octo/talk', { 'src/main.ts': '1', 'src/lib/one.ts': '1', 'readme.md': 'Hi' })
  for (const branch of ['main-2', 'feature/one', 'feature/two'])
    addFiles(world, 'octo/talk', { 'x.txt': branch }, { branch })
  app = await startApp({ github, env: { GITHUB_TOKEN: TOKEN, RATE_LIMIT_MAX: '100000' } })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const read = (uri: string, revision: Revision = '2026-07-28', on = app) =>
  rpc(on, revision, 'resources/read', { uri })

describe.each(ERAS)('by %s', (revision) => {
  it('every addressable type has a template', async () => {
    const { result } = await rpc(app, revision, 'resources/templates/list')
    const templates = result.resourceTemplates as { uriTemplate: string; name: string }[]
    expect(templates.map(({ name, uriTemplate }) => [name, uriTemplate])).toEqual(
      providers
        .filter(({ params: { required = [] }, uri }) =>
          required.every((name: string) => uri.includes(`${name}}`)),
        )
        .map(({ type, uri }) => [type, uri]),
    )
    expect(templates.length).toBeGreaterThan(5)
    const hints = { ttlMs: result.ttlMs, cacheScope: result.cacheScope }
    expect(hints).toEqual(revision === '2026-07-28' ? { ttlMs: 300_000, cacheScope: 'public' } : {})
  })

  it('a resource is the text of its context', async () => {
    const uri = 'github://octo/talk/issues/1'
    const { result } = await read(uri, revision)
    const params = { owner: 'octo', repo: 'talk', issue_number: 1 }
    const [block] = (await app.context({ context_type: 'github_issue', params })).context
    expect(result.contents).toEqual([{ uri, mimeType: 'text/markdown', text: block?.content }])
  })

  it('one that there is not is the protocol’s error, with its address', async () => {
    for (const uri of [
      'github://octo/talk/issues/999',
      'github://octo/talk/issues/none',
      'github://octo/talk/nothing/of/that',
      'github://octo/%zz',
      'github://octo/talk?unknown=1',
      'https://github.com/octo/talk',
    ]) {
      const { error } = await read(uri, revision)
      expect([uri, error?.code]).toEqual([uri, revision === '2026-07-28' ? -32602 : -32002])
      expect(error?.data).toEqual({ uri })
    }
    expect((await rpc(app, revision, 'resources/read', {})).error?.code).toBe(-32602)
  })
})

describe('a resource', () => {
  it('says for how long it stays as good, by its type’s policy', async () => {
    const { ttlMs, cacheScope } = (await read('github://octo/talk')).result
    expect(cacheScope).toBe('private')
    expect(ttlMs).toBeGreaterThan(200_000)
    expect(ttlMs).toBeLessThanOrEqual(330_000)
    const issue = (await read('github://octo/talk/issues/1')).result
    expect(issue.ttlMs).toBeGreaterThan(1_000)
    expect(issue.ttlMs).toBeLessThanOrEqual(66_000)
  })

  it('may be narrowed by a query, as the GET form of its type', async () => {
    const whole = (await read('github://octo/talk/issues?state=all')).result.contents[0].text
    expect(whole).toContain('First words')
    const closed = (await read('github://octo/talk/issues?state=closed')).result.contents[0].text
    expect(closed).not.toContain('First words')
    expect((await read('github://octo/talk/issues/1?max_tokens=99')).error?.message).toMatch(
      /max_tokens/,
    )
  })

  it('of others than the credential may read is not there', async () => {
    expect((await read('github://octo/hidden/issues/1')).result.contents[0].text).toMatch(/secret/)
    expect((await read('github://acme/closed')).error?.code).toBe(-32602)
    await using narrow = await startApp({ github, env: { ALLOWED_REPOS: 'acme/open' } })
    const { error } = await read('github://octo/talk', '2026-07-28', narrow)
    expect(error).toMatchObject({ code: -32000, data: { code: 'forbidden' } })
  })
})

describe('own resources', () => {
  it('are listed', async () => {
    const { result } = await rpc(app, '2026-07-28', 'resources/list')
    const uris = result.resources.map(({ uri }: { uri: string }) => uri)
    expect(uris).toEqual(['github://user/profile', 'github://repos'])
  })

  it('begin with the account itself', async () => {
    const { text } = (await read('github://user/profile')).result.contents[0]
    expect(text).toContain('https://github.com/octo')
    const { text: other } = (await read('github://octocat')).result.contents[0]
    expect(other).toContain('https://github.com/octocat')
  })

  it('are those of the service’s account', async () => {
    const { text } = (await read('github://repos')).result.contents[0]
    expect(text).toMatch(/^# Own repositories/)
    for (const name of ['octo/talk', 'octo/hidden', 'acme/shared', 'Where we talk'])
      expect(text).toContain(name)
    expect(text).not.toContain('acme/open')
  })

  it('are only what the allowlist lets through', async () => {
    const env = { GITHUB_TOKEN: TOKEN, ALLOWED_REPOS: 'octo/talk' }
    await using narrow = await startApp({ github, env })
    const { text } = (await read('github://repos', '2026-07-28', narrow)).result.contents[0]
    expect(text).toContain('octo/talk')
    expect(text).not.toMatch(/hidden|acme/)
  })

  it('are the caller’s where a token of the caller’s own is sent', async () => {
    await using own = await startApp({ github, env: { ALLOW_CALLER_TOKENS: 'true' } })
    const headers = { 'x-github-token': OCTOCAT_TOKEN }
    const uri = 'github://repos'
    const { result } = await rpc(own, '2026-07-28', 'resources/read', { uri }, headers)
    expect(result.contents[0].text).toContain('octocat/Hello-World')
    github.resetCounts()
    const listed = await rpc(own, '2026-07-28', 'resources/list', {}, headers)
    expect(listed.result).toMatchObject({ resources: [{}, { uri }], cacheScope: 'private' })
    expect((await rpc(own, '2026-07-28', 'resources/list')).result.resources).toEqual([])
    const { error } = await rpc(own, '2026-07-28', 'resources/read', { uri })
    expect(error).toMatchObject({ message: expect.stringContaining('GITHUB_TOKEN') })
    // GitHub’s refusal would be held against everything that was read without a credential.
    expect(github.count()).toBe(0)
  })
})

describe('completion', () => {
  const template = 'github://{owner}/{repo}/issues/{issue_number}'
  const complete = async (
    name: string,
    value: string,
    given: Record<string, string> = {},
    ref: object = { type: 'ref/resource', uri: template },
    on = app,
  ) => {
    const argument = { name, value }
    const context = { arguments: given }
    const { result, error } = await rpc(on, '2026-07-28', 'completion/complete', {
      ref,
      argument,
      context,
    })
    return error ? error.code : result.completion
  }

  it('knows owners and repositories, those of one’s own first', async () => {
    expect(await complete('owner', '')).toEqual({
      values: ['octo', 'acme'],
      total: 2,
      hasMore: false,
    })
    expect((await complete('owner', 'AC')).values).toEqual(['acme'])
    expect((await complete('repo', '', { owner: 'acme' })).values).toEqual(['shared', 'open'])
    expect((await complete('repo', 't', { owner: 'octo' })).values).toEqual(['talk'])
    expect((await complete('repo', '')).values).toEqual([])
  })

  it('knows branches and paths', async () => {
    const at = { owner: 'octo', repo: 'talk' }
    const branches = await completeBy('ref', 'feature/', at)
    expect(branches).toEqual(['feature/one', 'feature/two'])
    expect((await completeBy('ref', '', at)).length).toBe(4)
    expect(await completeBy('path', '', at)).toEqual(['readme.md', 'src/'])
    expect(await completeBy('path', 'src/', at)).toEqual(['src/lib/', 'src/main.ts'])
    expect(await completeBy('path', 'src/m', { ...at, ref: 'main-2' })).toEqual([])
    expect(await completeBy('path', 'none/', at)).toEqual([])
  })

  /** By the template of files, with the real app behind it. */
  const completeBy = async (name: string, value: string, given: Record<string, string>) => {
    const uri = 'github://{owner}/{repo}/blob/{ref}/{+path}'
    return (await complete(name, value, given, { type: 'ref/resource', uri })).values
  }

  it('knows what a schema lets one choose from', async () => {
    const state = Type.Union([Type.Literal('open'), Type.Literal('closed')])
    const params = Type.Object({ state }, { additionalProperties: false })
    const [first] = providers
    const door = testDoor({ providers: [{ ...first, params, uri: 'test://{state}' } as Provider] })
    const ref = { type: 'ref/resource', uri: 'test://{state}' }
    const argument = { name: 'state', value: 'C' }
    const { result } = await ask(door, 'completion/complete', { ref, argument })
    expect(result.completion).toEqual({ values: ['closed'], total: 1, hasMore: false })
  })

  it('refuses what there is nothing to complete of', async () => {
    expect(await complete('none', '')).toBe(-32602)
    expect(await complete('owner', '', {}, { type: 'ref/resource', uri: 'no://such' })).toBe(-32602)
    expect(await complete('owner', '', {}, { type: 'ref/prompt', name: 'none' })).toBe(-32602)
    expect((await rpc(app, '2026-07-28', 'completion/complete', { ref: {} })).error?.code).toBe(
      -32602,
    )
  })

  it('asks GitHub nothing that it would refuse', async () => {
    await using nobody = await startApp({ github })
    github.resetCounts()
    expect((await complete('owner', '', {}, undefined, nobody)).values).toEqual([])
    expect(github.count()).toBe(0)
    expect((await complete('repo', '', { owner: 'acme' }, undefined, nobody)).values).toEqual([
      'open',
    ])
  })
})
