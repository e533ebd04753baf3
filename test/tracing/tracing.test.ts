import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFairLoop } from '../../src/core/fairLoop.ts'
import type { AppOptions } from '../../src/http/app.ts'
import { type App, startApp } from '../support/app.ts'
import { type CollectedSpan, type Collector, startCollector } from '../support/collector.ts'
import {
  addApp,
  addInstallation,
  addRepository,
  appKeyPair,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'

const [SERVER, INTERNAL, CLIENT] = [2, 1, 3]
const FAILED = 2
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const CALLER = 'b7ad6b7169203331'
const traceparent = `00-${TRACE}-${CALLER}-01`
const KEY = `ann-${'key-'.repeat(4)}`
const repo = { context_type: 'github_repo', params: { owner: 'octocat', repo: 'Hello-World' } }

let github: GitHub
let collector: Collector
beforeEach(async () => {
  github = await startGitHub()
  collector = await startCollector()
})
afterEach(async () => {
  await collector[Symbol.asyncDispose]()
  await github.close()
})

const start = (env: Record<string, string> = {}, replace: Partial<AppOptions> = {}) =>
  startApp({
    github,
    replace,
    env: {
      GITHUB_TOKEN: OCTOCAT_TOKEN,
      API_KEYS: `ann:${KEY}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      ...env,
    },
  })

const headers = (more: Record<string, string> = {}) => ({ 'x-api-key': KEY, ...more })

/** By the names of their parents, after the app has delivered what it had. */
async function tree(app: App): Promise<Record<string, CollectedSpan & { parent: string }>> {
  await app.close()
  const names = new Map(collector.spans.map(({ name, spanId }) => [spanId, name]))
  return Object.fromEntries(
    collector.spans.map((span) => {
      const parent = names.get(span.parentSpanId ?? '') ?? span.parentSpanId ?? 'none'
      return [span.name, { ...span, parent }]
    }),
  )
}

describe('a request', () => {
  it('begins when it comes, however long it waits for the event loop then', async () => {
    const fairLoop = createFairLoop()
    const WAIT = 40
    const run = (_caller: string, work: () => void) => void setTimeout(work, WAIT)
    const app = await start({}, { fairLoop: Object.assign(Object.create(fairLoop), { run }) })
    // A caller that the door knows, and before that one that it does not.
    await app.get('/mcp/context/github_repo?owner=octocat&repo=Hello-World', headers())
    await app.post(repo, headers())
    const { 'POST /mcp/context': request } = await tree(app)
    const { endTimeUnixNano = 0, startTimeUnixNano = 0 } = request ?? {}
    expect(Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6).toBeGreaterThan(
      WAIT - 2,
    )
  })

  it('is part of its caller’s trace, with the cache and each call to GitHub as its parts', async () => {
    const app = await start()
    await app.post(repo, headers({ traceparent, tracestate: 'vendor=1', 'x-request-id': 'r-1' }))
    const { 'POST /mcp/context': request, cache, GET: call } = await tree(app)
    expect(collector.spans.every(({ traceId }) => traceId === TRACE)).toBe(true)
    expect(request).toMatchObject({
      kind: SERVER,
      parentSpanId: CALLER,
      traceState: 'vendor=1',
      status: {},
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/mcp/context',
        'http.response.status_code': 200,
        context_type: 'github_repo',
        'cache.outcome': 'miss',
        'github.calls': github.count(),
        request_id: 'r-1',
      },
    })
    expect(cache).toMatchObject({
      kind: INTERNAL,
      parent: 'POST /mcp/context',
      attributes: { context_type: 'github_repo', 'cache.outcome': 'miss' },
    })
    expect(collector.spans.filter(({ name }) => name === 'GET')).toHaveLength(github.count())
    expect(call).toMatchObject({
      kind: CLIENT,
      parent: 'cache',
      attributes: {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'server.address': new URL(github.url).host,
        'url.full': expect.stringMatching(/\/repos\/octocat\/Hello-World[^?]*$/i),
        'github.ratelimit_resource': 'core',
        'github.request_id': expect.stringMatching(/\S+/),
      },
    })
    expect(collector.resources[0]).toMatchObject({ 'service.name': 'github-context-service' })
  })

  it('has nothing more than itself where memory has the answer', async () => {
    const app = await start()
    await app.post(repo, headers())
    await app.post(repo, headers({ traceparent }))
    await app.close()
    const second = collector.spans.filter(({ traceId }) => traceId === TRACE)
    expect(second).toMatchObject([{ attributes: { 'cache.outcome': 'hit', 'github.calls': 0 } }])
  })

  it('begins a trace of its own where the caller sends none, or none that is valid', async () => {
    const app = await start()
    for (const wrong of [
      '',
      `ff-${TRACE}-${CALLER}-01`,
      `00-${'0'.repeat(32)}-${CALLER}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE.toUpperCase()}-${CALLER}-01`,
      `00-${TRACE}-${CALLER}-01-more`,
      `${traceparent}\t x`,
    ]) {
      await app.get('/mcp/context-types', headers({ traceparent: wrong }))
    }
    await app.close()
    const ids = collector.spans.map(({ traceId }) => traceId)
    expect(new Set(ids).size).toBe(7)
    expect(ids).not.toContain(TRACE)
    expect(collector.spans.every(({ parentSpanId }) => !parentSpanId)).toBe(true)
  })

  it('that GitHub fails is a failure, a caller’s fault is none', async () => {
    const app = await start()
    github.fault({ match: '/repos/*', kind: 'status', status: 500 })
    await app.post(repo, headers())
    await app.get('/mcp/context/nothing', headers())
    const spans = await tree(app)
    expect(spans['POST /mcp/context']).toMatchObject({
      status: { code: FAILED },
      attributes: { 'http.response.status_code': 502, 'error.type': 'upstream_error' },
    })
    expect(spans.GET).toMatchObject({
      status: { code: FAILED },
      attributes: { 'http.response.status_code': 500, 'error.type': '500' },
    })
    expect(spans['GET /mcp/context/:context_type']).toMatchObject({
      status: {},
      attributes: { 'http.response.status_code': 400, 'error.type': 'unknown_context_type' },
    })
  })

  it('tells of no probes', async () => {
    const app = await start()
    for (const path of ['/health', '/health/live', '/health/ready', '/metrics']) await app.get(path)
    await app.get('/mcp/context-types', headers())
    expect(Object.keys(await tree(app))).toEqual(['GET /mcp/context-types'])
  })

  it('keeps what was looked for, keys and tokens out of it', async () => {
    const app = await start()
    const search = { context_type: 'github_issue_search', params: { q: 'numbat' } }
    const found = await app.post(search, headers({ traceparent }))
    expect(found.status).toBe(200)
    await app.get('/mcp/context-types?numbat=1', headers())
    await app.close()
    expect(collector.spans.map(({ name }) => name)).toContain('GET')
    expect(collector.text).not.toMatch(/numbat/)
    expect(collector.text).not.toContain(KEY)
    expect(collector.text).not.toContain(OCTOCAT_TOKEN)
  })
})

describe('a tool’s call', () => {
  const call = (name: string, args: object) =>
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name, arguments: args, _meta: { traceparent, tracestate: 'vendor=2' } },
    })
  const json = headers({ 'content-type': 'application/json', accept: 'application/json' })

  it('is part of the trace that its `_meta` names, with all that is done for it', async () => {
    const app = await start()
    await app.send('POST', '/mcp', json, call('github_repo', { repository: 'octocat/Hello-World' }))
    const [line] = app.logs
    const { 'tools/call github_repo': tool, cache, GET: get, 'POST /mcp': http } = await tree(app)
    expect(tool).toMatchObject({
      kind: SERVER,
      traceId: TRACE,
      parentSpanId: CALLER,
      traceState: 'vendor=2',
      attributes: { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'github_repo' },
      links: [{ traceId: http?.traceId, spanId: http?.spanId }],
    })
    expect(cache).toMatchObject({ traceId: TRACE, parentSpanId: tool?.spanId })
    expect(get).toMatchObject({ traceId: TRACE, parentSpanId: cache?.spanId })
    expect(http?.traceId).not.toBe(TRACE)
    expect(line).toMatchObject({ trace_id: TRACE, type: 'github_repo', outcome: 'miss' })
  })

  it('is part of its HTTP request where there is no such name', async () => {
    const app = await start()
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })
    await app.send('POST', '/mcp', { ...json, traceparent }, body)
    const spans = await tree(app)
    expect(spans['tools/list']).toMatchObject({ traceId: TRACE, parent: 'POST /mcp' })
  })

  it('that fails is a failure', async () => {
    const app = await start()
    await app.send('POST', '/mcp', json, call('github_repo', { repository: 'octocat/none' }))
    await app.send('POST', '/mcp', json, call(`made up ${KEY}`, {}))
    expect(app.logs.at(0)).toMatchObject({ status: 200, outcome: 'not_found' })
    const spans = await tree(app)
    expect(spans['tools/call github_repo']).toMatchObject({
      status: { code: FAILED },
      attributes: { 'error.type': 'tool_error' },
    })
    expect(spans['tools/call _OTHER']).toMatchObject({ attributes: { 'error.type': '-32602' } })
    expect(collector.text).not.toContain(KEY)
  })
})

describe('a turn of a session', () => {
  it('has the model’s call as its part, with what it took and nothing that was said', async () => {
    const app = await start()
    const json = headers({ 'content-type': 'application/json', traceparent })
    const made = await app.send('POST', '/mcp/session/create', headers())
    const { session_id: id } = made.json<{ session_id: string }>()
    const input = JSON.stringify({ user_input: 'quokka' })
    const answer = await app.send('POST', `/mcp/session/${id}/invoke`, json, input)
    const { usage } = answer.json<{ usage: { input_tokens: number; output_tokens: number } }>()
    const spans = await tree(app)
    expect(spans['POST /mcp/session/:session_id/invoke']).toMatchObject({
      traceId: TRACE,
      attributes: { 'http.route': '/mcp/session/:session_id/invoke' },
    })
    expect(spans['chat echo']).toMatchObject({
      kind: CLIENT,
      parent: 'POST /mcp/session/:session_id/invoke',
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'echo',
        'gen_ai.request.model': 'echo',
        'gen_ai.response.model': 'echo',
        'gen_ai.usage.input_tokens': usage.input_tokens,
        'gen_ai.usage.output_tokens': usage.output_tokens,
      },
    })
    expect(collector.text).not.toMatch(/quokka/)
    expect(collector.text).not.toContain(id)
  })
})

describe('what a GitHub App asks for itself', () => {
  it('is in traces of its own, without its tokens', async () => {
    const keys = appKeyPair()
    const known = addApp(github.world, { publicKey: keys.publicKey })
    addRepository(github.world, { owner: 'acme', name: 'secret', private: true })
    addInstallation(github.world, { app: known, login: 'acme' })
    const app = await startApp({
      github,
      env: {
        GITHUB_APP_ID: String(known.id),
        GITHUB_APP_PRIVATE_KEY: keys.privateKey.replaceAll('\n', '\\n'),
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      },
    })
    const secret = { context_type: 'github_repo', params: { owner: 'acme', repo: 'secret' } }
    expect((await app.post(secret, { traceparent })).status).toBe(200)
    await app.close()
    const own = collector.spans.filter(({ traceId }) => traceId !== TRACE)
    const places = own.map(({ attributes }) => attributes['url.full']).filter(Boolean)
    expect(places.map((place) => new URL(String(place)).pathname.split('/').at(-1))).toEqual([
      'installation',
      'access_tokens',
    ])
    expect(collector.spans.filter(({ traceId }) => traceId === TRACE).length).toBeGreaterThan(2)
    for (const token of github.world.tokens.keys()) expect(collector.text).not.toContain(token)
    expect(collector.text).not.toMatch(/Bearer|eyJ/)
  })
})
