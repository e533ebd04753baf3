import { readFileSync } from 'node:fs'
import { connect as openSocket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countTokens } from '../../src/core/tokens.ts'
import { type App, type Context, startApp } from '../support/app.ts'
import {
  addAccount,
  addComments,
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'
import { call, ERAS, message, type Rpc, rpc, send } from '../support/mcp/client.ts'

const TOKEN = ['ghp', 'mcp'.repeat(12)].join('_')
const REPOSITORY = { owner: 'octo', repo: 'talk' }

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  addAccount(github.world, { login: 'octo', token: TOKEN, limits: { core: 100_000 } })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  const long = addIssue(github.world, 'octo/talk', { title: 'Long talk' })
  addComments(github.world, long, 150, (i) => ({
    body: i === 77 ? 'The needle: the cable was loose.' : `Word ${i}. `.repeat(60),
  }))
  app = await startApp({ github, env: { GITHUB_TOKEN: TOKEN, RATE_LIMIT_MAX: '100000' } })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const textOf = ({ content }: { content: readonly { text: string }[] }) =>
  content.map(({ text }) => text).join('\n')

describe.each(ERAS)('a tool, by %s,', (revision) => {
  const run = async (name: string, args: object) =>
    (await rpc(app, revision, 'tools/call', { name, arguments: args })).result

  it('gives the whole answer, as text and with its structure', async () => {
    const issue = { owner: 'octocat', repo: 'Hello-World', issue_number: 1347 }
    const result = await run('github_issue', issue)
    const answer = await app.context({
      context_type: 'github_issue',
      params: issue,
      max_tokens: 4000,
    })
    expect(result.structuredContent).toEqual(answer)
    expect(result.content).toEqual([{ type: 'text', text: answer.context[0]?.content }])
    expect(result.isError).toBeUndefined()
    expect(result.resultType).toBe(revision === '2026-07-28' ? 'complete' : undefined)
  })

  it('keeps to a budget fit for a conversation, and names what it left out', async () => {
    const result = await run('github_issue', { ...REPOSITORY, issue_number: 1, max_comments: 150 })
    const { omitted, tokens } = result.structuredContent as Context
    expect(tokens).toBeGreaterThan(3_000)
    expect(tokens).toBeLessThanOrEqual(4_000)
    expect(countTokens(result.content[0].text)).toBeLessThanOrEqual(4_000)
    expect(omitted.length).toBeGreaterThan(0)
    expect(result.content[1].text).toMatch(
      /^Left out:\n- comments \(\d+\): max_tokens; call github_issue_comments with \{.*"issue_number":1/,
    )
  })

  it('keeps what the query asks for', async () => {
    const args = { ...REPOSITORY, issue_number: 1, max_comments: 150, max_tokens: 500 }
    expect(textOf(await run('github_issue', args))).not.toContain('cable')
    expect(textOf(await run('github_issue', { ...args, query: 'loose cable' }))).toContain('cable')
  })

  it('that fails says so to the model, with what to do next', async () => {
    const nowhere = await run('github_issue', { ...REPOSITORY, issue_number: 999 })
    expect(nowhere).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: expect.stringMatching(/^GitHub has nothing here/) }],
    })
    expect(nowhere.structuredContent).toBeUndefined()
  })

  it('names each argument that is wrong', async () => {
    const result = await run('github_issue', {
      owner: 'octo',
      repo: 'talk',
      issue_nr: 1,
      max_tokens: 1,
    })
    expect(result.isError).toBe(true)
    expect(textOf(result)).toMatch(/^max_tokens: /)
    const names = await run('github_issue', { owner: '-', repo: 'talk', issue_nr: 1 })
    expect(textOf(names).split('\n')).toEqual([
      expect.stringMatching(/^issue_number: is required\. Number of the issue/),
      expect.stringMatching(
        /^issue_nr: is not a parameter of github_issue; did you mean "issue_number"\?/,
      ),
      expect.stringMatching(/^owner: does not have the right form/),
    ])
  })

  it('that there is not is an error of the protocol, with the nearest name', async () => {
    const { error } = await rpc(app, revision, 'tools/call', { name: 'github_isue' })
    expect(error).toMatchObject({ code: -32602, message: expect.stringMatching(/github_issue\?$/) })
    const faulty = { name: 'github_issue', arguments: [1] }
    expect((await rpc(app, revision, 'tools/call', faulty)).error?.code).toBe(-32602)
  })
})

