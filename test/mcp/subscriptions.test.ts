import type { Client } from '@modelcontextprotocol/client'
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
import { connect, type Rpc, rpc, send } from '../support/mcp/client.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { deliver } from '../support/webhooks.ts'

const SECRET = 'a webhook secret'
const TOKEN = ['ghp', 'sub'.repeat(12)].join('_')
const DELIVERIES = 50
const uri = (number: number) => `github://octo/talk/issues/${number}`
const edited = (number: number) => ({
  action: 'edited',
  repository: { full_name: 'octo/talk' },
  issue: { number },
})

let github: GitHub
let redis: RedisServer
let here: App
let there: App
const clients: Client[] = []
beforeEach(async () => {
  github = await startGitHub()
  redis = await startRedis()
  addAccount(github.world, { login: 'octo', token: TOKEN, limits: { core: 100_000 } })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  for (let number = 1; number <= DELIVERIES; number += 1) addIssue(github.world, 'octo/talk')
  here = await start()
  there = await start()
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  for (const app of [here, there]) app.health.become('draining')
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

interface Listener {
  /** Addresses that changed, in the order of the words about them. */
  readonly changed: string[]
  readonly honored: readonly string[] | undefined
  readonly closed: Promise<unknown>
  close(): Promise<void>
}

/** The official client, listening on one replica. */
async function listen(app: App, resourceSubscriptions: string[]): Promise<Listener> {
  const client = await connect(app.url, '2026-07-28')
  clients.push(client)
  const changed: string[] = []
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    changed.push(params.uri)
  })
  const { close, closed, honoredFilter } = await client.listen({ resourceSubscriptions })
  return { changed, closed, close, honored: honoredFilter.resourceSubscriptions }
}

const tell = async (app: App, number: number) =>
  expect((await deliver(app, 'issues', edited(number), SECRET)).status).toBe(202)

describe('a client that listens on one replica', () => {
  it('hears within 500 ms of a signed webhook that came to another', async () => {
    const uris = Array.from({ length: DELIVERIES }, (_, index) => uri(index + 1))
    const { changed, honored } = await listen(there, uris)
    expect(honored?.toSorted()).toEqual(uris.toSorted())
    const times: number[] = []
    for (const [index, expected] of uris.entries()) {
      const sent = performance.now()
      await tell(here, index + 1)
      await expect.poll(() => changed.at(-1), { interval: 2, timeout: 5_000 }).toBe(expected)
      times.push(performance.now() - sent)
    }
    expect(Math.max(...times)).toBeLessThan(500)
    expect(changed).toEqual(uris)
  })

  it('hears once of each event, of what it listens to alone', async () => {
    const list = 'github://octo/talk/issues'
    const { changed } = await listen(there, [uri(1), list])
    await tell(here, 2)
    await expect.poll(() => changed).toEqual([list])
    await tell(there, 1)
    await expect.poll(() => changed.length).toBe(3)
    expect(changed.slice(1).toSorted()).toEqual([list, uri(1)])
  })

  it('reads what is new after it heard', async () => {
    const { changed } = await listen(there, [uri(1)])
    updateIssue(github.world, issueOf(github.world, 'octo/talk', 1), { title: 'Another title' })
    await tell(here, 1)
    await expect.poll(() => changed.length).toBe(1)
    const { result } = await rpc(there, '2026-07-28', 'resources/read', { uri: uri(1) })
    expect(result.contents[0].text).toContain('Another title')
  })

  it('hears late of what happened while its replica had lost Redis', async () => {
    const { changed } = await listen(there, [uri(1)])
    await redis.kill()
    await tell(here, 1)
    await redis.restart()
    await expect.poll(() => changed.length, { timeout: 15_000 }).toBeGreaterThan(0)
  })

  it('gets only what its credential may read', async () => {
    const nowhere = ['github://octo/secret', 'github://octo/talk/issues/999', 'test://nothing']
    expect((await listen(there, [...nowhere, uri(3)])).honored).toEqual([uri(3)])
    // With nothing to tell of, the subscription is over at once.
    const { closed, honored } = await listen(there, nowhere)
    expect(honored).toBeUndefined()
    await closed
  })

  it('that loses access is told once more, and then no longer', async () => {
    const { changed, closed } = await listen(there, [uri(1)])
    const payload = { action: 'privatized', repository: { full_name: 'octo/talk' } }
    expect((await deliver(here, 'repository', payload, SECRET)).status).toBe(202)
    await closed
    expect(changed).toEqual([uri(1)])
  })

  it('is let go of when the service ends, with a result', async () => {
    const answer = send(there, '2026-07-28', 'subscriptions/listen', {
      notifications: { resourceSubscriptions: [uri(1)] },
    })
    await expect.poll(() => github.count({ path: /issues\/1/ })).toBeGreaterThan(0)
    there.health.become('draining')
    const events = (await answer).text.trim().split('\n\n')
    const [first, last] = [events[0], events.at(-1)].map(
      (event) => JSON.parse(event?.split('data: ')[1] ?? '') as Rpc & { method?: string },
    )
    const meta = { 'io.modelcontextprotocol/subscriptionId': 1 }
    expect(first).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: { _meta: meta, notifications: { resourceSubscriptions: [uri(1)] } },
    })
    expect(last).toMatchObject({ id: 1, result: { resultType: 'complete', _meta: meta } })
  })
})

describe('what is no subscription', () => {
  it.each([
    [{ resourceSubscriptions: 'x' }],
    [{ resourceSubscriptions: [1] }],
    [{ resourceSubscriptions: Array.from({ length: 101 }, (_, index) => uri(index)) }],
    [undefined],
  ])('is refused: %o', async (notifications) => {
    const { error } = await rpc(here, '2026-07-28', 'subscriptions/listen', { notifications })
    expect(error?.code).toBe(-32602)
  })

  it('is one that takes no stream', async () => {
    const params = { notifications: { resourceSubscriptions: [uri(1)] } }
    const headers = { accept: 'application/json' }
    const { error } = await rpc(here, '2026-07-28', 'subscriptions/listen', params, headers)
    expect(error?.message).toMatch(/text\/event-stream/)
  })

  it('is there for clients of before, to whom nothing can be sent', async () => {
    const { error } = await rpc(here, '2025-11-25', 'resources/subscribe', { uri: uri(1) })
    expect(error?.code).toBe(-32601)
  })
})
