import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type App, type Context, startApp } from '../support/app.ts'
import {
  addComments,
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'

const NOON = Date.parse('2026-01-31T12:00:00Z')
const issue = {
  context_type: 'github_issue',
  params: { owner: 'octo', repo: 'talk', issue_number: 1 },
}
const repo = { context_type: 'github_repo', params: { owner: 'octo', repo: 'talk' } }

let github: GitHub
let app: App
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON })
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  addComments(github.world, addIssue(github.world, 'octo/talk', { title: 'Login fails' }), 2)
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
})
afterEach(async () => {
  await app.close()
  await github.close()
  vi.useRealTimers()
})

const later = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)
const statusOf = async (request: object = issue) =>
  (await app.post(request)).headers['cache-status']

/** Lifetimes are jittered by a tenth. */
function ttlOf(status: unknown): number {
  const [, ttl] = /^github-context-service; hit; ttl=(-?\d+)$/.exec(String(status)) ?? []
  return Number(ttl)
}

describe('Accept', () => {
  it.each([
    ['*/*', 'application/json'],
    ['application/json', 'application/json'],
    ['application/*', 'application/json'],
    ['text/html, */*;q=0.1', 'application/json'],
    ['text/markdown, application/json', 'application/json'],
    ['text/markdown', 'text/markdown'],
    ['TEXT/MARKDOWN', 'text/markdown'],
    ['text/*', 'text/markdown'],
    ['application/json;q=0.5, text/markdown', 'text/markdown'],
    ['application/json;q=0, */*', 'text/markdown'],
    ['image/png, text/markdown;q=0.1', 'text/markdown'],
  ])('%s gets %s', async (accept, type) => {
    const { headers } = await app.post(issue, { accept })
    expect(headers['content-type']).toBe(`${type}; charset=utf-8`)
    expect(headers.vary).toContain('Accept')
  })

  it('gets JSON where it is not sent', async () => {
    expect((await app.post(issue)).headers['content-type']).toContain('application/json')
  })

  it('gives the content alone as Markdown', async () => {
    const { context } = await app.context(issue)
    const markdown = await app.post(issue, { accept: 'text/markdown' })
    expect(markdown.text).toBe(`${context[0]?.content}\n`)
    expect(markdown.headers['cache-status']).toContain('hit')
  })
})

describe('ETag', () => {
  it('is the context id, another one for each representation', async () => {
    const json = await app.post(issue)
    expect(json.headers.etag).toBe(`"${json.json<Context>().context_id}"`)
    const markdown = await app.post(issue, { accept: 'text/markdown' })
    expect(markdown.headers.etag).toMatch(/^"mcp-github_issue-[^"]+"$/)
    expect(markdown.headers.etag).not.toBe(json.headers.etag)
  })

  it.each([
    ['the tag', (etag: string) => etag],
    ['a weak tag', (etag: string) => `W/${etag}`],
    ['a list', (etag: string) => `"other", ${etag}`],
    ['a star', () => '*'],
  ])('answers 304 to %s', async (_name, ifNoneMatch) => {
    const { headers } = await app.post(issue)
    const answer = await app.get('/mcp/context/github_issue?owner=octo&repo=talk&issue_number=1', {
      'if-none-match': ifNoneMatch(String(headers.etag)),
    })
    expect([answer.status, answer.text]).toEqual([304, ''])
    expect(answer.headers.etag).toBe(headers.etag)
    expect(answer.headers['cache-status']).toContain('hit')
  })

  it('answers 200 to another tag, and to that of another representation', async () => {
    const { headers } = await app.post(issue)
    for (const tag of ['"other"', String(headers.etag).replaceAll('"', '')])
      expect((await app.post(issue, { 'if-none-match': tag })).status).toBe(200)
    const markdown = { accept: 'text/markdown', 'if-none-match': String(headers.etag) }
    expect((await app.post(issue, markdown)).status).toBe(200)
  })
})