describe('a repository', () => {
  const idOf = async (name: string, args: object) => {
    const result = await call(app, name, args as Record<string, unknown>)
    return result.isError ? textOf(result) : result.structuredContent.context_id
  }

  it('may be written in one, as models like to', async () => {
    const usual = await idOf('github_issue', { ...REPOSITORY, issue_number: 1 })
    for (const named of [
      { repo: 'octo/talk' },
      { repository: 'octo/talk' },
      { repository: 'Octo/Talk', repo: 'talk' },
    ]) {
      expect(await idOf('github_issue', { ...named, issue_number: '1' })).toBe(usual)
    }
    const twice = { repository: 'octo/talk/issues', issue_number: 1 }
    expect(await idOf('github_issue', twice)).toBe('repository: must be owner/repo')
  })

  it('of github_list_issues comes as owner/repo or in two', async () => {
    const listed = { ...REPOSITORY, state: 'all', limit: 5 }
    const id = await idOf('github_issues', listed)
    const { owner: _owner, repo: _repo, ...others } = listed
    expect(await idOf('github_list_issues', { repository: 'octo/talk', ...others })).toBe(id)
    expect(await idOf('github_list_issues', listed)).toBe(id)
    expect(await idOf('github_list_issues', others)).toMatch(/^repository: is required/)
    expect(await idOf('github_list_issues', { ...listed, limit: 101 })).toMatch(/^limit: /)
  })
})

describe('github_context', () => {
  it('finds what an address shows', async () => {
    const url = 'https://github.com/octo/talk/issues/1'
    const { structuredContent } = await call(app, 'github_context', { url, max_tokens: 800 })
    expect(structuredContent.context[0].id).toBe('github_issue:octo/talk#1')
    expect(structuredContent.tokens).toBeLessThanOrEqual(800)
  })

  it('says what is wrong with what it gets', async () => {
    const said = async (args: object) =>
      textOf(await call(app, 'github_context', args as Record<string, unknown>))
    expect(await said({})).toMatch(/^url: is required/)
    expect(await said({ url: 'https://gitlab.com/a/b' })).toMatch(/^url: is not the address/)
    expect(await said({ url: 'https://github.com/octo/talk', repo: 'x' })).toMatch(
      /^repo: is not a parameter/,
    )
  })
})

describe('a long fetch', () => {
  const slow = { name: 'github_issue', arguments: { ...REPOSITORY, issue_number: 1 } }
  const DELAY = 1_500

  it.each(ERAS)(
    'is told of where a client of %s asks for it, and then answers',
    async (revision) => {
      await using fresh = await startApp({ github, env: { GITHUB_TOKEN: TOKEN } })
      github.fault({ match: /issues\/1/, kind: 'delay', ms: DELAY })
      const params = { ...slow, _meta: { progressToken: 'p1' } }
      const answer = await send(fresh, revision, 'tools/call', params)
      github.clearFaults()
      expect(answer.headers['content-type']).toBe('text/event-stream')
      expect(answer.headers['x-request-id']).toBeDefined()
      const events = answer.text.trim().split('\n\n').map(eventOf)
      const last = events.pop() as Rpc
      expect(last).toMatchObject({
        id: 1,
        result: { structuredContent: { tokens: expect.any(Number) } },
      })
      expect(events.length).toBeGreaterThan(0)
      expect(events.map((event) => event)).toEqual(
        events.map((_, index) => ({
          jsonrpc: '2.0',
          method: 'notifications/progress',
          params: { progressToken: 'p1', progress: index + 1, message: expect.any(String) },
        })),
      )
    },
  )

  it('is not told of where nobody asks, or takes no streams, or it is quick', async () => {
    const type = async (params: object, headers = {}) => {
      const answer = await send(app, '2026-07-28', 'tools/call', { ...slow, ...params }, headers)
      return answer.headers['content-type']
    }
    const json = 'application/json; charset=utf-8'
    const asks = { _meta: { progressToken: 1 } }
    expect(await type(asks)).toBe(json)
    await using fresh = await startApp({ github, env: { GITHUB_TOKEN: TOKEN } })
    github.fault({ match: /issues\/1/, kind: 'delay', ms: DELAY, times: 4 })
    const answers = await Promise.all([
      send(fresh, '2026-07-28', 'tools/call', slow),
      send(fresh, '2026-07-28', 'tools/call', { ...slow, ...asks }, { accept: 'application/json' }),
    ])
    github.clearFaults()
    expect(answers.map(({ headers }) => headers['content-type'])).toEqual([json, json])
  })

  it('is ended with the connection of the one who waits for it', async () => {
    await using fresh = await startApp({ github, env: { GITHUB_TOKEN: TOKEN } })
    github.resetCounts()
    github.fault({ match: /issues\/1/, kind: 'hang' })
    const { body, headers } = message('2026-07-28', 'tools/call', slow)
    const text = JSON.stringify(body)
    const { hostname, port } = new URL(fresh.url)
    const socket = openSocket(Number(port), hostname)
    const lines = { ...headers, host: 'localhost', 'content-length': String(text.length) }
    socket.write(
      `POST /mcp HTTP/1.1\r\n${Object.entries(lines)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}\r\n${text}`,
    )
    await expect.poll(() => github.count()).toBeGreaterThan(0)
    socket.destroy()
    // Calls to GitHub without an answer, ended long before their own time is over.
    const ended = async () => (await fresh.get('/metrics')).text
    const given = /github_call_duration_seconds_count\{resource="core",status="0"\} 2/
    await expect.poll(ended, { timeout: 5_000 }).toMatch(given)
    github.clearFaults()
  })
})

