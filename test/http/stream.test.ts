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
