import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { createAccessTokens } from '../../src/http/accessTokens.ts'
import { type App, type Problem, startApp } from '../support/app.ts'
import { addAccount, addRepository, type GitHub, startGitHub } from '../support/github/index.ts'
import { AUDIENCE, type Issuer, startIssuer } from '../support/issuer.ts'
import { ERAS, type Rpc, send } from '../support/mcp/client.ts'

const PATH = '/mcp/context/github_repo?owner=octo&repo=talk'
const TOKEN = ['ghp', 'jwt'.repeat(12)].join('_')
const KEY = ['ann', 'key', '0123456789abcdef'].join('-')
const METADATA = '/.well-known/oauth-protected-resource'

let github: GitHub
let issuer: Issuer
let app: App
beforeAll(async () => {
  github = await startGitHub()
  issuer = await startIssuer()
  addAccount(github.world, { login: 'octo', token: TOKEN })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  const env = { ...issuer.env, GITHUB_TOKEN: TOKEN, ENABLE_WRITES: 'true', RATE_LIMIT_MAX: '10000' }
  app = await startApp({ github, env: { ...env, API_KEYS: `ann:${KEY}` } })
})
afterAll(async () => {
  await app.close()
  await issuer[Symbol.asyncDispose]()
  await github.close()
})

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const get = async (token: string) => app.get(PATH, bearer(token))
const soon = (seconds: number) => Math.floor(Date.now() / 1000) + seconds

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const altered = (token: string) => {
  const [head, , signature] = token.split('.')
  const claims = { iss: issuer.url, aud: AUDIENCE, sub: 'root', exp: soon(600) }
  return [head, part(claims), signature].join('.')
}

afterEach(() => void vi.useRealTimers())

describe('an access token', () => {
  it('opens every door', async () => {
    const token = await issuer.sign()
    expect((await get(token)).status).toBe(200)
    for (const revision of ERAS)
      expect((await send(app, revision, 'tools/list', {}, bearer(token))).status).toBe(200)
    expect((await app.get(PATH, { 'x-api-key': KEY })).status).toBe(200)
  })

  it('is told apart in log and limit by whom it speaks for, and never shown', async () => {
    const token = await issuer.sign({ sub: 'auth0|bob', scp: ['context:read'], scope: undefined })
    expect((await get(token)).status).toBe(200)
    const odd = await issuer.sign({ sub: 'a name with\nlines' })
    expect((await get(odd)).status).toBe(200)
    const callers = app.logs.map(({ caller }) => caller)
    expect(callers).toContain('token:auth0|bob')
    expect(callers.at(-1)).toMatch(/^token:[\w-]{22}$/)
    expect(JSON.stringify(app.logs)).not.toContain(token.split('.')[2])
  })

  it('is never sent to GitHub', async () => {
    github.resetCounts()
    await app.get(`${PATH}&max_age=0`, bearer(await issuer.sign()))
    expect(github.requests.length).toBeGreaterThan(0)
    expect(new Set(github.requests.map(({ principal }) => principal))).toEqual(new Set(['octo']))
  })

  it.each<[string, () => Promise<string>, RegExp]>([
    ['expired', () => issuer.sign({ exp: soon(-60) }), /has expired/],
    ['of another issuer', () => issuer.sign({ iss: 'https://evil.example' }), /\(iss\)/],
    ['for another service', () => issuer.sign({ aud: 'https://other.example' }), /\(aud\)/],
    ['not valid yet', () => issuer.sign({ nbf: soon(600) }), /not valid here/],
    ['for ever', () => issuer.sign({ exp: undefined }), /not valid here/],
    ['of nobody', () => issuer.sign({ sub: undefined }), /not valid here/],
    ['by an unknown key', () => issuer.sign({}, { kid: 'unknown' }), /not valid here/],
    ['altered', async () => altered(await issuer.sign()), /not valid here/],
    ['unsigned', async () => unsigned(), /not valid here/],
    ['signed with the public key as a secret', async () => confused(), /not valid here/],
    ['no token at all', async () => 'aaa.bbb.ccc', /not valid here/],
  ])('is refused when it is %s', async (_what, made, said) => {
    const answer = await get(await made())
    expect(answer.status).toBe(401)
    expect(answer.json<Problem>().detail).toMatch(said)
    expect(answer.headers['www-authenticate']).toMatch(
      /^Bearer realm="github-context-service", error="invalid_token", error_description=".*", scope="context:read", resource_metadata="http:\/\/127\.0\.0\.1:\d+\/\.well-known\/oauth-protected-resource"$/,
    )
  })

  const claims = () =>
    part({ iss: issuer.url, aud: AUDIENCE, sub: 'x', exp: soon(600), scope: 'context:read' })
  const unsigned = () => `${part({ alg: 'none' })}.${claims()}.x`
  const confused = () => {
    const text = `${part({ alg: 'HS256', kid: '1' })}.${claims()}`
    return `${text}.${createHmac('sha256', 'public key').update(text).digest('base64url')}`
  }

  it('tells where tokens come from to who sends none', async () => {
    const answer = await app.get(PATH)
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toMatch(
      /^Bearer realm="[\w-]+", scope="context:read", resource_metadata="http.*"$/,
    )
    const mcp = await send(app, '2026-07-28', 'tools/list')
    expect([mcp.status, mcp.headers['www-authenticate']]).toEqual([
      401,
      answer.headers['www-authenticate'],
    ])
  })
})

