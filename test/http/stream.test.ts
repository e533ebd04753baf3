import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import { openEvents } from '../support/events.ts'
import {
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'

const issue = {
  context_type: 'github_issue',
  params: { owner: 'octo', repo: 'talk', issue_number: 1 },
}

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  addIssue(github.world, 'octo/talk', { title: 'Talk' })
  app = await startApp({ github })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const open = (body: object) => openEvents(`${app.url}/mcp/context`, body)

describe('Accept: text/event-stream', () => {
  it('sends the blocks and then the rest of the answer', async () => {
    const stream = await open(issue)
    expect(stream.status).toBe(200)
    expect(stream.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    const events = await stream.all()
    const { context, ...rest } = await app.context(issue)
    expect(events.map(({ name }) => name)).toEqual(['block', 'done'])
    expect(events[0]?.data).toEqual(context[0])
    expect(events[1]?.data).toEqual({
      ...rest,
      blocks: 1,
      cache_status: 'github-context-service; fwd=uri-miss; stored',
      age: 0,
      github_requests: 2,
    })
  })

  it('sends the same from the cache', async () => {
    await app.context(issue)
    const events = await (await open(issue)).all()
    expect(events.map(({ name }) => name)).toEqual(['block', 'done'])
    expect(events[1]?.data).toMatchObject({ github_requests: 0 })
  })

  it('answers a failure by its status for as long as nothing was sent', async () => {
    const stream = await open({ ...issue, params: { ...issue.params, issue_number: 99 } })
    expect(stream.status).toBe(404)
    expect(stream.headers['content-type']).toBe('application/problem+json; charset=utf-8')
  })

  it('sends a description before the rest is there', async () => {
    const pull = {
      context_type: 'github_pull_request',
      params: { owner: 'octocat', repo: 'Hello-World', pull_number: 1347 },
    }
    await using credentialed = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
    const held = github.fault({ kind: 'hang', match: /\/pulls\/1347\/files/ })
    const stream = await openEvents(`${credentialed.url}/mcp/context`, pull)
    const { value: first } = await stream[Symbol.asyncIterator]().next()
    expect(first?.name).toBe('block')
    expect(first?.data.type).toBe('github_pull_request')
    await stream.close()
    held.remove()
  })
})

describe('a caller who hangs up', () => {
  const pull = {
    context_type: 'github_pull_request',
    params: { owner: 'octocat', repo: 'Hello-World', pull_number: 1347 },
  }
  /** Milliseconds in which the calls to GitHub must be gone. */
  const SOON = 50

  /**
   * Milliseconds from the caller's end to that of the last call to GitHub, as GitHub saw them close.
   * It answers none of them, so only the service can have closed them.
   */
  async function untilAborted(hangUp: () => void): Promise<number> {
    const held = github.requests.filter(({ fault }) => fault === 'hang')
    expect(held.length).toBeGreaterThan(0)
    expect(held.every(({ leftAt }) => leftAt === 0)).toBe(true)
    const at = performance.now()
    hangUp()
    await expect
      .poll(() => held.every(({ leftAt }) => leftAt > 0), { interval: 5, timeout: 8_000 })
      .toBe(true)
    return Math.max(...held.map(({ leftAt }) => leftAt)) - at
  }

  /** Of several tries the quickest: the machine may be busy, what waits for something is slow each time. */
  async function quickest(once: (app: App) => Promise<number>): Promise<number> {
    const all: number[] = []
    for (let run = 0; run < 5; run += 1) {
      await using credentialed = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
      github.resetCounts()
      all.push(await once(credentialed))
    }
    return Math.min(...all)
  }

  it('ends the calls to GitHub within 50 ms before the first block', async () => {
    github.fault({ kind: 'hang', match: /./ })
    const took = await quickest(async ({ url }) => {
      const hangUp = new AbortController()
      const asking = fetch(`${url}/mcp/context`, {
        method: 'POST',
        headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
        body: JSON.stringify(pull),
        signal: hangUp.signal,
      }).catch(({ name }: Error) => name)
      await expect.poll(() => github.requests.length).toBeGreaterThanOrEqual(4)
      const milliseconds = await untilAborted(() => hangUp.abort())
      expect(await asking).toBe('AbortError')
      return milliseconds
    })
    expect(took).toBeLessThan(SOON)
  })

  it('ends the calls to GitHub within 50 ms after the first block', async () => {
    github.fault({ kind: 'hang', match: /\/(files|reviews|graphql|status|check-runs)/ })
    const took = await quickest(async ({ url }) => {
      const stream = await openEvents(`${url}/mcp/context`, pull)
      const { value } = await stream[Symbol.asyncIterator]().next()
      expect(value?.data.type).toBe('github_pull_request')
      await expect.poll(() => github.count({ path: /check-runs/ })).toBe(1)
      return untilAborted(() => void stream.close())
    })
    expect(took).toBeLessThan(SOON)
  })
})
