import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import { type GitHub, startGitHub } from '../support/github/index.ts'
import { ERAS, envelope, message, type Rpc, rpc, send } from '../support/mcp/client.ts'

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  app = await startApp({ github })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const post = (body: unknown, headers: Record<string, string> = {}) =>
  app.send(
    'POST',
    '/mcp',
    { 'content-type': 'application/json', ...headers },
    typeof body === 'string' ? body : JSON.stringify(body),
  )
const request = (method: string, params?: object) => ({ jsonrpc: '2.0', id: 7, method, params })

describe.each(ERAS)('a request of %s', (revision) => {
  it('is answered by JSON, with what every answer of the service has', async () => {
    const { headers, status, ...answer } = await send(app, revision, 'tools/list')
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['x-request-id']).toMatch(/^[\w-]{36}$/)
    expect(headers['mcp-session-id']).toBeUndefined()
    expect(answer.json<Rpc>().result.tools.length).toBeGreaterThan(3)
  })

  it('gets the caller’s own id back, text or number', async () => {
    for (const id of ['a "quoted" id', 0, -5]) {
      const { body, headers } = message(revision, 'tools/list')
      const answer = await post({ ...body, id }, headers)
      expect(answer.json<Rpc>().id).toBe(id)
    }
  })

  it('for a method that there is not gets the protocol’s error', async () => {
    const answer = await send(app, revision, 'tools/cancel')
    expect(answer.status).toBe(revision === '2026-07-28' ? 404 : 200)
    expect(answer.json<Rpc>()).toMatchObject({ id: 1, error: { code: -32601 } })
    // What every object has is no method.
    expect((await rpc(app, revision, 'constructor')).error?.code).toBe(-32601)
  })
})

describe('clients that open with initialize', () => {
  const open = (protocolVersion: unknown) =>
    post(
      request('initialize', {
        protocolVersion,
        capabilities: {},
        clientInfo: { name: 'old', version: '1' },
      }),
    )

  it.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])(
    'get %s where they ask for it',
    async (version) => {
      const { result } = (await open(version)).json<Rpc>()
      expect(result).toMatchObject({
        protocolVersion: version,
        serverInfo: { name: 'github-context-service', version: expect.stringMatching(/^\d/) },
        capabilities: { tools: {}, prompts: {}, resources: {}, completions: {} },
        instructions: expect.stringContaining('max_tokens'),
      })
      // Nothing is kept between requests, so there is nowhere to send changes to.
      expect(result.capabilities.resources.subscribe).toBeUndefined()
      expect(result._meta).toBeUndefined()
    },
  )

  it.each(['1999-01-01', '2026-07-28', undefined])(
    'get the latest that has it where they ask for %s',
    async (version) => {
      expect((await open(version)).json<Rpc>().result.protocolVersion).toBe('2025-11-25')
    },
  )

  it('may ping, and notify without an answer', async () => {
    expect((await post(request('ping'))).json<Rpc>().result).toEqual({})
    const answer = await post({ jsonrpc: '2.0', method: 'notifications/initialized' })
    expect([answer.status, answer.text]).toEqual([202, ''])
  })

  it('may name their revision in the header, and no other', async () => {
    const by = (version: string) => post(request('ping'), { 'mcp-protocol-version': version })
    expect((await by('2025-06-18')).status).toBe(200)
    const answer = await by('2025-01-01')
    expect(answer.status).toBe(400)
    expect(answer.json<Rpc>().error?.data).toMatchObject({
      supported: expect.arrayContaining(['2025-06-18']),
    })
  })

  it('may send batches, as 2025-03-26 has them', async () => {
    const answer = await post([
      { ...request('ping'), id: 'a' },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { ...request('nothing'), id: 'b' },
    ])
    expect(answer.json<Rpc[]>().map(({ id, error }) => [id, error?.code])).toEqual([
      ['a', undefined],
      ['b', -32601],
    ])
    const quiet = [{ jsonrpc: '2.0', method: 'notifications/initialized' }]
    expect((await post(quiet)).status).toBe(202)
  })

  it('may not send empty or giant batches, nor modern requests in one', async () => {
    const modern = message('2026-07-28', 'tools/list').body
    for (const batch of [[], Array.from({ length: 21 }, () => request('ping')), [modern]]) {
      const answer = await post(batch)
      expect(answer.status).toBe(400)
      expect(answer.json<Rpc>().error?.code).toBe(-32600)
    }
  })

  it.each(['GET', 'DELETE'])('are told by 405 that there is no session to %s', async (method) => {
    const answer = await app.send(method, '/mcp', { accept: 'text/event-stream' })
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST'])
  })
})

