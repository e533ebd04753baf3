import { expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import {
  addAccount,
  addComments,
  addIssue,
  addRepository,
  emptyWorld,
  rotateToken,
  startGitHub,
} from '../support/github/index.ts'
import { startRedis } from '../support/redis.ts'

const ISSUES = 50

function worldWithIssues(etagScheme: 'github' | 'opaque' = 'github') {
  const world = Object.assign(emptyWorld(), { etagScheme })
  addAccount(world, { login: 'agent', token: 'ghp_before' })
  const repository = addRepository(world, {
    owner: 'acme',
    name: 'engine',
    private: true,
    readers: ['agent'],
  })
  for (let number = 0; number < ISSUES; number += 1)
    addComments(world, addIssue(world, repository, {}), 2)
  return world
}

const issues = Array.from({ length: ISSUES }, (_, index) => ({
  context_type: 'github_issue',
  params: { owner: 'acme', repo: 'engine', issue_number: index + 1 },
}))

/** A few at a time: what one process has too much of does not wait for Redis. */
async function askAll(app: App): Promise<void> {
  for (let at = 0; at < ISSUES; at += 5)
    await Promise.all(issues.slice(at, at + 5).map((issue) => app.context(issue)))
}

it('after a rotation of the token unchanged things still answer 304, out of the bodies in Redis', async () => {
  await using redis = await startRedis()
  const world = worldWithIssues()
  await using github = await startGitHub({ world })
  // A machine that stands still for a moment is not a Redis that is lost.
  const env = { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '5000', RATE_LIMIT_MAX: '10000' }
  {
    await using before = await startApp({ github, env: { ...env, GITHUB_TOKEN: 'ghp_before' } })
    await askAll(before)
  }
  rotateToken(world, 'agent', 'ghp_after')
  await using after = await startApp({ github, env: { ...env, GITHUB_TOKEN: 'ghp_after' } })
  github.resetCounts()

  await askAll(after)

  const asked = github.requests.filter(({ path }) => path.startsWith('/repos/'))
  const unchanged = asked.filter(({ status }) => status === 304)
  expect(asked).toHaveLength(2 * ISSUES)
  expect(unchanged.length / asked.length).toBeGreaterThanOrEqual(0.99)
  expect(asked.reduce((sum, { cost }) => sum + cost, 0)).toBe(asked.length - unchanged.length)
})

it('after a rotation lists of several pages still answer 304, page by page', async () => {
  const world = emptyWorld()
  addAccount(world, { login: 'agent', token: 'ghp_before' })
  const repository = addRepository(world, {
    owner: 'acme',
    name: 'engine',
    private: true,
    readers: ['agent'],
  })
  addComments(world, addIssue(world, repository, {}), 1_000)
  await using github = await startGitHub({ world })
  // Each token is a principal of its own here: nothing but the bodies is common to both.
  await using app = await startApp({ github, env: { ALLOW_CALLER_TOKENS: 'true' } })
  const ask = async (token: string) => {
    const params = { owner: 'acme', repo: 'engine', issue_number: 1, max_comments: 1_000 }
    const headers = { 'x-github-token': token }
    return (await app.post({ context_type: 'github_issue', params }, headers)).json()
  }
  const first = await ask('ghp_before')
  rotateToken(world, 'agent', 'ghp_after')
  github.resetCounts()

  expect(await ask('ghp_after')).toEqual(first)

  expect(first).toMatchObject({ context: [{ type: 'github_issue' }] })
  expect(github.requests.map(({ status }) => status)).toEqual(Array(11).fill(304))
})

it('when GitHub makes its tags otherwise, the stored ones take over for the same token', async () => {
  await using github = await startGitHub({ world: worldWithIssues('opaque') })
  await using app = await startApp({
    github,
    env: { GITHUB_TOKEN: 'ghp_before', RATE_LIMIT_MAX: '10000' },
  })
  // More than ten mismatches are seen here.
  await Promise.all(issues.map((issue) => app.context(issue)))
  github.resetCounts()

  await Promise.all(issues.map((issue) => app.context({ ...issue, max_age: 0 })))

  expect(github.requests).toHaveLength(2 * ISSUES)
  expect(github.count({ status: 304 })).toBe(2 * ISSUES)
})
