import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { providers } from '../../src/context/registry.ts'
import { type App, type Context, type Problem, startApp } from '../support/app.ts'
import {
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'list' })
  for (let i = 1; i <= 4; i++) {
    addIssue(github.world, 'octo/list', {
      title: `Issue ${i}`,
      labels: i % 2 ? ['bug', 'help wanted'] : ['bug'],
      state: i === 4 ? 'closed' : 'open',
    })
  }
  app = await startApp({ github })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

function numbers(text: string): number[] {
  const { context } = JSON.parse(text) as Context
  return context.flatMap((block) => block.issues as { number: number }[]).map((i) => i.number)
}

describe('GET /mcp/context/{context_type}', () => {
  it('is the same answer as by POST, from the same cache', async () => {
    const params = { owner: 'octo', repo: 'list', issue_number: 2 }
    const posted = await app.post({ context_type: 'github_issue', params })
    github.resetCounts()
    const got = await app.get('/mcp/context/github_issue?owner=octo&repo=list&issue_number=2')
    expect(got.status).toBe(200)
    expect(got.text).toBe(posted.text)
    expect(got.headers.etag).toBe(posted.headers.etag)
    expect(got.headers['cache-status']).toContain('hit')
    expect(github.count()).toBe(0)
  })

  it('reads lists that are repeated or separated by commas', async () => {
    const base = '/mcp/context/github_issues?owner=octo&repo=list'
    const repeated = await app.get(`${base}&labels=bug&labels=help%20wanted`)
    const joined = await app.get(`${base}&labels=bug,help+wanted`)
    const one = await app.get(`${base}&labels=bug`)
    expect(numbers(repeated.text)).toEqual([3, 1])
    expect(joined.text).toBe(repeated.text)
    expect(numbers(one.text)).toEqual([3, 2, 1])
  })

  it('tells a list’s own `since` from the option of that name', async () => {
    const base = '/mcp/context/github_issues?owner=octo&repo=list'
    const late = await app.get(`${base}&since=2999-01-01T00:00:00Z`)
    expect([late.status, numbers(late.text)]).toEqual([200, []])
    const { context_id } = (await app.get(base)).json<Context>()
    expect((await app.get(`${base}&since=${context_id}`)).status).toBe(304)
    const wrong = await app.get(`${base}&since=yesterday`)
    expect([wrong.status, wrong.json<Problem>().errors]).toMatchObject([
      400,
      [{ pointer: '/params/since' }],
    ])
  })

  it('takes the options beside the params', async () => {
    const query = 'owner=octo&repo=list&state=all&limit=3&max_tokens=150&query=issue&max_age=0'
    const answer = await app.get(`/mcp/context/github_issues?${query}`)
    expect(answer.status).toBe(200)
    expect(answer.json<Context>().tokens).toBeLessThanOrEqual(150)
    expect(answer.headers['cache-status']).toContain('fwd=request')
  })

  it('refuses what POST refuses, by the same names', async () => {
    const answer = await app.get('/mcp/context/github_issue?owner=octo&repo=list&isue_number=2')
    expect(answer.status).toBe(400)
    const { code, errors } = answer.json<Problem>()
    expect(code).toBe('invalid_request')
    expect(errors).toContainEqual({
      pointer: '/params/isue_number',
      message: expect.stringContaining('did you mean "issue_number"?'),
    })
    expect(errors).toContainEqual({
      pointer: '/params/issue_number',
      message: expect.stringContaining('is required'),
    })
  })

  it.each([
    ['issue_number=two', '/params/issue_number'],
    ['issue_number=1.5', '/params/issue_number'],
    ['issue_number=', '/params/issue_number'],
    ['issue_number=1&issue_number=2', '/params/issue_number'],
    ['issue_number=1&max_tokens=99', '/max_tokens'],
    ['issue_number=1&max_tokens=many', '/max_tokens'],
    ['issue_number=1&max_age=-1', '/max_age'],
    ['issue_number=1&query=', '/query'],
    ['issue_number=1&constructor=1', '/params/constructor'],
    ['issue_number=1&context_type=github_repo', '/params/context_type'],
  ])('refuses ?%s at %s', async (query, pointer) => {
    const answer = await app.get(`/mcp/context/github_issue?owner=octo&repo=list&${query}`)
    expect(answer.status).toBe(400)
    expect(answer.json<Problem>().errors?.map((error) => error.pointer)).toEqual([pointer])
  })

  it('names the nearest type where there is none', async () => {
    const answer = await app.get('/mcp/context/github_isue?owner=octo&repo=list')
    expect(answer.status).toBe(400)
    expect(answer.json()).toMatchObject({
      code: 'unknown_context_type',
      detail: expect.stringMatching(/"github_issue".*GET \/mcp\/context-types/),
    })
  })

  it('answers HEAD with the headers alone', async () => {
    const path = '/mcp/context/github_repo?owner=octo&repo=list'
    const got = await app.get(path)
    const head = await app.send('HEAD', path)
    expect([head.status, head.text]).toEqual([200, ''])
    expect(head.headers.etag).toBe(got.headers.etag)
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(got.text)))
  })
})

describe('GET /mcp/context-types', () => {
  it('lists each type with what a caller needs to ask for it', async () => {
    const { context_types } = (await app.get('/mcp/context-types')).json<{
      context_types: Record<string, unknown>[]
    }>()
    expect(context_types.map((entry) => entry.context_type)).toEqual(
      providers.map(({ type }) => type),
    )
    for (const entry of context_types) {
      expect(entry).toMatchObject({
        title: expect.any(String),
        description: expect.any(String),
        params: { type: 'object', properties: expect.any(Object) },
        block: { properties: { type: { const: expect.any(String) }, content: {}, tokens: {} } },
        cache: {
          fresh_for: expect.any(Number),
          stale_for: expect.any(Number),
          keep_for: expect.any(Number),
        },
        uri: expect.stringMatching(/^github:\/\//),
        example: { context_type: entry.context_type },
      })
    }
  })

  it('gives examples that answer 200 as they are', async () => {
    const { context_types } = (await app.get('/mcp/context-types')).json<{
      context_types: { example: unknown }[]
    }>()
    await using credentialed = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
    for (const { example } of context_types) {
      expect((await credentialed.post(example)).status).toBe(200)
    }
  })
})
