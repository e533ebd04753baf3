import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, type App, type Problem, startApp } from '../support/app.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

/** The problem of an answer, in the form that all problems have. */
function problemOf(answer: Answer, code: string, status: number): Problem {
  const problem = answer.json<Problem>()
  expect([problem.code, answer.status]).toEqual([code, status])
  expect(problem).toMatchObject({
    type: `urn:github-context-service:problem:${code}`,
    title: expect.stringMatching(/^[A-Z]/),
    status,
    detail: expect.stringMatching(/.{10}/),
    request_id: answer.headers['x-request-id'],
  })
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(answer.headers['cache-control']).toBe('no-store')
  return problem
}

const hello = { owner: 'octocat', repo: 'Hello-World' }
const issue = (change: object) => ({
  context_type: 'github_issue',
  params: { ...hello, issue_number: 1347, ...change },
})
const repo = (change: object = {}) => ({ context_type: 'github_repo', params: hello, ...change })
const issues = (change: object) => ({
  context_type: 'github_issues',
  params: { ...hello, ...change },
})

describe('invalid_request', () => {
  it.each<[string, unknown, string, RegExp]>([
    ['no type', {}, '/context_type', /is required/],
    ['a type that is no string', { context_type: 5 }, '/context_type', /string/],
    [
      'half of a character',
      { context_type: 'github_compare', params: { ...hello, base: 'a\ud800', head: 'main' } },
      '/params/base',
      /surrogate.*Send whole ones/,
    ],
    [
      'half of a character in a list',
      { context_type: 'github_files', params: { ...hello, paths: ['README', '\udc00'] } },
      '/params/paths/1',
      /surrogate/,
    ],
    ['an unknown field', repo({ max_token: 5 }), '/max_token', /did you mean "max_tokens"\?/],
    ['params that are no object', repo({ params: [] }), '/params', /object/],
    [
      'a missing param',
      repo({ params: { owner: 'o' } }),
      '/params/repo',
      /is required.*Repository name/,
    ],
    ['an unknown param', issue({ max_coments: 1 }), '/params/max_coments', /"max_comments"\?/],
    [
      'a param unlike all',
      issue({ zzzzzzzzzzzzzzzz: 1 }),
      '/params/zzzzzzzzzzzzzzzz',
      /known are owner/,
    ],
    [
      'an owner with a slash',
      repo({ params: { ...hello, owner: 'a/b' } }),
      '/params/owner',
      /form/,
    ],
    ['a repository ..', repo({ params: { ...hello, repo: '..' } }), '/params/repo', /form/],
    [
      'an owner that is a number',
      repo({ params: { ...hello, owner: 5 } }),
      '/params/owner',
      /string/,
    ],
    ['the number zero', issue({ issue_number: 0 }), '/params/issue_number', /1/],
    ['a fraction', issue({ issue_number: 1.5 }), '/params/issue_number', /integer/],
    ['a number in words', issue({ issue_number: 'one' }), '/params/issue_number', /integer/],
    ['a number too large', issue({ issue_number: 2 ** 31 }), '/params/issue_number', /2147483647/],
    ['a number that is null', issue({ issue_number: null }), '/params/issue_number', /integer/],
    ['too many comments', issue({ max_comments: 1001 }), '/params/max_comments', /1000/],
    [
      'a state that is none',
      issues({ state: 'opened' }),
      '/params/state',
      /one of open, closed, all/,
    ],
    ['labels that are no list', issues({ labels: 'bug' }), '/params/labels', /array/],
    ['an empty label', issues({ labels: [''] }), '/params/labels/0', /./],
    ['a time that is none', issues({ since: 'yesterday' }), '/params/since', /ISO 8601/],
    ['too few tokens', repo({ max_tokens: 99 }), '/max_tokens', /100/],
    ['too many tokens', repo({ max_tokens: 1_000_001 }), '/max_tokens', /1000000/],
    ['an empty query', repo({ query: '' }), '/query', /1/],
    ['a long query', repo({ query: 'a'.repeat(1001) }), '/query', /1000/],
    ['an age below zero', repo({ max_age: -1 }), '/max_age', /0/],
    ['a list', [], '', /object/],
    ['null', null, '', /object/],
  ])('%s', async (_name, body, pointer, message) => {
    const { errors, detail } = problemOf(await app.post(body), 'invalid_request', 400)
    expect(errors).toEqual([{ pointer, message: expect.stringMatching(message) }])
    expect(detail).toContain(pointer)
  })

  it('names every fault at once', async () => {
    const body = { context_type: 'github_issue', params: { owner: 'a/b', isue_number: 1 } }
    const { errors, detail } = problemOf(await app.post(body), 'invalid_request', 400)
    expect(errors?.map(({ pointer }) => pointer).sort()).toEqual([
      '/params/issue_number',
      '/params/isue_number',
      '/params/owner',
      '/params/repo',
    ])
    expect(detail).toContain('3 more')
  })

  it.each([
    ['broken JSON', '{"context_type":'],
    ['JSON that would change prototypes', '{"__proto__":{"a":1},"context_type":"github_repo"}'],
    ['an empty body', ''],
  ])('%s', async (_name, body) => {
    expect(problemOf(await app.post(body), 'invalid_request', 400).detail).toMatch(/body is/)
  })

  it('asks GitHub for nothing', async () => {
    github.resetCounts()
    await app.post(issue({ issue_number: 0 }))
    expect(github.count()).toBe(0)
  })
})

