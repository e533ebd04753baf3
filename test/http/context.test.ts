import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import {
  addComments,
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
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  const issue = addIssue(github.world, 'octo/talk', { title: 'Login fails', body: 'It fails.' })
  addComments(github.world, issue, 5, (i) => ({ body: `Comment ${i}`, user: `user${i}` }))
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const issue = {
  context_type: 'github_issue',
  params: { owner: 'octo', repo: 'talk', issue_number: 1 },
}

describe('POST /mcp/context', () => {
  it('answers with one context, every block with what all blocks have', async () => {
    const answer = await app.post(issue)
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(answer.json()).toEqual({
      context_id: expect.stringMatching(/^mcp-github_issue-[0-9a-f]{32}$/),
      context: [
        expect.objectContaining({
          type: 'github_issue',
          id: 'github_issue:octo/talk#1',
          title: 'Login fails',
          url: 'https://github.com/octo/talk/issues/1',
          content: expect.stringContaining('It fails.'),
          tokens: expect.any(Number),
        }),
      ],
      tokens: expect.any(Number),
      omitted: [],
    })
    const { tokens, context } = await app.context(issue)
    expect(tokens).toBe(context[0]?.tokens)
    expect(tokens).toBeGreaterThan(20)
  })

  it('takes numbers as numeric strings, and names in any case, as one and the same request', async () => {
    const { context_id } = await app.context(issue)
    github.resetCounts()
    const same = await app.post({
      context_type: 'github_issue',
      params: { issue_number: '1', repo: 'TALK', owner: 'Octo' },
    })
    expect(same.json()).toMatchObject({ context_id })
    expect(same.headers['cache-status']).toMatch(/; hit; ttl=\d+$/)
    expect(github.count()).toBe(0)
  })

  it('treats a default that is spelled out as the default', async () => {
    await app.context(issue)
    const params = { ...issue.params, max_comments: 30 }
    const answer = await app.post({ context_type: 'github_issue', params })
    expect(answer.headers['cache-status']).toContain('hit')
  })

  it('keeps answers apart by what can change them', async () => {
    const texts = await Promise.all(
      [
        {},
        { max_tokens: 100 },
        { max_tokens: 100, query: 'Comment 3' },
        { params: { ...issue.params, max_comments: 1 } },
      ].map(async (change) => (await app.post({ ...issue, ...change })).text),
    )
    expect(new Set(texts.map((text) => JSON.parse(text).context_id)).size).toBe(4)
  })

  it('asks GitHub once for equal requests that come together', async () => {
    await using slow = await startGitHub({ latencyMs: 20 })
    await using other = await startApp({ github: slow })
    const repo = { context_type: 'github_repo', params: { owner: 'octocat', repo: 'Hello-World' } }
    const answers = await Promise.all(Array.from({ length: 50 }, () => other.post(repo)))
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(slow.count()).toBe(1)
  })

  it('says what it left out of an answer, and how to get it', async () => {
    const { omitted } = await app.context({
      ...issue,
      params: { ...issue.params, max_comments: 2 },
    })
    expect(omitted).toEqual([
      {
        what: 'comments',
        count: 3,
        reason: 'max_comments',
        next: {
          context_type: 'github_issue_comments',
          params: { owner: 'octo', repo: 'talk', issue_number: 1, offset: 2, limit: 3 },
        },
      },
    ])
  })

  it('fills the budget and no more', async () => {
    const { tokens, context, omitted } = await app.context({ ...issue, max_tokens: 100 })
    expect(tokens).toBeLessThanOrEqual(100)
    expect(tokens).toBeGreaterThan(60)
    expect(context).toHaveLength(1)
    expect(omitted[0]).toMatchObject({ what: 'comments', reason: 'max_tokens' })
  })

  it('answers a caller that sends no Content-Type charset, and one that does', async () => {
    const type = 'application/json; charset=utf-8'
    expect((await app.post(issue, { 'content-type': type })).status).toBe(200)
    expect(
      (await app.post('{"context_type":"github_repo","params":{"owner":"octo","repo":"talk"}}'))
        .status,
    ).toBe(200)
  })
})