describe('a request of 2026-07-28', () => {
  const { body, headers } = message('2026-07-28', 'tools/call', {
    name: 'github_repo',
    arguments: { owner: 'octocat', repo: 'Hello-World' },
  })
  const without = (name: string) =>
    Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name))

  it('says in its result what it is and who answers', async () => {
    const { result } = await rpc(app, '2026-07-28', 'server/discover')
    expect(result).toMatchObject({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { resources: { subscribe: true } },
      cacheScope: 'public',
      ttlMs: 3_600_000,
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'github-context-service' } },
    })
  })

  it.each(['mcp-protocol-version', 'mcp-method', 'mcp-name'])(
    'needs the header %s',
    async (name) => {
      const answer = await post(body, without(name))
      expect(answer.status).toBe(400)
      expect(answer.json<Rpc>()).toMatchObject({ id: 1, error: { code: -32020 } })
    },
  )

  it.each([
    ['mcp-protocol-version', '2025-11-25'],
    ['mcp-method', 'tools/list'],
    ['mcp-name', 'github_issue'],
    ['mcp-name', '=?base64?!?='],
  ])('needs headers that say the same as the body: not %s: %s', async (name, value) => {
    const answer = await post(body, { ...headers, [name]: value })
    expect([answer.status, answer.json<Rpc>().error?.code]).toEqual([400, -32020])
  })

  it('may have its name in base64', async () => {
    const name = `=?base64?${Buffer.from('github_repo').toString('base64')}?=`
    expect((await post(body, { ...headers, 'mcp-name': name })).status).toBe(200)
  })

  it.each([
    ['no envelope', undefined, '_meta'],
    ['no version', { 'io.modelcontextprotocol/clientCapabilities': {} }, 'protocolVersion'],
    [
      'no capabilities',
      { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
      'clientCapabilities',
    ],
    [
      'a version that is no text',
      envelope({ 'io.modelcontextprotocol/protocolVersion': 1 }),
      'form',
    ],
    [
      'capabilities that are none',
      envelope({ 'io.modelcontextprotocol/clientCapabilities': [] }),
      'form',
    ],
    ['a nameless client', envelope({ 'io.modelcontextprotocol/clientInfo': {} }), 'form'],
  ])('with %s is refused by name', async (_what, meta, named) => {
    const answer = await post(
      { ...body, params: { ...(body.params as object), _meta: meta } },
      headers,
    )
    expect(answer.status).toBe(400)
    const { error } = answer.json<Rpc>()
    expect(error).toMatchObject({ code: -32602, message: expect.stringContaining(named) })
  })

  it('of a revision that there is not learns which there are', async () => {
    const version = '2030-01-01'
    const _meta = envelope({ 'io.modelcontextprotocol/protocolVersion': version })
    const params = { ...(body.params as object), _meta }
    const answer = await post({ ...body, params }, { ...headers, 'mcp-protocol-version': version })
    expect(answer.status).toBe(400)
    expect(answer.json<Rpc>().error).toMatchObject({
      code: -32022,
      data: { supported: ['2026-07-28'], requested: version },
    })
  })

  it('has no initialize, ping or resources/subscribe', async () => {
    for (const method of ['initialize', 'ping', 'resources/subscribe']) {
      const answer = await send(app, '2026-07-28', method)
      expect([method, answer.status, answer.json<Rpc>().error?.code]).toEqual([method, 404, -32601])
    }
  })
})

describe('what is no request', () => {
  it.each([
    ['{ not json', 400, -32700],
    ['"text"', 400, -32600],
    ['{}', 400, -32600],
    [JSON.stringify({ jsonrpc: '1.0', id: 1, method: 'ping' }), 400, -32600],
    [JSON.stringify({ jsonrpc: '2.0', id: null, method: 'ping' }), 400, -32600],
    [JSON.stringify({ jsonrpc: '2.0', id: {}, method: 'ping' }), 400, -32600],
    [JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: [1] }), 400, -32600],
    [JSON.stringify({ jsonrpc: '2.0', id: 1 }), 400, -32600],
  ])('%s is refused in the protocol’s form', async (text, status, code) => {
    const answer = await post(text)
    expect([answer.status, answer.json<Rpc>().error?.code]).toEqual([status, code])
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
  })

  it('but an answer is taken, and asks for none', async () => {
    expect((await post({ jsonrpc: '2.0', id: 1, result: {} })).status).toBe(202)
  })

  it('of another media type or too large is refused before it is read', async () => {
    const typed = await app.send('POST', '/mcp', { 'content-type': 'text/plain' }, 'x')
    expect([typed.status, typed.json<Rpc>().error?.code]).toEqual([415, -32000])
    const large = await post(request('ping', { text: 'x'.repeat(300_000) }))
    expect([large.status, large.json<Rpc>().error?.code]).toEqual([413, -32000])
  })
})