const eventOf = (text: string) => {
  const [, data = ''] = /^event: message\ndata: (.*)$/s.exec(text) ?? []
  return JSON.parse(data) as object
}

it('a caller’s own token is the only one that GitHub is asked with', async () => {
  await using own = await startApp({ github, env: { ALLOW_CALLER_TOKENS: 'true' } })
  github.resetCounts()
  const args = { owner: 'octocat', repo: 'Hello-World' }
  const result = await call(own, 'github_repo', args, { 'x-github-token': OCTOCAT_TOKEN })
  expect(result.isError).toBeUndefined()
  expect(new Set(github.requests.map(({ principal }) => principal))).toEqual(new Set(['octocat']))
  const refused = await call(app, 'github_repo', args, { 'x-github-token': OCTOCAT_TOKEN })
  expect(textOf(refused)).toMatch(/takes no tokens from callers/)
})

it('the allowlist is heeded by every tool', async () => {
  await using narrow = await startApp({ github, env: { ALLOWED_REPOS: 'octo/other' } })
  github.resetCounts()
  const url = 'https://github.com/octo/talk'
  for (const result of [
    await call(narrow, 'github_repo', REPOSITORY),
    await call(narrow, 'github_context', { url }),
    await call(narrow, 'github_list_issues', { repository: 'octo/talk' }),
  ]) {
    expect(textOf(result)).toMatch(/ALLOWED_REPOS/)
  }
  expect(github.count()).toBe(0)
})

it('what nobody foresaw stays unexplained to the model, and is logged', async () => {
  const engine = { get: () => Promise.reject(new Error('a secret of ours')) }
  const { createDoor } = await import('../../src/mcp/door.ts')
  const { compileContracts } = await import('../../src/context/request/contract.ts')
  const { providers } = await import('../../src/context/registry.ts')
  const seen: unknown[] = []
  const server = createDoor({
    info: { name: 'test', version: '1' },
    contracts: compileContracts(providers),
    engine: engine as never,
    locate: () => ({ type: 'github_repo', params: {} }),
    now: Date.now,
    ownAccount: false,
    toolsets: [],
    watch: () => () => {},
    writes: undefined,
    ending: new AbortController().signal,
    connected: false,
    onError: (error) => seen.push(error),
  })
  const hosts = { loopback: true, hosts: [], origins: [] }
  await using broken = await startApp({ github, replace: { mcp: { server, hosts } } })
  const failed = await call(broken, 'github_repo', REPOSITORY)
  expect(failed).toEqual(expect.objectContaining({ isError: true }))
  expect(textOf(failed)).toBe('Something failed here. Report the request id to the operator.')
  const { error } = await rpc(broken, '2026-07-28', 'resources/read', { uri: 'github://octo/talk' })
  expect(error).toMatchObject({ code: -32603, message: expect.stringMatching(/^Something failed/) })
  expect(seen.map(String)).toEqual(['Error: a secret of ours', 'Error: a secret of ours'])
})

it('the version that is told is the package’s', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const { result } = await rpc(app, '2026-07-28', 'tools/list')
  expect(result._meta['io.modelcontextprotocol/serverInfo'].version).toBe(version)
})