it('a subscription by an access token lasts no longer than that', async () => {
  const token = await issuer.sign({ exp: soon(2) })
  const notifications = { resourceSubscriptions: ['github://octo/talk'] }
  const params = { notifications }
  const answer = await send(app, '2026-07-28', 'subscriptions/listen', params, bearer(token))
  expect(answer.headers['content-type']).toBe('text/event-stream')
  expect(answer.text).toContain('"resourceSubscriptions":["github://octo/talk"]')
  expect(answer.text.trim().split('\n\n').at(-1)).toContain('"resultType":"complete"')
})

describe('a scope', () => {
  it('is needed to read', async () => {
    const answer = await get(await issuer.sign({ scope: 'openid profile' }))
    expect(answer.status).toBe(403)
    expect(answer.headers['www-authenticate']).toContain(
      'error="insufficient_scope", error_description="The access token lacks the scope context:read.", scope="context:read"',
    )
  })

  it('is needed to write, which a client learns in time to ask for it', async () => {
    const params = {
      name: 'github_create_issue',
      arguments: { repository: 'octo/talk', title: 'By a token' },
    }
    for (const revision of ERAS) {
      const reader = bearer(await issuer.sign())
      const refused = await send(app, revision, 'tools/call', params, reader)
      expect(refused.status).toBe(403)
      expect(refused.headers['www-authenticate']).toContain(
        'error="insufficient_scope", scope="context:read github:write", resource_metadata=',
      )
      expect(refused.json<Rpc>().error?.message).toMatch(/github:write/)
      expect(github.count({ method: 'POST' })).toBe(0)
    }
    const writer = bearer(await issuer.sign({ scope: 'context:read github:write' }))
    const done = await send(app, '2026-07-28', 'tools/call', params, writer)
    expect(done.json<Rpc>().result.structuredContent.number).toBe(1)
    const byKey = await send(app, '2025-11-25', 'tools/call', params, bearer(KEY))
    expect(byKey.json<Rpc>().result.structuredContent.number).toBe(2)
  })
})

describe('the metadata of the protected resource (RFC 9728)', () => {
  it.each([METADATA, `${METADATA}/mcp`])('is open at %s', async (path) => {
    const answer = await app.get(path)
    expect([answer.status, answer.json()]).toEqual([
      200,
      {
        resource: AUDIENCE,
        resource_name: 'github-context-service',
        authorization_servers: [issuer.url],
        scopes_supported: ['context:read', 'github:write'],
        bearer_methods_supported: ['header'],
      },
    ])
  })

  it('names the address of /mcp where the audience is none', async () => {
    await using named = await startApp({ github, env: { ...issuer.env, AUTH_AUDIENCE: 'ctx' } })
    const { resource } = (await named.get(METADATA)).json<{ resource: string }>()
    expect(resource).toBe(`${named.url}/mcp`)
  })

  it('is not there without an issuer', async () => {
    await using keys = await startApp({ github, env: { API_KEYS: `ann:${KEY}` } })
    expect((await keys.get(METADATA)).status).toBe(404)
    expect((await keys.get(PATH)).headers['www-authenticate']).toBe(
      'Bearer realm="github-context-service"',
    )
    expect((await keys.get(PATH, bearer(await issuer.sign()))).status).toBe(401)
  })
})

