import { createSign } from 'node:crypto'
import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  addAccount,
  addApp,
  addInstallation,
  addIssue,
  addRepository,
  appKeyPair,
  blockRepository,
  deleteIssue,
  deleteRepository,
  type GitHub,
  grant,
  OCTOCAT_TOKEN,
  RECORDED_TOKEN,
  renameRepository,
  revoke,
  rotateToken,
  startGitHub,
  transferIssue,
  type World,
} from './github/index.ts'

let github: GitHub
let world: World
let clock: number
beforeEach(async () => {
  github = await startGitHub()
  world = github.world
  clock = Date.parse('2026-01-01T00:00:00Z')
  world.now = () => clock
})
afterEach(() => github.close())

async function ask(path: string, token?: string, method: 'GET' | 'PATCH' | 'POST' = 'GET') {
  const authorization = token === undefined ? {} : { authorization: `token ${token}` }
  const { statusCode, headers, body } = await request(github.url + path, {
    method,
    headers: { 'user-agent': 'test', ...authorization },
  })
  const text = await body.text()
  return { status: statusCode, headers, json: text === '' ? {} : JSON.parse(text) }
}
const status = async (path: string, token?: string) => (await ask(path, token)).status

describe('who may read what', () => {
  it('hides private repositories from strangers, by name, by id and in full', async () => {
    const { body } = addRepository(world, { owner: 'octocat', name: 'secret', private: true })
    addAccount(world, { login: 'mona', token: 'ghp_mona' })
    const paths = [
      '/repos/octocat/secret',
      `/repositories/${body.id}`,
      '/repos/octocat/secret/issues',
    ]
    const all = (token?: string) => Promise.all(paths.map((path) => status(path, token)))
    expect(await all(OCTOCAT_TOKEN)).toEqual([200, 200, 200])
    expect(await all('ghp_mona')).toEqual([404, 404, 404])
    expect(await all()).toEqual([404, 404, 404])
    grant(world, 'mona', 'octocat/secret')
    expect(await all('ghp_mona')).toEqual([200, 200, 200])
    revoke(world, 'mona', 'octocat/secret')
    expect(await all('ghp_mona')).toEqual([404, 404, 404])
  })

  it('refuses unknown and rotated tokens', async () => {
    const unknown = await ask('/user', 'ghp_unknown')
    expect([unknown.status, unknown.json]).toEqual([
      401,
      {
        message: 'Bad credentials',
        documentation_url: 'https://docs.github.com/rest',
        status: '401',
      },
    ])
    rotateToken(world, 'octocat', 'ghp_new')
    expect([await status('/user', OCTOCAT_TOKEN), await status('/user', 'ghp_new')]).toEqual([
      401, 200,
    ])
  })

  it('names the missing permission, the single sign-on page and the takedown', async () => {
    addRepository(world, { owner: 'acme', name: 'a', private: true, readers: ['fine', 'sso'] })
    addAccount(world, { login: 'fine', token: 'f', permissions: { contents: 'read' } })
    addAccount(world, { login: 'sso', token: 's', ssoExpiredFor: ['acme'] })
    const forbidden = await ask('/repos/acme/a/issues', 'f')
    expect([forbidden.status, forbidden.json.message]).toEqual([
      403,
      'Resource not accessible by personal access token',
    ])
    expect(forbidden.headers['x-accepted-github-permissions']).toBe('issues=read')
    expect(await status('/repos/acme/a', 'f')).toBe(200)
    const sso = await ask('/repos/acme/a', 's')
    expect([sso.status, sso.headers['x-github-sso']]).toEqual([
      403,
      expect.stringMatching(/^required; url=https:/),
    ])
    blockRepository(world, 'octocat/Hello-World')
    expect((await ask('/repos/octocat/Hello-World')).json.block.reason).toBe('dmca')
  })
})

