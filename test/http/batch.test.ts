import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Context, type Problem, startApp } from '../support/app.ts'
import { openEvents } from '../support/events.ts'
import {
  addComments,
  addIssue,
  addRepository,
  type GitHub,
  type Issue,
  startGitHub,
} from '../support/github/index.ts'

interface Result {
  readonly status: number
  readonly answer?: Context
  readonly problem?: Problem
}

const repo = { context_type: 'github_repo', params: { owner: 'octo', repo: 'talk' } }
const issue = (issue_number: number, more: object = {}) => ({
  context_type: 'github_issue',
  params: { owner: 'octo', repo: 'talk', issue_number },
  ...more,
})

let github: GitHub
let app: App
let thread: Issue
beforeEach(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  const words = 'Some words of a long text that goes on. '
  thread = addIssue(github.world, 'octo/talk', { title: 'Long' })
  addComments(github.world, thread, 20, () => ({ body: words.repeat(20) }))
  addIssue(github.world, 'octo/talk', {
    title: 'Short',
    body: 'Brief.',
    author_association: 'NONE',
  })
  app = await startApp({ github, env: { GITHUB_POINTS_PER_MINUTE: '100000' } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const json = { 'content-type': 'application/json' }
const post = (body: object) => app.send('POST', '/mcp/context/batch', json, JSON.stringify(body))
async function resultsOf(body: object): Promise<readonly Result[]> {
  const answer = await post(body)
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.json<{ results: Result[] }>().results
}
const tokensOf = (results: readonly Result[]) =>
  results.reduce((sum, { answer }) => sum + (answer?.tokens ?? 0), 0)

describe('POST /mcp/context/batch', () => {
  it('answers in order what each would answer alone', async () => {
    const results = await resultsOf({ requests: [issue(2), repo, issue(1)] })
    const alone = await Promise.all([issue(2), repo, issue(1)].map((one) => app.context(one)))
    expect(results).toEqual(alone.map((answer) => ({ status: 200, answer })))
  })

  it('lets one failure fail alone, whether of the request or of GitHub', async () => {
    const results = await resultsOf({
      requests: [issue(99), 'nonsense', issue(2), { context_type: 'github_isue', params: {} }],
    })
    expect(results.map(({ status }) => status)).toEqual([404, 400, 200, 400])
    expect(results.map(({ problem }) => problem?.code)).toEqual([
      'not_found',
      'invalid_request',
      undefined,
      'unknown_context_type',
    ])
    expect(results[3]?.problem?.detail).toContain('github_issue')
  })

  it('asks GitHub once for what is asked for twice', async () => {
    const answer = await post({ requests: [repo, repo, { ...repo, params: { ...repo.params } }] })
    expect(answer.headers['x-github-requests']).toBe('1')
    expect(answer.json<{ results: Result[] }>().results).toHaveLength(3)
  })

  it.each([300, 700, 1_500, 4_000])('shares %i tokens by need', async (max_tokens) => {
    const requests = [issue(1), repo, issue(2)]
    const results = await resultsOf({ requests, max_tokens })
    expect(results.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(tokensOf(results)).toBeLessThanOrEqual(max_tokens)
    expect(tokensOf(results)).toBeGreaterThan(max_tokens * 0.6)
    // The short ones have all that they need as soon as an even share is enough.
    if (max_tokens >= 700) {
      expect(results[1]?.answer?.omitted).toEqual([])
      expect(results[2]?.answer?.omitted).toEqual([])
    }
    expect(results[0]?.answer?.omitted).not.toEqual([])
  })

  it('fits into the budget what it has read already: no second call for it', async () => {
    const cold = { requests: [issue(1), issue(2)], max_tokens: 400 }
    const calls = Number((await post(cold)).headers['x-github-requests'])
    const alone = [issue(1), issue(2)].map((one) => ({ ...one, max_tokens: 100_000, max_age: 0 }))
    let needed = 0
    for (const one of alone) needed += Number((await app.post(one)).headers['x-github-requests'])
    expect(calls).toBe(needed)
  })

  it('tells of each only what is new since the answer that its request names', async () => {
    const [long, short] = await Promise.all([app.context(issue(1)), app.context(issue(2))])
    const known = [
      issue(1, { since: long.context_id, max_age: 0 }),
      issue(2, { since: short.context_id }),
    ]
    expect(await resultsOf({ requests: known })).toEqual([{ status: 304 }, { status: 304 }])
    addComments(github.world, thread, 1, () => ({ body: 'News.' }))
    const requests = [...known, issue(2)]
    for (const budget of [{}, { max_tokens: 9_000 }]) {
      const [told, nothing, whole] = await resultsOf({ requests, ...budget })
      expect([nothing, whole?.answer]).toEqual([{ status: 304 }, short])
      expect(told?.answer).toMatchObject({ since: long.context_id, unchanged_blocks: 0 })
      expect(told?.answer?.context[0]?.comments).toMatchObject([{ body: 'News.' }])
    }
  })

  it('takes query and trust as defaults', async () => {
    const results = await resultsOf({
      requests: [issue(2), issue(2, { min_trust: 'stranger' })],
      min_trust: 'maintainer',
    })
    const [strict, open] = results.map(({ answer }) => answer?.context[0]?.trust)
    expect([strict, open]).toEqual(['maintainer', 'stranger'])
  })

  it.each([
    [{}, '/requests'],
    [{ requests: [] }, '/requests'],
    [{ requests: Array(51).fill(repo) }, '/requests'],
    [{ requests: [repo], max_tokens: 50 }, '/max_tokens'],
    [{ requests: [repo, repo], max_tokens: 150 }, '/max_tokens'],
    [{ requests: [repo], tokens: 500 }, '/tokens'],
  ])('refuses what it cannot read: %#', async (body, pointer) => {
    const answer = await post(body)
    expect(answer.status).toBe(400)
    expect(answer.json<Problem>().errors?.[0]?.pointer).toBe(pointer)
  })

  it('streams results as they are ready', async () => {
    const stream = await openEvents(`${app.url}/mcp/context/batch`, { requests: [issue(2), repo] })
    const events = await stream.all()
    expect(events.map(({ name }) => name)).toEqual(['result', 'result', 'done'])
    expect(
      events
        .slice(0, 2)
        .map(({ data }) => data.index)
        .sort(),
    ).toEqual([0, 1])
    expect(events.at(-1)?.data).toEqual({ github_requests: 3 })
  })
})
