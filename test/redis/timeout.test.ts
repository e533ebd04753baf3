import { expect, it } from 'vitest'
import { startApp } from '../support/app.ts'
import { addIssue, addRepository, startGitHub } from '../support/github/index.ts'
import { startRedis } from '../support/redis.ts'

const ISSUE = {
  context_type: 'github_issue',
  params: { owner: 'octo', repo: 'talk', issue_number: 1 },
}

it('waits for Redis as long as it is told to, and then goes on without', async () => {
  await using redis = await startRedis()
  await using github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  addIssue(github.world, 'octo/talk', { number: 1, title: 'Kept waiting' })
  const env = { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '1000' }
  await using app = await startApp({ github, env })
  redis.pause()
  const before = performance.now()
  const { context } = await app.context(ISSUE)
  const took = performance.now() - before
  redis.resume()
  expect(context[0]?.title).toBe('Kept waiting')
  expect(took).toBeGreaterThan(900)
  expect(took).toBeLessThan(10_000)
})