describe('what becomes of repositories and issues', () => {
  it('redirects a renamed repository, as recorded and as made', async () => {
    const recorded = 'tmp-scenario-rename-repository-20220719044033126-ukeod'
    const first = await ask(`/repos/octokit-fixture-org/${recorded}`)
    const target = `${github.url}/repositories/515436299`
    expect([first.status, first.headers.location]).toEqual([301, target])
    expect(first.json).toMatchObject({ message: 'Moved Permanently', url: target })
    const repository = renameRepository(world, 'octocat/Hello-World', 'Hello-Moon')
    const moved = await ask('/repos/octocat/hello-world/issues?per_page=1')
    expect(moved.headers.location).toBe(
      `${github.url}/repositories/${repository.body.id}/issues?per_page=1`,
    )
    const patch = await ask('/repos/octocat/Hello-World', OCTOCAT_TOKEN, 'PATCH')
    expect([moved.status, patch.status]).toEqual([301, 307])
    const { json } = await ask('/repos/octocat/Hello-Moon/issues/1347')
    expect(json.url).toBe('https://api.github.com/repos/octocat/Hello-Moon/issues/1347')
    addRepository(world, { owner: 'octocat', name: 'Hello-World' })
    expect(await status('/repos/octocat/Hello-World')).toBe(200)
  })

  it('redirects transferred issues; deleted things are gone or never were', async () => {
    const target = addRepository(world, { owner: 'octocat', name: 'other' })
    const issue = addIssue(world, 'octocat/Hello-World')
    expect(issue.body.number).toBe(1348)
    transferIssue(world, issue, target)
    const moved = await ask('/repos/octocat/Hello-World/issues/1348')
    expect([moved.status, moved.headers.location]).toEqual([
      301,
      `${github.url}/repositories/${target.body.id}/issues/1`,
    ])
    const { json } = await ask('/repos/octocat/other/issues/1')
    expect(json).toMatchObject({ number: 1, title: 'Test issue 1348' })
    expect(json.url).toBe('https://api.github.com/repos/octocat/other/issues/1')
    deleteIssue(world, addIssue(world, target))
    expect(await status('/repos/octocat/other/issues/2')).toBe(410)
    expect(await status('/repos/octocat/other/issues/2/comments')).toBe(410)
    expect(await status('/repos/octocat/other/issues/3')).toBe(404)
    deleteRepository(world, target)
    expect(await status('/repos/octocat/other')).toBe(404)
  })
})

describe('limits', () => {
  it('counts by account and resource, and begins again after the reset', async () => {
    addAccount(world, { login: 'mona', token: 'm1', limits: { core: 2 } })
    addAccount(world, { login: 'mona', token: 'm2' })
    const first = await ask('/user', 'm1')
    expect(first.headers).toMatchObject({
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '1',
      'x-ratelimit-used': '1',
      'x-ratelimit-reset': String(clock / 1000 + 3600),
    })
    await ask('/user', 'm2')
    const over = await ask('/user', 'm1')
    expect([over.status, over.headers['x-ratelimit-remaining']]).toEqual([403, '0'])
    expect(over.json.message).toMatch(/^API rate limit exceeded for user ID \d+\./)
    expect(await status('/search/issues?q=x', 'm1')).toBe(200)
    expect(await status('/user', RECORDED_TOKEN)).toBe(200)
    const { json } = await ask('/rate_limit', 'm1')
    expect(json.resources).toMatchObject({ core: { used: 2 }, search: { used: 1, limit: 30 } })
    expect(github.violations).toBe(0)
    clock += 1000
    world.primaryStatus = 429
    expect([await status('/user', 'm1'), github.violations]).toEqual([429, 1])
    clock += 3_600_000
    expect([await status('/user', 'm1'), github.violations]).toEqual([200, 1])
    world.anonymousLimits.core = 0
    expect((await ask('/')).json.message).toContain('Authenticated requests get a higher')
  })

  it('limits how many requests are in flight and how many points a minute takes', async () => {
    world.secondary.maxConcurrent = 2
    github.latencyMs = 60
    const all = await Promise.all([1, 2, 3, 4].map(() => ask('/user', OCTOCAT_TOKEN)))
    const refused = all.filter((answer) => answer.status === 403)
    expect(refused).toHaveLength(2)
    expect(refused[0]?.headers['retry-after']).toBe('60')
    expect(refused[0]?.json.message).toMatch(/^You have exceeded a secondary rate limit/)
    clock += 30_000
    const again = await ask('/user', OCTOCAT_TOKEN)
    expect([again.status, again.headers['retry-after'], github.violations]).toEqual([403, '30', 1])
    github.resetLimits()
    github.latencyMs = 0
    world.secondary = { pointsPerMinute: 6, retryAfterSeconds: 60, status: 429 }
    expect((await ask('/user', OCTOCAT_TOKEN, 'POST')).status).toBe(404)
    expect(await status('/user', OCTOCAT_TOKEN)).toBe(200)
    expect(await status('/user', OCTOCAT_TOKEN)).toBe(429)
  })
})

