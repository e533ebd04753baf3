import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type ContextRequest, type Problem, startApp } from '../support/app.ts'
import {
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'
import { message, type Rpc } from '../support/mcp/client.ts'

interface Entry {
  readonly context_type: string
  readonly params: { readonly required?: readonly string[] }
  readonly example: ContextRequest
  readonly uri: string
}

const JSON_TYPE = { 'content-type': 'application/json' }

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'open' })
  addRepository(github.world, { owner: 'octo', name: 'shut' })
  addIssue(github.world, 'octo/shut', { title: 'Secret plans' })
  app = await startApp({
    github,
    env: { GITHUB_TOKEN: OCTOCAT_TOKEN, ALLOWED_REPOS: 'octo/open' },
  })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

/** All types that name a repository, with what they would be asked for in one that is not allowed. */
async function shutRequests(): Promise<ContextRequest[]> {
  const { context_types: types } = (await app.get('/mcp/context-types')).json<{
    context_types: Entry[]
  }>()
  const ofRepositories = types.filter(({ params }) => params.required?.includes('repo'))
  expect(ofRepositories.length).toBeGreaterThan(15)
  return ofRepositories.map(({ example }) => ({
    context_type: example.context_type,
    params: { ...example.params, owner: 'Octo', repo: 'Shut' },
  }))
}

async function call(name: string, args: object): Promise<Rpc> {
  const { body, headers } = message('2026-07-28', 'tools/call', { name, arguments: args })
  return (await app.send('POST', '/mcp', headers, JSON.stringify(body))).json<Rpc>()
}

describe('a repository that is not allowed', () => {
  it('is refused for every type and by every door, and GitHub is not asked', async () => {
    const requests = await shutRequests()
    for (const request of requests) {
      const { context_type: type, params } = request
      for (const accept of ['application/json', 'text/markdown', 'text/event-stream']) {
        const answer = await app.post(request, { accept })
        expect([type, answer.status]).toEqual([type, 403])
        expect(answer.json<Problem>().code).toBe('forbidden')
      }
      const pinned = await app.post({ ...request, max_age: 0 })
      expect([type, pinned.status]).toEqual([type, 403])
      const { result } = await call(type, params)
      expect([type, result.isError]).toEqual([type, true])
    }
    const batch = await app.send(
      'POST',
      '/mcp/context/batch',
      JSON_TYPE,
      JSON.stringify({ requests }),
    )
    const { results } = batch.json<{ results: { status: number }[] }>()
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set([403]))
    const made = await app.send('POST', '/mcp/session/create')
    const { session_id: id } = made.json<{ session_id: string }>()
    for (const request of requests) {
      const fetched = await app.send(
        'POST',
        `/mcp/session/${id}/github_context`,
        JSON_TYPE,
        JSON.stringify({ requests: [request] }),
      )
      expect([request.context_type, fetched.status]).toEqual([request.context_type, 403])
    }
    expect(github.requests).toEqual([])
  })

  it('is not found by its address either, whatever its spelling', async () => {
    for (const url of [
      'https://github.com/octo/shut',
      'https://github.com/OCTO/SHUT/issues/1',
      'https://github.com/octo/shut/pull/1/files',
      'https://github.com/octo/shut/blob/main/README.md#L1',
      'https://github.com/octo/open/../shut/issues/1',
      'https://github.com/octo%2Fshut/issues/1',
      'https://github.com/octo/shut%2e/issues/1',
    ]) {
      const answer = await app.get(`/mcp/context?url=${encodeURIComponent(url)}`)
      expect([url, answer.status < 500, answer.status === 200]).toEqual([url, true, false])
    }
    expect(github.requests).toEqual([])
  })

  it.each([
    { owner: 'octo/open', repo: '../../repos/octo/shut' },
    { owner: 'octo', repo: 'open/../shut' },
    { owner: 'octo', repo: 'open%2f..%2fshut' },
    { owner: 'octo/open#', repo: 'shut' },
    { owner: 'octo', repo: 'open?x=/../shut' },
    { owner: 'octo', repo: '..' },
  ])('is not reached by a name that is none: %j', async (params) => {
    const answer = await app.post({ context_type: 'github_repo', params })
    expect([400, 403]).toContain(answer.status)
    expect(github.requests).toEqual([])
  })

  it('is not what an allowed name leads to after it was renamed, nor the other way round', async () => {
    const repo = (name: string) => ({
      context_type: 'github_repo',
      params: { owner: 'octo', repo: name },
    })
    expect((await app.post(repo('open'))).status).toBe(200)
    renameRepository(github.world, 'octo/open', 'taken-away')
    const old = await app.post({ ...repo('open'), max_age: 0 })
    expect(old.json<Problem>()).toMatchObject({ code: 'forbidden', status: 403 })
    expect(old.text).not.toContain('taken-away')
    // A repository that is allowed now, by the name that it had.
    renameRepository(github.world, 'octo/shut', 'open')
    expect((await app.post(repo('shut'))).status).toBe(403)
    expect((await app.post({ ...repo('open'), max_age: 0 })).status).toBe(200)
  })
})

