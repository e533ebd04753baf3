import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import {
  addAccount,
  addIssue,
  addRepository,
  type GitHub,
  issueOf,
  startGitHub,
  updateIssue,
} from '../support/github/index.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { deliver } from '../support/webhooks.ts'

const SECRET = 'a webhook secret'
const TOKEN = 'ghp_octooctooctooctooctooctooctooctoocto'
const HOOK = { 'x-github-hook-id': '7', 'x-github-hook-installation-target-type': 'repository' }
const OTHER = { ...HOOK, 'x-github-hook-id': '10' }
const EVENTS = [
  ...['issues', 'issue_comment', 'sub_issues', 'pull_request', 'repository'],
  ...['member', 'membership', 'organization', 'team'],
]
const repository = (name = 'talk') => ({
  full_name: `octo/${name}`,
  private: false,
  visibility: 'public',
})
const ping = (events: readonly string[] = EVENTS) => ({
  zen: 'Keep it simple',
  hook_id: 7,
  hook: { type: 'Repository', events },
  repository: repository(),
})
const edited = (number: number, name?: string) => ({
  action: 'edited',
  repository: repository(name),
  issue: { number },
})
const MINUTE = 66
/** Milliseconds. */
const GIVE_UP = 10_000

let github: GitHub
let redis: RedisServer
let here: App
let there: App
let numbers = 0
beforeEach(async () => {
  github = await startGitHub()
  redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
  addAccount(github.world, { login: 'octo', token: TOKEN, limits: { core: 100_000 } })
  for (const name of ['talk', 'other']) {
    addRepository(github.world, { owner: 'octo', name })
    for (let count = 0; count < 200; count += 1) addIssue(github.world, `octo/${name}`)
  }
  here = await start()
  there = await start()
  numbers = 0
})
afterEach(async () => {
  await Promise.all([here.close(), there.close()])
  await redis.close()
  await github.close()
})

const start = (env: Record<string, string> = {}) =>
  startApp({
    github,
    env: {
      GITHUB_TOKEN: TOKEN,
      GITHUB_WEBHOOK_SECRET: SECRET,
      REDIS_URL: redis.url,
      // It writes to a disk that others use too, and what is told is lost where it is not waited for.
      REDIS_TIMEOUT_MS: '5000',
      RATE_LIMIT_MAX: '1000000',
      ...env,
    },
  })
const issue = (issue_number: number, repo = 'talk', more = {}) => ({
  context_type: 'github_issue',
  params: { owner: 'octo', repo, issue_number, ...more },
})
const status = async (app: App, request: object, headers = {}) =>
  String((await app.post(request, headers)).headers['cache-status'])
/** Seconds for which an answer that nobody has asked for yet is fresh. */
async function freshFor(app: App, repo?: string, more?: object, headers = {}): Promise<number> {
  numbers += 1
  const request = issue(numbers, repo, more)
  await app.post(request, headers)
  const [, ttl] = /; hit; ttl=(\d+)/.exec(await status(app, request, headers)) ?? []
  return Number(ttl)
}
async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + GIVE_UP
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error('never came about')
    await pause(20)
  }
}
/** Until it is relied on that every change is told. */
const isLong = async (app: App, repo?: string) => (await freshFor(app, repo)) > MINUTE
const send = (event: string, payload: object, headers: Record<string, string> = HOOK) =>
  deliver(here, event, payload, SECRET, headers)
async function relyOnWebhooks(): Promise<void> {
  await send('ping', ping())
  await until(() => isLong(here))
  await until(() => isLong(there))
}

