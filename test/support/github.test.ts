import { createHash } from 'node:crypto'
import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { call } from './github/client.ts'
import {
  documented,
  type GitHub,
  type GitHubOptions,
  issueOf,
  OCTOCAT_TOKEN,
  RECORDED_TOKEN,
  startGitHub,
  updateIssue,
} from './github/index.ts'
import { recordedScenarios } from './github/recordings.ts'

const HELLO = '/repos/octocat/Hello-World'

let github: GitHub
afterEach(() => github?.close())

async function start(options?: GitHubOptions) {
  github = await startGitHub(options)
  return github
}

const get = (
  path: string,
  headers: Record<string, string> = {},
  token: string | null = OCTOCAT_TOKEN,
) => call(github, path, headers, token)

describe('recorded content', () => {
  it('answers byte for byte what was recorded', async () => {
    await start()
    const recorded = recordedScenarios()
      .flat()
      .filter(({ method, status, path }) => method === 'get' && status === 200 && path !== '/')
      .filter(({ scope }) => scope.includes('//api.'))
    expect(recorded.length).toBeGreaterThan(20)
    for (const { path, response, rawHeaders } of recorded) {
      const length = rawHeaders[rawHeaders.indexOf('Content-Length') + 1]
      const twice = recorded.filter((other) => other.path === path).length > 1
      const answer = await get(path, path.endsWith('README.md') ? { accept: 'x.raw' } : {})
      expect([path, answer.status]).toEqual([path, 200])
      if (twice) continue
      if (typeof response === 'string') expect(answer.text).toBe(response)
      else expect(answer.json()).toEqual(response)
      expect([path, answer.headers['content-length']]).toEqual([path, length])
    }
  })

  it('answers with the headers that were recorded, Vary as two lines', async () => {
    await start()
    const [recorded] = recordedScenarios()
      .flat()
      .filter(({ path }) => path.endsWith('/hello-world'))
    const names = (recorded?.rawHeaders ?? []).filter((_, i) => i % 2 === 0)
    const answer = await get('/repos/octokit-fixture-org/hello-world', {}, RECORDED_TOKEN)
    for (const name of names) expect(answer.headers).toHaveProperty(name.toLowerCase())
    expect(answer.headers.vary).toEqual([
      'Accept, Authorization, Cookie, X-GitHub-OTP',
      'Accept-Encoding, Accept, X-Requested-With',
    ])
    expect(answer.headers['last-modified']).toBe('Tue, 19 Sep 2017 15:57:54 GMT')
    expect(answer.headers['cache-control']).toBe('private, max-age=60, s-maxage=60')
    const anonymous = await get('/repos/octokit-fixture-org/hello-world', {}, null)
    expect(anonymous.headers['cache-control']).toBe('public, max-age=60, s-maxage=60')
  })

  it('answers what GitHub documents', async () => {
    await start()
    const base = '/repos/{owner}/{repo}'
    const pairs = [
      [HELLO, documented('GET', base)],
      [`${HELLO}/issues/1347`, documented('GET', `${base}/issues/{issue_number}`)],
      [
        `${HELLO}/issues/1347/comments`,
        documented('GET', `${base}/issues/{issue_number}/comments`),
      ],
      [`${HELLO}/labels`, documented('GET', `${base}/labels`)],
      ['/user', documented('GET', '/user')],
      ['/users/octocat', documented('GET', '/users/{username}')],
      ['/orgs/github', documented('GET', '/orgs/{org}')],
      ['/meta', documented('GET', '/meta')],
    ] as const
    for (const [path, body] of pairs) expect((await get(path)).json()).toEqual(body)
    // Beside it is the issue of the webhooks' examples.
    const listed = (await get(`${HELLO}/issues`)).json() as unknown[]
    expect(listed.slice(1)).toEqual(documented('GET', `${base}/issues`))
    expect((await get('/user', {}, null)).status).toBe(401)
    expect((await get('/users/nobody')).status).toBe(404)
    expect((await get('/orgs/octokit-fixture-org')).json().login).toBe('octokit-fixture-org')
  })

  it('leaves out what version 2026-03-10 removed, and refuses other versions', async () => {
    await start()
    const version = (value: string) => ({ 'x-github-api-version': value })
    const now = await get(`${HELLO}/issues/1347`, version('2026-03-10'))
    expect(now.json()).not.toHaveProperty('assignee')
    expect(now.headers['x-github-api-version-selected']).toBe('2026-03-10')
    expect((await get('/rate_limit', version('2026-03-10'))).json()).not.toHaveProperty('rate')
    expect((await get('/rate_limit', version('2022-11-28'))).json()).toHaveProperty('rate')
    expect((await get(HELLO, version('2030-01-01'))).status).toBe(400)
    expect((await get(HELLO, version('2021-01-01'))).status).toBe(410)
  })

  it('answers 404 to unknown paths, 403 without a User-Agent, and HEAD without a body', async () => {
    await start()
    expect((await get('/nowhere')).json()).toMatchObject({ message: 'Not Found', status: '404' })
    const bare = await request(github.url + HELLO)
    expect([bare.statusCode, await bare.body.text()]).toEqual([
      403,
      expect.stringContaining('User-Agent header'),
    ])
    const head = await request(github.url + HELLO, {
      method: 'HEAD',
      headers: { 'user-agent': 'test' },
    })
    expect([head.statusCode, await head.body.text()]).toEqual([200, ''])
    expect(Number(head.headers['content-length'])).toBeGreaterThan(1000)
  })
})

