import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import {
  addAccount,
  addIssue,
  addRepository,
  type GitHub,
  startGitHub,
} from '../support/github/index.ts'
import { startProcess } from '../support/process.ts'

const TOKEN = 'ghp_secretsecretsecretsecretsecretsecret'
const KEY = 'ann-key-0123456789'
const headers = { authorization: `Bearer ${KEY}`, 'x-request-id': 'request-1' }
const issue = {
  context_type: 'github_issue',
  params: { owner: 'octo', repo: 'talk', issue_number: 1 },
}

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  addAccount(github.world, { login: 'octo', token: TOKEN })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  addIssue(github.world, 'octo/talk', { title: 'Quokka', body: 'A wombat.' })
  app = await startApp({ github, env: { GITHUB_TOKEN: TOKEN, API_KEYS: `ann:${KEY}` } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const SECRETS = new RegExp(`${TOKEN}|${KEY}|quokka|wombat|numbat`, 'i')

describe('the log', () => {
  it('has one line for a request, which says what became of it', async () => {
    await app.post(issue, headers)
    await app.post(issue, headers)
    const line = {
      level: 30,
      request_id: 'request-1',
      method: 'POST',
      route: '/mcp/context',
      status: 200,
      type: 'github_issue',
      duration_ms: expect.any(Number),
      caller: 'ann',
    }
    expect(app.logs).toEqual([
      expect.objectContaining({ ...line, outcome: 'miss', upstream_calls: 2 }),
      expect.objectContaining({ ...line, outcome: 'hit', upstream_calls: 0 }),
    ])
  })

  it('has one line for each that fails, by the code of the problem', async () => {
    await app.post('{', headers)
    await app.get('/nothing?token=numbat', headers)
    await app.post(issue)
    await app.post({ ...issue, params: { ...issue.params, issue_number: 9 } }, headers)
    expect(app.logs.map(({ outcome, status, type }) => [outcome, status, type])).toEqual([
      ['invalid_request', 400, undefined],
      ['not_found', 404, undefined],
      ['unauthorized', 401, undefined],
      ['not_found', 404, 'github_issue'],
    ])
  })

  it('names what GitHub calls the calls that it got, the first ten of many', async () => {
    addRepository(github.world, { owner: 'octo', name: 'many' })
    for (let number = 1; number <= 12; number += 1)
      addIssue(github.world, 'octo/many', { title: `Issue ${number}`, body: '' })
    const requests = Array.from({ length: 12 }, (_, index) => ({
      ...issue,
      params: { owner: 'octo', repo: 'many', issue_number: index + 1 },
    }))
    const json = { ...headers, 'content-type': 'application/json' }
    await app.send('POST', '/mcp/context/batch', json, JSON.stringify({ requests }))
    const [line] = app.logs
    expect(line?.upstream_calls).toBe(github.count())
    expect(line?.github).toEqual(
      Array(10).fill({ status: 200, id: expect.stringMatching(/^[\dA-F:]{20,}$/) }),
    )
    const ids = ((line?.github ?? []) as { id: string }[]).map(({ id }) => id)
    expect(new Set(ids).size).toBe(10)
  })

  it('names each hop of a renamed repository, and a refused connection as status 0', async () => {
    const repo = (name: string) => ({
      context_type: 'github_repo',
      params: { owner: 'octo', repo: name },
    })
    github.fault({
      match: '/repos/octo/old',
      kind: 'status',
      status: 301,
      times: 1,
      headers: {
        location: `${github.url}/repos/octo/talk`,
      },
    })
    await app.post(repo('old'), headers)
    expect(app.logs.at(-1)?.github).toMatchObject([{ status: 301 }, { status: 200 }])
    github.fault({ match: '/repos/*', kind: 'reset' })
    await app.post({ ...repo('talk'), max_age: 0 }, headers)
    expect(app.logs.at(-1)?.github).toEqual(Array(3).fill({ status: 0 }))
  })

  it('has no word of GitHub’s where another’s fetch or memory answered', async () => {
    const asked = [app.post(issue, headers), app.post(issue, headers), app.post(issue, headers)]
    await Promise.all(asked)
    await app.post(issue, headers)
    const outcomes = app.logs.map(({ outcome, ...line }) => [outcome, 'github' in line])
    expect(outcomes).toEqual(
      expect.arrayContaining([
        ['miss', true],
        ['collapsed', false],
        ['hit', false],
      ]),
    )
  })

  it.each([
    ['an answer', {}],
    ['a stream', { accept: 'text/event-stream' }],
  ])('has one line for a caller that hangs up before %s is there', async (_what, more) => {
    github.fault({ match: '/repos/*', kind: 'hang' })
    const leaving = new AbortController()
    const asked = fetch(`${app.url}/mcp/context/github_issue?owner=octo&repo=talk&issue_number=1`, {
      headers: { ...headers, ...more },
      signal: leaving.signal,
    }).catch(() => 'left')
    await vi.waitUntil(() => github.count() > 0, { timeout: 10_000 })
    leaving.abort()
    expect(await asked).toBe('left')
    await vi.waitUntil(() => app.logs.length > 0, { timeout: 10_000 })
    await app.close()
    expect(app.logs).toEqual([
      expect.objectContaining({ level: 30, status: 499, outcome: 'aborted', type: 'github_issue' }),
    ])
  })

  it('counts the calls to GitHub of a request that failed', async () => {
    github.fault({ match: '/repos/*', kind: 'status', status: 500 })
    const repo = { context_type: 'github_repo', params: { owner: 'octo', repo: 'talk' } }
    expect((await app.post(repo, headers)).status).toBe(502)
    expect(github.count()).toBe(3)
    expect(app.logs.at(-1)).toMatchObject({ outcome: 'upstream_error', upstream_calls: 3 })
  })

  it('holds no token, no key, no text of callers or of GitHub, whatever happens', async () => {
    const query = { ...issue, max_tokens: 100, query: 'numbat' }
    await app.post(query, headers)
    await app.get(
      `/mcp/context/github_issue?owner=octo&repo=talk&issue_number=1&query=numbat`,
      headers,
    )
    await app.get('/nothing?key=numbat', { 'x-api-key': `${KEY}-numbat` })
    await app.post(`{"numbat"`, headers)
    for (const kind of ['reset', 'garbage', 'truncate'] as const) {
      github.fault({ match: '/repos/*', kind })
      await app.post({ ...query, max_age: 0 }, headers)
      github.clearFaults()
    }
    github.fault({ match: '/repos/*', kind: 'status', status: 500, body: `wombat ${TOKEN}` })
    await app.post({ ...query, max_age: 0 }, headers)
    expect(app.logs).toHaveLength(8)
    expect(JSON.stringify(app.logs)).not.toMatch(SECRETS)
  })

  it('goes to stdout as JSON lines, from the real process too', async () => {
    const env = {
      PORT: '0',
      GITHUB_API_URL: github.url,
      GITHUB_TOKEN: TOKEN,
      API_KEYS: `ann:${KEY}`,
    }
    await using service = startProcess({ env })
    const url = await service.url
    const body = JSON.stringify({ ...issue, max_tokens: 100, query: 'numbat' })
    const posted = await fetch(`${url}/mcp/context`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    })
    expect(posted.status).toBe(200)
    service.signal('SIGTERM')
    expect((await service.exited).code).toBe(0)
    const lines = service.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toContainEqual(
      expect.objectContaining({ request_id: 'request-1', outcome: 'miss', caller: 'ann' }),
    )
    expect(lines.every(({ time }) => !Number.isNaN(Date.parse(time)))).toBe(true)
    expect(service.stdout + service.stderr).not.toMatch(SECRETS)
    expect(service.stderr).toBe('')
  })
})
