import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startApp } from '../support/app.ts'
import {
  addAccount,
  addIssue,
  addRepository,
  type GitHub,
  startGitHub,
} from '../support/github/index.ts'
import { ERAS, message } from '../support/mcp/client.ts'
import { type StdioProcess, startStdio } from '../support/mcp/stdio.ts'
import { startProcess } from '../support/process.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { deliver } from '../support/webhooks.ts'

const TOKEN = ['ghp', 'std'.repeat(12)].join('_')
const SECRET = 'a webhook secret'
const uri = 'github://octo/talk/issues/1'

let github: GitHub
let redis: RedisServer
beforeAll(async () => {
  github = await startGitHub()
  redis = await startRedis()
  addAccount(github.world, { login: 'octo', token: TOKEN })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  addIssue(github.world, 'octo/talk', { title: 'First words' })
})
afterAll(async () => {
  await redis.close()
  await github.close()
})

afterEach(() => github.clearFaults())

/** For processes that start on a busy machine. */
const PATIENT = { timeout: 60_000 }
const env = () => ({ GITHUB_API_URL: github.url, GITHUB_TOKEN: TOKEN, LOG_LEVEL: 'info' })
const request = (id: number, method: string, params: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
})
const answerTo = (process: StdioProcess, id: unknown) => process.read((one) => one.id === id)
const initialize = request(1, 'initialize', {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'old', version: '1' },
})
const callIssue = { name: 'github_issue', arguments: { repo: 'octo/talk', issue_number: 1 } }

describe('the process', () => {
  it.each(ERAS)('answers on stdout, by %s, and says nothing else there', async (revision) => {
    await using process = startStdio(env())
    process.write(initialize)
    process.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
    const { body } = message(revision, 'tools/call', callIssue)
    process.write({ ...body, id: 'x' })
    const { result } = await answerTo(process, 'x')
    expect(result.content[0].text).toContain('First words')
    expect(result.resultType).toBe(revision === '2026-07-28' ? 'complete' : undefined)
    expect((await answerTo(process, 1)).result.capabilities.resources).toEqual({ subscribe: true })
    for (const line of process.lines) expect(JSON.parse(line).jsonrpc).toBe('2.0')
    expect(process.lines.length).toBe(2)
  })

  it('writes one line on stderr for each request, with what came of it and GitHub’s ids', async () => {
    await using process = startStdio(env())
    const calls = [
      ['a', callIssue],
      ['b', callIssue],
      ['c', { name: 'github_issue', arguments: { repo: 'octo/talk', issue_number: 999 } }],
      ['d', { name: 'no such "tool"\n' }],
    ] as const
    for (const [id, params] of calls) {
      process.write({ ...request(1, 'tools/call', params), id })
      await answerTo(process, id)
    }
    process.end()
    expect(await process.exited).toBe(0)
    const lines = process.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const told = lines.filter(({ route }) => route === 'stdio')
    const line = { level: 30, method: 'tools/call', status: 200, duration_ms: expect.any(Number) }
    expect(told).toMatchObject([
      { ...line, request_id: 'a', type: 'github_issue', outcome: 'miss', upstream_calls: 2 },
      { ...line, request_id: 'b', type: 'github_issue', outcome: 'hit', upstream_calls: 0 },
      { ...line, request_id: 'c', type: 'github_issue', outcome: 'not_found' },
      { ...line, request_id: 'd', type: 'tools/call', upstream_calls: 0 },
    ])
    expect(told[0].github).toEqual([200, 200].map((status) => ({ status, id: expect.any(String) })))
    expect(process.stderr).not.toContain('no such')
    expect(process.stderr).not.toContain(TOKEN)
  })

  it('answers all that was asked before its input ended, then ends', async () => {
    await using process = startStdio(env())
    process.write(request(1, 'tools/call', callIssue))
    process.write(request(2, 'ping'))
    process.end()
    expect(await process.exited).toBe(0)
    expect(process.lines.map((line) => JSON.parse(line).id).toSorted()).toEqual([1, 2])
  })

  it('ends on SIGTERM, and with subscriptions too', async () => {
    for (const ends of ['signal', 'input'] as const) {
      await using process = startStdio(env())
      const { body } = message('2026-07-28', 'subscriptions/listen', {
        notifications: { resourceSubscriptions: [uri] },
      })
      process.write(body)
      await process.read(({ method }) => method === 'notifications/subscriptions/acknowledged')
      if (ends === 'signal') process.signal('SIGTERM')
      else process.end()
      expect(await process.exited).toBe(0)
    }
  })

  it('survives what is no message', async () => {
    await using process = startStdio(env())
    for (const text of [
      '{ not json',
      '',
      '"text"',
      '[]',
      '{"jsonrpc":"2.0","id":5,"method":"none"}',
    ])
      process.write(text)
    process.write([request(8, 'ping'), { jsonrpc: '2.0', method: 'notifications/initialized' }])
    process.write(request(9, 'ping'))
    expect((await answerTo(process, 9)).result).toEqual({})
    expect((await answerTo(process, 8)).result).toEqual({})
    const codes = process.lines.map((line) => JSON.parse(line).error?.code)
    expect(codes).toEqual([-32700, -32600, -32601, undefined, undefined])
  })

  it('leaves what is cancelled without an answer, and stops asking GitHub', async () => {
    await using process = startStdio({ ...env(), GITHUB_TIMEOUT_MS: '120000' })
    github.resetCounts()
    github.fault({ match: /issues\/1/, kind: 'hang' })
    process.write(request(1, 'tools/call', callIssue))
    await expect.poll(() => github.count({ path: /issues\/1/ }), PATIENT).toBeGreaterThan(0)
    process.write({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
    process.end()
    // Long before GitHub's time for an answer is over: nothing runs any more.
    expect(await process.exited).toBe(0)
    expect(process.lines).toEqual([])
  })

  it('says what is wrong with its configuration, in one line for each fault', async () => {
    await using process = startStdio({ ...env(), GITHUB_TIMEOUT_MS: 'soon', REDIS_URL: 'x' })
    expect(await process.exited).toBe(1)
    expect(process.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^Configuration: GITHUB_TIMEOUT_MS/),
      expect.stringMatching(/^Configuration: REDIS_URL/),
    ])
    expect(process.lines).toEqual([])
  })

  it('serves all the same when GitHub refuses the credential, and says so', async () => {
    await using process = startStdio({ ...env(), GITHUB_TOKEN: ['ghp', 'wrong'].join('_') })
    process.write(request(1, 'tools/call', callIssue))
    const { result } = await answerTo(process, 1)
    expect(result).toMatchObject({ isError: true })
    expect(result.content[0].text).toMatch(/check GITHUB_TOKEN/)
    await expect.poll(() => process.stderr, PATIENT).toContain('check GITHUB_TOKEN')
    expect(process.stderr).not.toContain('ghp_wrong')
  })
})

