import { afterEach, beforeEach, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import {
  addAccount,
  addIssue,
  addRepository,
  type GitHub,
  startGitHub,
} from '../support/github/index.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { deliver } from '../support/webhooks.ts'

const SECRET = 'a webhook secret'
const TOKEN = 'ghp_octooctooctooctooctooctooctooctoocto'
const DELIVERIES = 200
const issue = {
  context_type: 'github_issue',
  params: { owner: 'octo', repo: 'talk', issue_number: 1, max_comments: 0 },
}
const edited = { action: 'edited', repository: { full_name: 'octo/talk' }, issue: { number: 1 } }

let github: GitHub
let redis: RedisServer
let here: App
let there: App
beforeEach(async () => {
  github = await startGitHub()
  redis = await startRedis()
  addAccount(github.world, { login: 'octo', token: TOKEN, limits: { core: 100_000 } })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  addIssue(github.world, 'octo/talk')
  here = await start()
  there = await start()
})
afterEach(async () => {
  await Promise.all([here.close(), there.close()])
  await redis.close()
  await github.close()
})

const start = () =>
  startApp({
    github,
    env: {
      GITHUB_TOKEN: TOKEN,
      GITHUB_WEBHOOK_SECRET: SECRET,
      REDIS_URL: redis.url,
      RATE_LIMIT_MAX: '1000000',
    },
  })
const status = async (app: App) => String((await app.post(issue)).headers['cache-status'])
const isHit = (text: string) => /hit; ttl=\d/.test(text)

it('a delivery to one replica reaches the memory of the other: p99 under 250 ms', async () => {
  const times: number[] = []
  while (times.length < DELIVERIES) {
    // What both hold in memory is fresh, and the one that hears of it first asks nobody.
    while (!isHit(await status(there))) await status(here)
    const sent = performance.now()
    expect((await deliver(here, 'issues', edited, SECRET)).status).toBe(202)
    while (isHit(await status(there)));
    times.push(performance.now() - sent)
  }
  const p99 = times.toSorted((a, b) => a - b)[Math.ceil(DELIVERIES * 0.99) - 1]
  expect(p99).toBeLessThan(250)
}, 60_000)

it('a delivery that comes to two replicas is acted upon once', async () => {
  const again = { 'x-github-delivery': 'b6d1ba2e-0000-11f0-8000-000000000002' }
  expect((await deliver(here, 'issues', edited, SECRET, again)).status).toBe(202)
  expect((await deliver(there, 'issues', edited, SECRET, again)).status).toBe(204)
})

it('without Redis deliveries are still taken, and known to the one that took them', async () => {
  while (!isHit(await status(here)));
  await redis.kill()
  const again = { 'x-github-delivery': 'b6d1ba2e-0000-11f0-8000-000000000003' }
  expect((await deliver(here, 'issues', edited, SECRET, again)).status).toBe(202)
  expect(isHit(await status(here))).toBe(false)
  expect((await deliver(here, 'issues', edited, SECRET, again)).status).toBe(204)
})

it('closing waits for what was taken: the other replica hears of it', async () => {
  while (!isHit(await status(there)));
  redis.pause()
  const delivered = deliver(here, 'issues', edited, SECRET)
  redis.resume()
  expect((await delivered).status).toBe(202)
  await here.close()
  await expect.poll(async () => isHit(await status(there))).toBe(false)
})
