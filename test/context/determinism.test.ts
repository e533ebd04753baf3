import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { providers } from '../../src/context/registry.ts'
import { type App, startApp } from '../support/app.ts'
import {
  addAccount,
  addComments,
  addIssue,
  addRepository,
  type GitHub,
  issueOf,
  OCTOCAT_TOKEN,
  recordedWorld,
  startGitHub,
  updateIssue,
  updateRepository,
} from '../support/github/index.ts'

/** A world that says the same each time it is made. */
function sameWorld() {
  const world = recordedWorld()
  world.now = () => Date.parse('2026-01-31T12:00:00Z')
  addRepository(world, { owner: 'octo', name: 'talk', topics: ['b', 'a'] })
  for (let i = 0; i < 12; i++) {
    const issue = addIssue(world, 'octo/talk', {
      body: `Body ${i}. `.repeat(30),
      labels: ['b', 'a'],
    })
    addComments(world, issue, 9, (j) => ({ body: `Comment ${j}. `.repeat(20) }))
  }
  return world
}

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub({ world: sameWorld() })
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const issue = { owner: 'octo', repo: 'talk', issue_number: 3 }
const requests = [
  ...providers.map(({ example, type }) => ({ context_type: type, params: example })),
  { context_type: 'github_issue', params: issue },
].flatMap((request) => [
  request,
  { ...request, max_tokens: 400 },
  { ...request, max_tokens: 400, query: 'comment 7' },
])

describe('equal content', () => {
  it('gives byte-equal bodies on every service, whoever asks', async () => {
    await using elsewhere = await startGitHub({ world: sameWorld(), latencyMs: 3 })
    addAccount(elsewhere.world, { login: 'octocat', token: 'ghp_another' })
    await using other = await startApp({ github: elsewhere, env: { GITHUB_TOKEN: 'ghp_another' } })
    for (const request of requests) {
      const [one, two] = await Promise.all([app, other].map((on) => on.post(request)))
      expect([one?.status, two?.text]).toEqual([200, one?.text])
      expect(two?.headers.etag).toBe(one?.headers.etag)
    }
  })

  it('gives byte-equal bodies when it is fetched anew', async () => {
    for (const request of requests) {
      const before = await app.post(request)
      expect((await app.post({ ...request, max_age: 0 })).text).toBe(before.text)
    }
  })

  it('keeps its id where only changes what an answer does not show', async () => {
    const request = { context_type: 'github_repo', params: { owner: 'octo', repo: 'talk' } }
    const before = await app.post(request)
    updateRepository(github.world, 'octo/talk', { size: 123_456, watchers_count: 7 })
    const after = await app.post({ ...request, max_age: 0 })
    expect(after.text).toBe(before.text)
    expect(after.headers['x-github-requests']).toBe('1')
  })
})

describe('other content', () => {
  it('has another id', async () => {
    const params = { owner: 'octo', repo: 'talk', issue_number: 3 }
    const request = { context_type: 'github_issue', params }
    const ids = [(await app.context(request)).context_id]
    const issue = issueOf(github.world, 'octo/talk', 3)
    updateIssue(github.world, issue, { title: 'Another title' })
    ids.push((await app.context({ ...request, max_age: 0 })).context_id)
    updateIssue(github.world, issue, { state: 'closed' })
    ids.push((await app.context({ ...request, max_age: 0 })).context_id)
    addComments(github.world, issue, 1, () => ({ body: 'One more.' }))
    ids.push((await app.context({ ...request, max_age: 0 })).context_id)
    expect(new Set(ids).size).toBe(4)
  })

  it('of another repository has another id, though it reads the same', async () => {
    const repo = (name: string) => ({
      context_type: 'github_repo',
      params: { owner: 'octo', repo: name },
    })
    addRepository(github.world, { owner: 'octo', name: 'one' })
    addRepository(github.world, { owner: 'octo', name: 'two' })
    const [one, two] = [await app.context(repo('one')), await app.context(repo('two'))]
    expect(one.context_id).not.toBe(two.context_id)
  })
})
