import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import {
  addAccount,
  addIssue,
  addRepository,
  blockRepository,
  deleteIssue,
  type FaultKind,
  type GitHub,
  startGitHub,
} from '../support/github/index.ts'

const TOKEN = 'ghp_secretsecretsecretsecretsecretsecret'
const MARK = 'upstream-body-7f3a'
const request = { context_type: 'github_repo', params: { owner: 'octo', repo: 'talk' } }

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  addAccount(github.world, { login: 'octo', token: TOKEN })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  app = await startApp({ github, env: { GITHUB_TOKEN: TOKEN, GITHUB_TIMEOUT_MS: '1500' } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

interface Expected {
  code: string
  status: number
  /** Calls that GitHub sees. */
  calls: number
  /** Seconds, give or take one. */
  retryAfter?: number
  detail?: RegExp
}

async function expectProblem(expected: Expected, asked: object = request) {
  const answer = await app.post(asked)
  const problem = answer.json<Problem>()
  const { code, status, calls, retryAfter, detail = /./ } = expected
  expect([problem.code, problem.status, answer.status]).toEqual([code, status, status])
  expect(github.count()).toBe(calls)
  expect(problem.detail).toMatch(detail)
  const stated = answer.headers['retry-after']
  expect(stated).toBe(problem.retry_after === undefined ? undefined : String(problem.retry_after))
  if (retryAfter === undefined) expect(stated).toBeUndefined()
  else expect(Math.abs(Number(stated) - retryAfter)).toBeLessThanOrEqual(1)
  expect(answer.text).not.toMatch(/secretsecret|upstream-body|\n\s+at |node_modules|sso\?/)
  expect(JSON.stringify(app.logs)).not.toContain('secretsecret')
}

const status = (code: number, headers: Record<string, string> = {}): FaultKind => ({
  kind: 'status',
  status: code,
  headers,
  body: { message: `${MARK} Bearer ${TOKEN}` },
})

describe('GitHub answers with an error', () => {
  it.each<[string, FaultKind, Expected]>([
    ['401', status(401), { code: 'upstream_auth', status: 502, calls: 1, detail: /GITHUB_TOKEN/ }],
    [
      '403',
      status(403),
      { code: 'upstream_forbidden', status: 403, calls: 1, detail: /permissions/ },
    ],
    [
      '403 for a permission',
      status(403, { 'x-accepted-github-permissions': 'issues=read' }),
      { code: 'upstream_forbidden', status: 403, calls: 1, detail: /issues=read/ },
    ],
    [
      '403 for a scope',
      status(403, { 'x-accepted-oauth-scopes': 'repo' }),
      { code: 'upstream_forbidden', status: 403, calls: 1, detail: /scope.*repo/ },
    ],
    [
      '403 for single sign-on',
      status(403, { 'x-github-sso': 'required; url=https://github.com/orgs/o/sso?a=1' }),
      { code: 'upstream_forbidden', status: 403, calls: 1, detail: /single sign-on/ },
    ],
    ['404', status(404), { code: 'not_found', status: 404, calls: 1, detail: /access/ }],
    ['410', status(410), { code: 'not_found', status: 404, calls: 1, detail: /deleted/ }],
    ['451', status(451), { code: 'not_found', status: 404, calls: 1, detail: /legal/ }],
    ['422', status(422), { code: 'invalid_request', status: 400, calls: 1 }],
    ['418', status(418), { code: 'upstream_error', status: 502, calls: 1, detail: /418/ }],
    ['500', status(500), { code: 'upstream_error', status: 502, calls: 3, detail: /500/ }],
    ['503', status(503), { code: 'upstream_error', status: 502, calls: 3, detail: /503/ }],
    [
      '503 until later than it may take',
      status(503, { 'retry-after': '120' }),
      { code: 'upstream_error', status: 502, calls: 1, retryAfter: 120 },
    ],
    [
      '429',
      status(429, { 'retry-after': '30' }),
      { code: 'upstream_rate_limited', status: 503, calls: 1, retryAfter: 30 },
    ],
    [
      '429 bare',
      status(429),
      { code: 'upstream_rate_limited', status: 503, calls: 1, retryAfter: 60 },
    ],
    [
      'the primary limit as 403',
      { kind: 'primary-limit', resetInSeconds: 1200 },
      { code: 'upstream_rate_limited', status: 503, calls: 1, retryAfter: 1200 },
    ],
    [
      'the primary limit as 429',
      { kind: 'primary-limit', resetInSeconds: 90, status: 429 },
      { code: 'upstream_rate_limited', status: 503, calls: 1, retryAfter: 90 },
    ],
    [
      'a secondary limit',
      { kind: 'secondary-limit', retryAfter: 45 },
      { code: 'upstream_rate_limited', status: 503, calls: 1, retryAfter: 45 },
    ],
    [
      'a secondary limit that does not say for how long',
      { kind: 'secondary-limit' },
      { code: 'upstream_rate_limited', status: 503, calls: 1, retryAfter: 60 },
    ],
    [
      'a secondary limit in older words',
      { kind: 'abuse' },
      { code: 'upstream_rate_limited', status: 503, calls: 1, retryAfter: 60 },
    ],
  ])('%s', async (_name, fault, expected) => {
    github.fault({ ...fault, match: '/repos/*' })
    await expectProblem(expected)
  })

  it('what a real refusal says is told: a permission, a deleted issue, a blocked repository', async () => {
    const limited = { login: 'reader', token: 'github_pat_reader', permissions: {} }
    addAccount(github.world, limited)
    addRepository(github.world, {
      owner: 'octo',
      name: 'closed',
      private: true,
      readers: ['reader'],
    })
    deleteIssue(github.world, addIssue(github.world, 'octo/talk', { number: 7 }))
    addRepository(github.world, { owner: 'octo', name: 'blocked' })
    blockRepository(github.world, 'octo/blocked')
    await using reader = await startApp({ github, env: { GITHUB_TOKEN: limited.token } })
    const issue = (repo: string, issue_number: number) =>
      reader.post({ context_type: 'github_issue', params: { owner: 'octo', repo, issue_number } })
    const answers = [await issue('closed', 1), await issue('talk', 7), await issue('blocked', 1)]
    expect(answers.map((answer) => answer.json<Problem>())).toMatchObject([
      { code: 'upstream_forbidden', detail: expect.stringContaining('issues=read') },
      { code: 'not_found', detail: expect.stringContaining('deleted') },
      { code: 'not_found', detail: expect.stringContaining('legal') },
    ])
  })
})

describe('the exchange with GitHub breaks', () => {
  it.each<[string, FaultKind, Expected]>([
    ['hang', { kind: 'hang' }, { code: 'upstream_timeout', status: 504, calls: 1 }],
    ['delay', { kind: 'delay', ms: 20_000 }, { code: 'upstream_timeout', status: 504, calls: 1 }],
    ['reset', { kind: 'reset' }, { code: 'upstream_unreachable', status: 502, calls: 3 }],
    ['truncate', { kind: 'truncate' }, { code: 'upstream_unreachable', status: 502, calls: 3 }],
    ['garbage', { kind: 'garbage' }, { code: 'upstream_error', status: 502, calls: 3 }],
  ])('%s', async (_name, fault, expected) => {
    github.fault({ ...fault, match: '/repos/*' })
    await expectProblem(expected)
  })

  it('endless: reads no more than it may', async () => {
    await using patient = await startApp({ github })
    github.fault({ match: '/repos/*', kind: 'endless' })
    const problem = (await patient.post(request)).json<Problem>()
    expect(problem).toMatchObject({ code: 'upstream_error', status: 502 })
    expect(problem.detail).toContain('too large')
    expect(github.count()).toBe(1)
  })

  it('nobody listens', async () => {
    await github.close()
    await expectProblem({ code: 'upstream_unreachable', status: 502, calls: 0 })
  })
})

describe('trouble that passes', () => {
  it.each<[string, FaultKind, number]>([
    ['500 twice', { kind: 'status', status: 500 }, 2],
    ['a reset', { kind: 'reset' }, 1],
    ['a truncated answer', { kind: 'truncate' }, 1],
    ['garbage', { kind: 'garbage' }, 1],
  ])('%s is not noticed', async (_name, fault, times) => {
    github.fault({ ...fault, match: '/repos/*', times })
    const answer = await app.post(request)
    expect(answer.status).toBe(200)
    expect(answer.headers['x-github-requests']).toBe(String(times + 1))
  })

  it('is asked about again as soon as it may be over', async () => {
    const fault = github.fault({ match: '/repos/*', kind: 'status', status: 502 })
    expect((await app.post(request)).status).toBe(502)
    fault.remove()
    expect((await app.post(request)).status).toBe(200)
  })

  it('is not asked about while GitHub limits, for any resource', async () => {
    github.fault({ match: '/repos/octo/talk', kind: 'secondary-limit', retryAfter: 30 })
    await expectProblem({ code: 'upstream_rate_limited', status: 503, calls: 1, retryAfter: 30 })
    const issue = { context_type: 'github_issue', params: { ...request.params, issue_number: 1 } }
    await expectProblem(
      { code: 'upstream_rate_limited', status: 503, calls: 1, retryAfter: 30 },
      issue,
    )
    expect(github.violations).toBe(0)
  })

  it('a refusal is remembered for a moment', async () => {
    github.fault({ match: '/repos/*', kind: 'status', status: 404 })
    await expectProblem({ code: 'not_found', status: 404, calls: 1 })
    await expectProblem({ code: 'not_found', status: 404, calls: 1 })
  })
})