describe('conditional requests', () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

  it('makes ETags from the request and the body', async () => {
    await start()
    const accept = { accept: 'application/vnd.github+json' }
    const { headers, text } = await get(HELLO, accept)
    const expected = sha256(`application/vnd.github+json:Bearer ${OCTOCAT_TOKEN}:${text}`)
    expect(headers.etag).toBe(`"${expected}"`)
    const anonymous = await get(HELLO, { cookie: 'a=b' }, null)
    expect(anonymous.headers.etag).toBe(`"${sha256(`a=b:${text}`)}"`)
    const gzip = await get(HELLO, { ...accept, 'accept-encoding': 'gzip' })
    expect(gzip.headers).toMatchObject({ etag: `W/"${expected}"`, 'content-encoding': 'gzip' })
    github.world.etagScheme = 'opaque'
    const opaque = await get(HELLO, accept)
    expect(opaque.headers.etag).not.toBe(headers.etag)
    expect((await get(HELLO, accept)).headers.etag).toBe(opaque.headers.etag)
  })

  it('answers 304 with all headers but no body, free of charge under authorisation only', async () => {
    await start()
    const path = `${HELLO}/issues/1347`
    const first = await get(path)
    const etag = String(first.headers.etag)
    for (const condition of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await get(path, { 'if-none-match': condition })
      expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag])
      expect(again.headers['x-ratelimit-remaining']).toBe('4999')
    }
    const modified = String(first.headers['last-modified'])
    expect((await get(path, { 'if-modified-since': modified })).status).toBe(304)
    expect((await get(path, { 'if-none-match': '"x"' })).status).toBe(200)
    const anonymous = await get(path, {}, null)
    const condition = { 'if-none-match': String(anonymous.headers.etag) }
    const free = await get(path, condition, null)
    expect([free.status, free.headers['x-ratelimit-remaining']]).toEqual([304, '58'])
    expect(github.count({ status: 304, token: OCTOCAT_TOKEN })).toBe(5)
    updateIssue(github.world, issueOf(github.world, 'octocat/Hello-World', 1347), { title: 'New' })
    const changed = await get(path, { 'if-none-match': etag })
    expect([changed.status, changed.json().title]).toEqual([200, 'New'])
    expect(changed.json().updated_at).not.toBe(first.json().updated_at)
    expect((await get(`${HELLO}/issues?sort=updated`)).json()[0].title).toBe('New')
  })
})

describe('the log', () => {
  it('counts, and tells rounds of requests from each other', async () => {
    await start({ latencyMs: 60 })
    await get(`${HELLO}/issues`)
    await Promise.all([1, 2, 3].map((page) => get(`${HELLO}/issues?page=${page}`)))
    expect([github.count(), github.rounds()]).toEqual([4, 2])
    expect(github.count({ path: /page=2/ })).toBe(1)
    expect(github.count({ path: `${HELLO}/issues` })).toBe(4)
    expect(github.count({ token: 'another' })).toBe(0)
    expect(github.requests[0]).toMatchObject({
      method: 'GET',
      principal: 'octocat',
      status: 200,
      conditional: false,
      cost: 1,
      points: 1,
    })
    expect(JSON.stringify(github.requests)).not.toContain(OCTOCAT_TOKEN)
    github.resetCounts()
    expect([github.count(), github.rounds()]).toEqual([0, 0])
  })
})