describe('an answer is fresh for five minutes', () => {
  it('on every replica once a ping has listed all that must be told', async () => {
    expect(await freshFor(here)).toBeLessThanOrEqual(MINUTE)
    await relyOnWebhooks()
    for (const app of [here, there]) {
      const seconds = await freshFor(app)
      expect(seconds).toBeGreaterThanOrEqual(268)
      expect(seconds).toBeLessThanOrEqual(330)
    }
  })

  it('where each of the events has been seen to come', async () => {
    for (const event of EVENTS) {
      expect(await freshFor(here)).toBeLessThanOrEqual(MINUTE)
      const payload = { ...edited(199), organization: { login: 'octo' } }
      await send(event, payload, {})
    }
    await until(() => isLong(there))
  })

  it('and asked for anew at once when a delivery names it', async () => {
    await relyOnWebhooks()
    numbers += 1
    await there.post(issue(numbers))
    expect(await status(there, issue(numbers))).toMatch(/hit; ttl=[23]/)
    updateIssue(github.world, issueOf(github.world, 'octo/talk', numbers), { title: 'after' })
    await send('issues', edited(numbers))
    await until(async () => (await there.post(issue(numbers))).text.includes('after'))
  })

  it('for whatever an organization’s hook tells of', async () => {
    const ofAll = {
      'x-github-hook-id': '8',
      'x-github-hook-installation-target-type': 'organization',
    }
    const { repository: _, ...rest } = ping()
    const organization = { login: 'Octo' }
    await send(
      'ping',
      { ...rest, hook: { type: 'Organization', events: ['*'] }, organization },
      ofAll,
    )
    await until(() => isLong(there, 'other'))
  })

  it('after the first delivery for a repository by a hook whose events are known', async () => {
    const app = { 'x-github-hook-id': '9', 'x-github-hook-installation-target-type': 'integration' }
    const { repository: _, ...rest } = ping()
    await send('ping', { ...rest, hook: { type: 'App', events: EVENTS } }, app)
    expect(await freshFor(there)).toBeLessThanOrEqual(MINUTE)
    await until(async () => {
      await send('issues', edited(199), app)
      return isLong(there)
    })
  })
})

describe('an answer is fresh for a minute', () => {
  it('of other repositories', async () => {
    await relyOnWebhooks()
    for (const app of [here, there])
      expect(await freshFor(app, 'other')).toBeLessThanOrEqual(MINUTE)
  })

  it.each(EVENTS)('where %s would not be told', async (missing) => {
    await send('ping', ping([...EVENTS, 'push'].filter((event) => event !== missing)))
    // What came later is known.
    await send('ping', { ...ping(), repository: repository('other') }, OTHER)
    await until(() => isLong(there, 'other'))
    expect(await freshFor(there)).toBeLessThanOrEqual(MINUTE)
  })

  it('where what it shows changes without a word', async () => {
    await relyOnWebhooks()
    expect(await freshFor(here, 'talk', { include: ['timeline'] })).toBeLessThanOrEqual(MINUTE)
  })

  it('for a caller’s own token, whose end nothing tells', async () => {
    await using own = await start({ ALLOW_CALLER_TOKENS: 'true' })
    await relyOnWebhooks()
    await until(async () => {
      await send('issues', edited(199))
      return isLong(own)
    })
    const headers = { 'x-github-token': TOKEN }
    expect(await freshFor(own, 'talk', {}, headers)).toBeLessThanOrEqual(MINUTE)
  })

  it('for a replica that came later, until the next delivery', async () => {
    await relyOnWebhooks()
    await using late = await start()
    expect(await freshFor(late)).toBeLessThanOrEqual(MINUTE)
    await until(async () => {
      await send('issues', edited(199))
      return isLong(late)
    })
  })

  it('after Redis was lost, until the next delivery', async () => {
    await relyOnWebhooks()
    await redis.kill()
    await until(async () => !(await isLong(here)))
    await redis.restart()
    await until(
      async () =>
        (await send('ping', { ...ping(), repository: repository('other') }, OTHER)).status ===
          204 && isLong(there, 'other'),
    )
    for (const app of [here, there]) expect(await freshFor(app)).toBeLessThanOrEqual(MINUTE)
    await until(async () => {
      await send('issues', edited(199))
      return (await isLong(here)) && (await isLong(there))
    })
  })

  it('once the hook is gone', async () => {
    await relyOnWebhooks()
    await send('meta', { action: 'deleted', hook_id: 7, repository: repository() })
    await until(async () => !(await isLong(there)))
  })

  it('without Redis, where a delivery reaches one of those who may be there', async () => {
    await using alone = await start({ REDIS_URL: '' })
    for (const event of ['ping', ...EVENTS])
      await deliver(alone, event, event === 'ping' ? ping() : edited(199), SECRET, HOOK)
    expect(await freshFor(alone)).toBeLessThanOrEqual(MINUTE)
  })
})