describe('GitHub Apps', () => {
  const { publicKey, privateKey } = appKeyPair()

  function jwt(claims: object): string {
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`
    const signature = createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')
    return `${signed}.${signature}`
  }

  it('mints installation tokens that see the installation only, for an hour', async () => {
    const app = addApp(world, { publicKey, tokenDelayMs: 500 })
    addRepository(world, { owner: 'acme', name: 'in', private: true })
    addRepository(world, { owner: 'acme', name: 'out', private: true })
    const installation = addInstallation(world, {
      app,
      login: 'acme',
      repositories: ['acme/in'],
      permissions: { metadata: 'read' },
    })
    const now = clock / 1000
    const token = jwt({ iss: app.id, iat: now - 30, exp: now + 570 })
    expect((await ask('/app', token)).json.id).toBe(app.id)
    for (const path of ['/repos/acme/in', '/orgs/acme', '/users/acme']) {
      expect((await ask(`${path}/installation`, token)).json.id).toBe(installation.id)
    }
    expect(await status('/repos/acme/out/installation', token)).toBe(404)
    const path = `/app/installations/${installation.id}/access_tokens`
    const minted = await ask(path, token, 'POST')
    expect([minted.status, minted.json.expires_at]).toEqual([201, '2026-01-01T01:00:00Z'])
    expect(minted.json.token).toMatch(/^ghs_/)
    expect(await status('/repos/acme/in', minted.json.token)).toBe(401)
    clock += 500
    expect(await status('/repos/acme/in', minted.json.token)).toBe(200)
    expect(await status('/repos/acme/out', minted.json.token)).toBe(404)
    const forbidden = await ask('/repos/acme/in/issues', minted.json.token)
    expect(forbidden.json.message).toBe('Resource not accessible by integration')
    clock += 3_600_000
    expect(await status('/repos/acme/in', minted.json.token)).toBe(401)
  })

  it('refuses tokens that are too long, too late, or not by the app', async () => {
    const { id } = addApp(world, { publicKey })
    const now = clock / 1000
    const refusal = async (claims: object) => (await ask('/app', jwt(claims))).json.message
    expect(await refusal({ iss: id, iat: now, exp: now + 601 })).toContain('too far in the future')
    expect(await refusal({ iss: id, iat: now - 60, exp: now })).toContain("('exp')")
    expect(await refusal({ iss: id, iat: now + 60, exp: now + 90 })).toContain("('iat')")
    expect(await refusal({ iss: 1, iat: now, exp: now + 60 })).toBe('Integration not found')
    const other = addApp(world, { publicKey: appKeyPair().publicKey })
    expect(await refusal({ iss: other.id, iat: now, exp: now + 60 })).toContain('decoded')
    expect(await status('/app', OCTOCAT_TOKEN)).toBe(401)
  })
})