describe('Cache-Status and Age', () => {
  it('fetched, then fresh, with its age', async () => {
    const first = await app.post(issue)
    expect(first.headers).toMatchObject({
      'cache-status': 'github-context-service; fwd=uri-miss; stored',
      age: '0',
      'x-github-requests': '2',
    })
    later(30)
    const second = await app.post(issue)
    expect(second.headers).toMatchObject({ age: '30', 'x-github-requests': '0' })
    expect(ttlOf(second.headers['cache-status'])).toBeGreaterThanOrEqual(24)
    expect(ttlOf(second.headers['cache-status'])).toBeLessThanOrEqual(36)
    expect(second.text).toBe(first.text)
  })

  it('waited for the fetch of another', async () => {
    const held = github.fault({ match: '/repos/octo/talk', kind: 'delay', ms: 300 })
    const answers = await Promise.all([app.post(repo), app.post(repo), app.post(repo)])
    expect(held.hits).toBe(1)
    expect(answers.map(({ headers }) => headers['cache-status']).sort()).toEqual([
      'github-context-service; fwd=uri-miss; collapsed',
      'github-context-service; fwd=uri-miss; collapsed',
      'github-context-service; fwd=uri-miss; stored',
    ])
    const made = answers.map(({ headers }) => Number(headers['x-github-requests']))
    expect(made.sort()).toEqual([0, 0, 1])
  })

  it('asked for by max_age', async () => {
    await app.post(issue)
    later(20)
    expect(await statusOf({ ...issue, max_age: 30 })).toContain('; hit; ttl=')
    const now = await app.post({ ...issue, max_age: 0 })
    expect(now.headers['cache-status']).toMatch(/^github-context-service; fwd=request\b/)
    expect(now.headers.age).toBe('0')
    later(20)
    expect(await statusOf({ ...issue, max_age: 10 })).toMatch(/; fwd=request\b/)
  })

  it('stale while one refresh runs behind', async () => {
    const before = await app.post(issue)
    later(100)
    github.resetCounts()
    const stale = await app.post(issue)
    expect(ttlOf(stale.headers['cache-status'])).toBeLessThan(0)
    expect(stale.headers).toMatchObject({ age: '100', 'x-github-requests': '0' })
    expect(stale.text).toBe(before.text)
    await vi.waitFor(async () => expect(ttlOf(await statusOf())).toBeGreaterThan(0))
    expect(github.count({ path: '/repos/octo/talk/issues/1' })).toBe(1)
  })

  it('kept where GitHub fails, but not for a caller who wants it newer', async () => {
    const before = await app.post(issue)
    later(600)
    github.fault({ match: '/repos/*', kind: 'status', status: 502 })
    const kept = await app.post(issue)
    expect(kept.status).toBe(200)
    expect(kept.text).toBe(before.text)
    expect(kept.headers).toMatchObject({
      age: '600',
      'cache-status': 'github-context-service; fwd=stale; fwd-status=502; detail=stale-if-error',
    })
    expect((await app.post({ ...issue, max_age: 60 })).status).toBe(502)
  })

  it('is never kept for a caller whom GitHub refuses', async () => {
    await app.post(issue)
    later(600)
    github.fault({ match: '/repos/*', kind: 'status', status: 404 })
    expect((await app.post(issue)).status).toBe(404)
    github.clearFaults()
    github.fault({ match: '/repos/*', kind: 'status', status: 502 })
    later(20)
    expect((await app.post(issue)).status).toBe(502)
  })
})

describe('other headers', () => {
  it('tells what is left of the limit now, not when the answer was fetched', async () => {
    const remaining = async (request: object) =>
      Number((await app.post(request)).headers['x-github-ratelimit-remaining'])
    expect([await remaining(repo), await remaining(issue), await remaining(repo)]).toEqual([
      4999, 4997, 4997,
    ])
  })

  it.each(['abc-123', 'Root=1-67891233-abcdef012345678912345678', 'a/b+c=@:._'])(
    'keeps a sane X-Request-Id: %s',
    async (id) => {
      const answer = await app.post({}, { 'x-request-id': id })
      expect(answer.headers['x-request-id']).toBe(id)
      expect(answer.json()).toMatchObject({ request_id: id })
    },
  )

  it.each(['', 'a b', '<script>', '"quoted"', 'é', 'a'.repeat(129), '{"a":1}'])(
    'replaces a hostile X-Request-Id: %s',
    async (id) => {
      const answer = await app.post({}, { 'x-request-id': id })
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
      expect(answer.json()).toMatchObject({ request_id: answer.headers['x-request-id'] })
    },
  )

  it('lets shared caches keep nothing', async () => {
    expect((await app.post(issue)).headers['cache-control']).toBe('private, no-cache')
  })
})