describe('what the service connects to', () => {
  it('is GitHub alone, whatever addresses callers and GitHub name', async () => {
    const reached: string[] = []
    const elsewhere: Server = createServer((request, response) => {
      reached.push(request.url ?? '')
      response.end('{}')
    })
    await new Promise<void>((done) => elsewhere.listen(0, '127.0.0.1', done))
    const { port } = elsewhere.address() as AddressInfo
    const there = `http://127.0.0.1:${port}`
    const { requests } = { requests: await shutRequests() }
    const fields = ['url', 'owner', 'repo', 'path', 'ref', 'query', 'q', 'login']
    for (const { context_type: type, params } of requests) {
      for (const field of fields) {
        const answer = await app.post({
          context_type: type,
          params: { ...params, owner: 'octo', repo: 'open', [field]: `${there}/x` },
        })
        expect(answer.status).toBeLessThan(500)
      }
    }
    for (const address of [
      there,
      `//127.0.0.1:${port}/octo/open`,
      `https://github.com@127.0.0.1:${port}/octo/open`,
    ])
      expect((await app.get(`/mcp/context?url=${encodeURIComponent(address)}`)).status).toBe(400)
    // Headers that some services take for where they should go.
    const misled = {
      host: `127.0.0.1:${port}`,
      forwarded: `host=127.0.0.1:${port}`,
      'x-forwarded-host': `127.0.0.1:${port}`,
      'x-original-url': `${there}/`,
    }
    await app.post({ context_type: 'github_repo', params: { owner: 'octo', repo: 'open' } }, misled)
    github.fault({
      match: '/repos/octo/open*',
      kind: 'status',
      status: 302,
      headers: { location: `${there}/stolen` },
    })
    await app.post({
      context_type: 'github_repo',
      params: { owner: 'octo', repo: 'open' },
      max_age: 0,
    })
    expect(reached).toEqual([])
    elsewhere.close()
  })
})

describe('static headers', () => {
  it('are on every answer, whatever becomes of the request', async () => {
    const { paths } = (await app.get('/openapi.json')).json<{
      paths: Record<string, Record<string, unknown>>
    }>()
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path] as const),
    )
    expect(routes.length).toBeGreaterThan(30)
    const more = [
      ['GET', '/nothing/here'],
      ['PUT', '/health'],
      ['OPTIONS', '/mcp/context'],
      ['GET', '/mcp'],
      ['POST', '/mcp'],
      ['GET', '/docs'],
      ['GET', '/docs/static/index.html'],
      ['GET', '/%E0%A4%A'],
    ] as const
    for (const [method, path] of [...routes, ...more]) {
      const { headers, status } = await app.send(method, path.replaceAll(/[{}]/g, ''))
      expect([method, path, status, headers]).toEqual([
        method,
        path,
        expect.any(Number),
        expect.objectContaining({
          'x-content-type-options': 'nosniff',
          'x-frame-options': expect.stringMatching(/DENY|SAMEORIGIN/),
          'referrer-policy': 'no-referrer',
          'x-request-id': expect.any(String),
        }),
      ])
      expect(headers).not.toHaveProperty('x-powered-by')
      expect(headers).not.toHaveProperty('server')
    }
  })
})