describe('the issuer’s keys', () => {
  const tokensBy = (other: Issuer, now = Date.now) =>
    createAccessTokens({
      issuer: other.url,
      audience: AUDIENCE,
      jwksUrl: `${other.url}/keys`,
      now,
      onUnavailable: () => {},
    })

  it('are read once for many tokens', async () => {
    await using other = await startIssuer()
    const tokens = tokensBy(other)
    const signed = await Promise.all(
      Array.from({ length: 10 }, (_, index) => other.sign({ sub: `n${index}` })),
    )
    for (const token of [...signed, ...signed]) await tokens.verify(token)
    expect(other.reads).toBe(1)
  })

  it('that cannot be read are no fault of the caller’s', async () => {
    await using other = await startIssuer()
    other.fail(503)
    await using away = await startApp({ github, env: other.env })
    const answer = await away.get(PATH, bearer(await other.sign()))
    expect(answer.status).toBe(503)
    expect(answer.json<Problem>()).toMatchObject({ code: 'auth_unavailable', retry_after: 5 })
    expect(answer.headers['retry-after']).toBe('5')
    expect(answer.headers['www-authenticate']).toBeUndefined()
    expect(away.logs.some(({ msg }) => /keys of the issuer/.test(String(msg)))).toBe(true)
    other.fail(200)
    expect((await away.get(PATH, bearer(await other.sign()))).status).toBe(200)
  })

  it('are read anew when a token has another key', async () => {
    await using other = await startIssuer()
    vi.useFakeTimers({ toFake: ['Date'] })
    const tokens = tokensBy(other)
    await tokens.verify(await other.sign())
    await other.rotate()
    vi.setSystemTime(Date.now() + 31_000)
    expect((await tokens.verify(await other.sign())).name).toBe('token:ann')
    expect(other.reads).toBe(2)
  })

  it('stand in for a day while the issuer is away', async () => {
    await using other = await startIssuer()
    vi.useFakeTimers({ toFake: ['Date'] })
    const tokens = tokensBy(other)
    await tokens.verify(await other.sign())
    other.fail(503)
    vi.setSystemTime(Date.now() + 3_600_000)
    expect((await tokens.verify(await other.sign({ sub: 'later' }))).name).toBe('token:later')
    await expect(tokens.verify(altered(await other.sign()))).rejects.toMatchObject({
      code: 'unauthorized',
    })
    vi.setSystemTime(Date.now() + 86_400_000)
    await expect(tokens.verify(await other.sign())).rejects.toMatchObject({
      code: 'auth_unavailable',
    })
  })

  it('a token that was good is remembered until it expires, and no longer', async () => {
    await using other = await startIssuer()
    let now = Date.now()
    const tokens = tokensBy(other, () => now)
    const token = await other.sign()
    await tokens.verify(token)
    now += 3_599_000
    expect((await tokens.verify(token)).name).toBe('token:ann')
    now += 60_000
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
  })
})

describe('the configuration', () => {
  const faultsOf = (env: Record<string, string>) => {
    try {
      readConfig({ NODE_ENV: 'production', ...env })
      return []
    } catch (error) {
      return (error as { faults: string[] }).faults
    }
  }

  it('needs all three, over HTTPS', () => {
    expect(faultsOf({ AUTH_ISSUER: 'https://id.example' })).toEqual([
      'AUTH_AUDIENCE: is missing, as AUTH_ISSUER is set',
      'AUTH_JWKS_URL: is missing, as AUTH_ISSUER is set',
    ])
    const all = { AUTH_ISSUER: 'https://id.example', AUTH_AUDIENCE: 'x' }
    expect(faultsOf({ ...all, AUTH_JWKS_URL: 'http://id.example/keys' })[0]).toMatch(
      /^AUTH_JWKS_URL/,
    )
    expect(faultsOf({ ...all, AUTH_JWKS_URL: 'http://localhost:1/keys' })).toEqual([])
  })

  it('lets the service be reached from other machines', () => {
    expect(faultsOf({ HOST: '0.0.0.0' })[0]).toMatch(/^HOST/)
    expect(faultsOf({ HOST: '0.0.0.0', ...issuer.env })).toEqual([])
  })
})