describe('strangers’ web pages', () => {
  const from = (on: App, headers: Record<string, string>) =>
    send(on, '2026-07-28', 'tools/list', {}, headers)

  it('are kept out of a service for this machine, by host and by origin', async () => {
    const host = new URL(app.url).host
    expect((await from(app, { host: 'evil.example' })).status).toBe(403)
    expect((await from(app, { host: 'evil.example', origin: 'http://evil.example' })).status).toBe(
      403,
    )
    expect((await from(app, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await from(app, { origin: 'null' })).status).toBe(403)
    for (const origin of [`http://${host}`, 'http://localhost:6274', 'http://[::1]:1'])
      expect([origin, (await from(app, { origin })).status]).toEqual([origin, 200])
    expect((await from(app, { host: 'localhost:1' })).status).toBe(200)
    const refused = await from(app, { host: 'evil.example' })
    expect(refused.json<Rpc>().error).toMatchObject({
      code: -32000,
      message: expect.stringContaining('ALLOWED_HOSTS'),
      data: { code: 'forbidden', status: 403 },
    })
  })

  it('may call where the operator names them, and read the answer', async () => {
    const env = { ALLOWED_HOSTS: 'mcp.example', CORS_ORIGINS: 'https://app.example' }
    await using named = await startApp({ github, env })
    expect((await from(named, { host: 'mcp.example:8443' })).status).toBe(200)
    expect((await from(named, { host: 'other.example' })).status).toBe(403)
    const answer = await from(named, { origin: 'https://app.example' })
    expect(answer.status).toBe(200)
    expect(answer.headers['access-control-allow-origin']).toBe('https://app.example')
    expect(answer.headers['access-control-expose-headers']).toContain('WWW-Authenticate')
    const preflight = await named.send('OPTIONS', '/mcp', {
      origin: 'https://app.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'mcp-method, mcp-protocol-version, authorization',
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers['access-control-allow-headers']).toContain('mcp-method')
  })

  it('are not asked for where the service is for other machines', async () => {
    await using open = await startApp({ github, env: { HOST: '0.0.0.0', AUTH: 'none' } })
    expect((await from(open, { host: 'any.example' })).status).toBe(200)
    expect((await from(open, { host: 'a.example', origin: 'https://b.example' })).status).toBe(403)
  })
})

describe('the same for this door as for the others', () => {
  it('keys, with the challenge of HTTP', async () => {
    const key = ['ann', 'key', '0123456789abcdef'].join('-')
    await using closed = await startApp({ github, env: { API_KEYS: `ann:${key}` } })
    const refused = await send(closed, '2026-07-28', 'tools/list')
    expect(refused.status).toBe(401)
    expect(refused.headers['www-authenticate']).toMatch(/^Bearer /)
    expect(refused.json<Rpc>().error?.data).toMatchObject({ code: 'unauthorized' })
    const by = (headers: Record<string, string>) =>
      send(closed, '2025-11-25', 'tools/list', {}, headers)
    expect((await by({ authorization: `Bearer ${key}` })).status).toBe(200)
    expect((await by({ 'x-api-key': key })).status).toBe(200)
  })

  it('the limit, one log line and one sample for each request', async () => {
    await using limited = await startApp({ github, env: { RATE_LIMIT_MAX: '2' } })
    const issue = { owner: 'octocat', repo: 'Hello-World', issue_number: 1347 }
    const params = { name: 'github_issue', arguments: issue }
    await send(limited, '2026-07-28', 'tools/call', params, { 'x-request-id': 'mine' })
    await send(limited, '2025-11-25', 'tools/list')
    const refused = await send(limited, '2026-07-28', 'tools/list')
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, expect.anything()])
    const seen = limited.logs.map(({ route, type, outcome, status, upstream_calls }) => ({
      route,
      type,
      outcome,
      status,
      upstream_calls,
    }))
    expect(seen).toEqual([
      { route: '/mcp', type: 'github_issue', outcome: 'miss', status: 200, upstream_calls: 2 },
      { route: '/mcp', type: 'tools/list', outcome: 'none', status: 200, upstream_calls: 0 },
      { route: '/mcp', type: undefined, outcome: 'rate_limited', status: 429, upstream_calls: 0 },
    ])
    expect(limited.logs[0]?.request_id).toBe('mine')
    const metrics = (await limited.get('/metrics')).text
    expect(metrics).toMatch(
      /http_request_duration_seconds_count\{route="\/mcp",type="github_issue",status="200",outcome="miss"\} 1/,
    )
  })
})