describe('a subscription over stdio', () => {
  it.each(ERAS)('by %s hears of webhooks that a replica took', async (revision) => {
    const shared = { REDIS_URL: redis.url, GITHUB_WEBHOOK_SECRET: SECRET }
    await using replica = await startApp({ github, env: { ...env(), ...shared } })
    await using process = startStdio({ ...env(), ...shared })
    const modern = revision === '2026-07-28'
    const { body } = modern
      ? message(revision, 'subscriptions/listen', {
          notifications: { resourceSubscriptions: [uri] },
        })
      : message(revision, 'resources/subscribe', { uri })
    process.write({ ...body, id: 7 })
    await process.read(({ id, method }) => (modern ? method !== undefined : id === 7))
    const payload = {
      action: 'edited',
      repository: { full_name: 'octo/talk' },
      issue: { number: 1 },
    }
    expect((await deliver(replica, 'issues', payload, SECRET)).status).toBe(202)
    const updated = await process.read(({ method }) => method === 'notifications/resources/updated')
    expect(updated.params).toEqual(
      modern ? { _meta: { 'io.modelcontextprotocol/subscriptionId': 7 }, uri } : { uri },
    )
  })

  it('of before can be ended, and is only of what there is', async () => {
    await using process = startStdio(env())
    process.write(request(1, 'resources/subscribe', { uri: 'github://octo/talk/issues/99' }))
    expect((await answerTo(process, 1)).error).toMatchObject({ code: -32002 })
    process.write(request(2, 'resources/subscribe', { uri }))
    expect((await answerTo(process, 2)).result).toEqual({})
    process.write(request(3, 'resources/unsubscribe', { uri }))
    expect((await answerTo(process, 3)).result).toEqual({})
    process.write(request(4, 'resources/unsubscribe', {}))
    expect((await answerTo(process, 4)).error?.code).toBe(-32602)
  })
})

it('the HTTP process ends on SIGTERM although clients listen, and tells them', async () => {
  await using service = startProcess({ env: { ...env(), PORT: '0' } })
  const url = await service.url
  const { body, headers } = message('2026-07-28', 'subscriptions/listen', {
    notifications: { resourceSubscriptions: [uri] },
  })
  const request = { method: 'POST', headers: { ...headers }, body: JSON.stringify(body) }
  const answer = await fetch(`${url}/mcp`, request)
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  service.signal('SIGTERM')
  const events = (await answer.text()).trim().split('\n\n')
  expect(events[0]).toContain('acknowledged')
  expect(events.at(-1)).toContain('"resultType":"complete"')
  expect((await service.exited).code).toBe(0)
  expect(service.stdout).not.toContain('killed by timeout')
})

describe('the command', () => {
  const bin = resolve(import.meta.dirname, '../../bin/stdio.js')

  it('starts the Node that it brings where the client has an older one', async () => {
    const old = 'Object.defineProperty(process,"versions",{value:{node:"20.1.0"}})'
    const command = [process.execPath, '--import', `data:text/javascript,${old}`, bin]
    await using client = startStdio(env(), command)
    client.write(request(1, 'ping'))
    expect((await answerTo(client, 1)).result).toEqual({})
    client.signal('SIGTERM')
    expect(await client.exited).toBe(0)
  })

  it('works from a checkout and where it is installed as a package', async () => {
    const root = resolve(import.meta.dirname, '../..')
    const folder = await mkdtemp(join(tmpdir(), 'installed-'))
    try {
      const modules = join(folder, 'node_modules')
      const installed = join(modules, 'github-context-service')
      await mkdir(installed, { recursive: true })
      for (const name of ['bin', 'src', 'package.json'])
        await cp(join(root, name), join(installed, name), { recursive: true })
      for (const name of await readdir(join(root, 'node_modules')))
        await symlink(join(root, 'node_modules', name), join(modules, name))
      for (const home of [root, installed]) {
        const command = [process.execPath, join(home, 'bin/stdio.js')]
        await using client = startStdio(env(), command, folder)
        client.write(request(1, 'tools/call', callIssue))
        expect((await answerTo(client, 1)).result.content[0].text).toContain('First words')
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