describe('what is asked for in a wrong way', () => {
  it.each([
    ['github_isue', /"github_issue"/],
    ['GITHUB_REPO', /"github_repo"/],
    ['github_repository', /"github_repo"/],
    ['qqqqqqqqqqqqqqqqqqqq', /No such type/],
    ['toString', /Unknown context type "toString"/],
  ])('unknown_context_type: %s', async (context_type, detail) => {
    const problem = problemOf(
      await app.post({ context_type, params: {} }),
      'unknown_context_type',
      400,
    )
    expect(problem.detail).toMatch(detail)
    expect(problem.detail).toContain('GET /mcp/context-types')
    expect(problem.errors).toEqual([{ pointer: '/context_type', message: expect.any(String) }])
  })

  it('unknown_context_type does not repeat a long name', async () => {
    const answer = await app.post({ context_type: 'x'.repeat(10_000), params: {} })
    expect(problemOf(answer, 'unknown_context_type', 400).detail.length).toBeLessThan(250)
  })

  it('payload_too_large: 1 MB', async () => {
    const answer = await app.post(JSON.stringify({ query: 'a'.repeat(1_000_000) }))
    expect(problemOf(answer, 'payload_too_large', 413).detail).toContain('256 KiB')
  })

  it.each(['text/plain', 'application/xml', 'nonsense'])(
    'unsupported_media_type: %s',
    async (type) => {
      const answer = await app.post('{}', { 'content-type': type })
      expect(problemOf(answer, 'unsupported_media_type', 415).detail).toContain('application/json')
    },
  )

  it.each(['text/html', 'image/png, text/html;q=0.5', 'application/json;q=0'])(
    'not_acceptable: %s',
    async (accept) => {
      const { detail } = problemOf(await app.post(repo(), { accept }), 'not_acceptable', 406)
      expect(detail).toContain('application/json or text/markdown')
    },
  )

  it('not_found: a path that nearly is one', async () => {
    const answer = await app.get('/mcp/contexts?secret=1')
    const { detail } = problemOf(answer, 'not_found', 404)
    expect(detail).toContain('Did you mean /mcp/context?')
    expect(detail).not.toContain('secret')
  })

  it('forbidden: a repository that is not on the list, whatever its case', async () => {
    const env = { ALLOWED_REPOS: 'octokit-fixture-org/*, octocat/Spoon-Knife' }
    await using closed = await startApp({ github, env })
    github.resetCounts()
    expect(problemOf(await closed.post(repo()), 'forbidden', 403).detail).toContain('ALLOWED_REPOS')
    problemOf(await closed.post(issue({})), 'forbidden', 403)
    expect(github.count()).toBe(0)
    const listed = { owner: 'OCTOCAT', repo: 'spoon-knife' }
    problemOf(await closed.post(repo({ params: listed })), 'not_found', 404)
    const other = { owner: 'Octokit-Fixture-Org', repo: 'Hello-World' }
    expect((await closed.post(repo({ params: other }))).status).toBe(200)
  })

  it('internal_error: explains nothing, and is logged with the request id', async () => {
    const engine = {
      atHand: () => undefined,
      get: () => Promise.reject(new TypeError(`broken with ${OCTOCAT_TOKEN.slice(0, 8)}`)),
      changes: () => Promise.reject(new Error('not asked for')),
    }
    await using broken = await startApp({ github, replace: { engine } })
    const answer = await broken.post(repo())
    const { request_id } = problemOf(answer, 'internal_error', 500)
    expect(answer.text).not.toMatch(/broken with|TypeError|\.ts/)
    expect(broken.logs).toContainEqual(
      expect.objectContaining({ level: 50, request_id, err: expect.anything() }),
    )
  })
})
