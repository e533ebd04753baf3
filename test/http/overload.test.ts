import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFairLoop } from '../../src/core/fairLoop.ts'
import { createAdmission } from '../../src/http/admission.ts'
import { type App, type Problem, startApp } from '../support/app.ts'
import { type EventStream, openEvents } from '../support/events.ts'
import {
  addPull,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'
import { message } from '../support/mcp/client.ts'

const ANN = { 'x-api-key': 'ann-key-0123456789' }
const BOB = { 'x-api-key': 'bob-key-0123456789' }
const API_KEYS = `ann:${ANN['x-api-key']},bob:${BOB['x-api-key']}`
/** Its first block is there before its files are. */
const pull = (number: number) => ({
  context_type: 'github_pull_request',
  params: { owner: 'octo', repo: 'talk', pull_number: number },
})
const PATH = '/mcp/context/github_repo?owner=octocat&repo=Hello-World'

let github: GitHub
let app: App
const sockets: Socket[] = []
const streams: EventStream[] = []
beforeEach(async () => {
  github = await startGitHub()
})
afterEach(async () => {
  for (const stream of streams.splice(0)) await stream.close()
  for (const socket of sockets.splice(0)) socket.destroy()
  await app.close()
  await github.close()
})

/** A stream whose end never comes. */
async function stream(number: number, headers: Record<string, string>): Promise<EventStream> {
  const opened = await openEvents(`${app.url}/mcp/context`, pull(number), headers)
  streams.push(opened)
  return opened
}

function addPulls(): void {
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  for (let number = 1; number <= 8; number += 1) addPull(github.world, 'octo/talk')
  github.fault({ kind: 'hang', match: /\/pulls\/\d\/files/ })
}

/** Requests that GitHub leaves waiting, until `abort`. */
function hold(headers: Record<string, string>, from: number, count: number) {
  const abort = new AbortController()
  const statuses: number[] = []
  for (let at = from; at < from + count; at += 1) {
    const path = `/mcp/context/github_issue?owner=octocat&repo=Hello-World&issue_number=${at}`
    fetch(app.url + path, { headers, signal: abort.signal }).then(
      async (answer) => {
        statuses.push(answer.status)
        await answer.text()
      },
      () => {},
    )
  }
  return { statuses, abort: () => abort.abort() }
}

describe('requests in work', () => {
  beforeEach(async () => {
    app = await startApp({
      github,
      env: { API_KEYS, GITHUB_TOKEN: OCTOCAT_TOKEN, MAX_CONCURRENT_REQUESTS: '6' },
    })
    for (const key of [ANN, BOB]) expect((await app.get(PATH, key)).status).toBe(200)
    github.fault({ kind: 'hang', match: /\/issues/ })
  })

  it('are bounded: the surplus gets 503 at once, and probes and metrics their answers', async () => {
    const ann = hold(ANN, 1, 6)
    await vi.waitFor(() => expect(ann.statuses).toEqual([503, 503]))
    const bob = hold(BOB, 11, 3)
    await vi.waitFor(() => expect(bob.statuses).toEqual([503]))
    const refused = await app.get(PATH, { ...BOB, 'x-request-id': 'mine' })
    expect(refused.status).toBe(503)
    expect(refused.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'retry-after': '1',
      'cache-control': 'no-store',
      'x-request-id': 'mine',
      'x-content-type-options': 'nosniff',
    })
    expect(refused.json<Problem>()).toMatchObject({
      code: 'overloaded',
      status: 503,
      title: 'Overloaded',
      request_id: 'mine',
      retry_after: 1,
      detail: expect.stringContaining('Retry after 1 s.'),
    })
    for (const path of ['/health', '/health/live', '/health/ready', '/metrics'])
      expect([path, (await app.get(path)).status]).toEqual([path, 200])
    expect((await app.get('/metrics')).text).toContain('outcome="overloaded"')
    const { text } = await app.get('/metrics')
    expect(text).toContain('requests_in_work 6')
    expect(text).toMatch(/requests_shed_total\{why="share"\} [1-9]/)
    expect(text).toMatch(/requests_shed_total\{why="concurrency"\} [1-9]/)
    for (const each of [ann, bob]) each.abort()
  })

  it('of one caller leave room for another', async () => {
    const ann = hold(ANN, 1, 30)
    await vi.waitFor(() => expect(ann.statuses).toHaveLength(26))
    expect((await app.get(PATH, ANN)).status).toBe(503)
    expect((await app.get(PATH, BOB)).status).toBe(200)
    ann.abort()
  })

  it('give their places back when their callers hang up', async () => {
    const ann = hold(ANN, 1, 6)
    await vi.waitFor(() => expect(ann.statuses).toEqual([503, 503]))
    ann.abort()
    await vi.waitFor(async () => expect((await app.get(PATH, ANN)).status).toBe(200))
    const again = hold(ANN, 21, 6)
    await vi.waitFor(() => expect(again.statuses).toEqual([503, 503]))
    again.abort()
  })

  it('are not streams that have begun', async () => {
    addPulls()
    for (let number = 1; number <= 8; number += 1)
      expect((await stream(number, ANN)).status).toBe(200)
    const { text } = await app.get('/metrics')
    expect(text).toContain('streams_open 8')
    expect(text).toContain('requests_in_work 0')
    expect((await app.get(PATH, ANN)).status).toBe(200)
  })
})

describe('streams', () => {
  const listen = message('2026-07-28', 'subscriptions/listen', {
    notifications: { resourceSubscriptions: ['github://octocat/Hello-World'] },
  })
  const subscribe = () =>
    fetch(`${app.url}/mcp`, {
      method: 'POST',
      headers: { ...listen.headers, ...ANN },
      body: JSON.stringify(listen.body),
    })

  beforeEach(async () => {
    app = await startApp({
      github,
      env: { API_KEYS, GITHUB_TOKEN: OCTOCAT_TOKEN, MAX_STREAMS_PER_CALLER: '2' },
    })
    expect((await app.get(PATH, ANN)).status).toBe(200)
    addPulls()
  })

  it('are bounded for each caller, by all doors together', async () => {
    const first = await stream(1, ANN)
    const subscription = await subscribe()
    expect([first.status, subscription.status]).toEqual([200, 200])
    expect(subscription.headers.get('content-type')).toContain('text/event-stream')

    const third = await app.post(pull(4), { ...ANN, accept: 'text/event-stream' })
    expect(third.status).toBe(429)
    expect(third.headers['retry-after']).toBe('1')
    expect(third.json<Problem>()).toMatchObject({
      code: 'rate_limited',
      detail: expect.stringContaining('MAX_STREAMS_PER_CALLER'),
    })
    const batch = { requests: [{ context_type: 'github_repo', params: pull(1).params }] }
    const events = { ...ANN, accept: 'text/event-stream', 'content-type': 'application/json' }
    const fourth = await app.send('POST', '/mcp/context/batch', events, JSON.stringify(batch))
    expect(fourth.status).toBe(429)
    const fifth = (await (await subscribe()).json()) as { error: { data: unknown } }
    expect(fifth.error.data).toMatchObject({ code: 'rate_limited', retry_after: 1 })

    // What is no stream is served, and so are others.
    expect((await app.get(PATH, ANN)).status).toBe(200)
    const other = await stream(2, BOB)
    expect(other.status).toBe(200)
    const { text } = await app.get('/metrics')
    expect(text).toContain('streams_open 3')
    expect(text).toContain('requests_shed_total{why="streams"} 3')

    await subscription.body?.cancel()
    await first.close()
    await other.close()
    await vi.waitFor(async () =>
      expect((await app.get('/metrics')).text).toContain('streams_open 0'),
    )
    const again = await stream(3, ANN)
    expect(again.status).toBe(200)
  })
})

const HELLO = 'GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n'

/** Requests that are all there when the loop gets to them, each on a connection of its own. */
async function burst(count: number, path: string, headers: Record<string, string>) {
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const bytes = `GET ${path} HTTP/1.1\r\nhost: localhost\r\n${head.join('')}\r\n`
  const { hostname, port } = new URL(app.url)
  const opened = Array.from({ length: count }, () => connect(Number(port), hostname))
  sockets.push(...opened)
  // Connections are accepted one a turn: only who was answered is sure to be there.
  await Promise.all(opened.map((socket) => statusOf(socket, HELLO)))
  return {
    send: () => opened.map((socket) => statusOf(socket, bytes)),
  }
}

function statusOf(socket: Socket, bytes: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  socket.once('data', (chunk) => resolve(Number(chunk.toString('latin1', 9, 12))))
  socket.write(bytes)
  return promise
}

function block(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

/** Piles up by `burst`, so that what a request takes is known. */
async function learn(): Promise<void> {
  const requests = await burst(60, PATH, {})
  await Promise.all(requests.send())
}

describe('an event loop that is behind', () => {
  const MS = 2

  beforeEach(async () => {
    app = await startApp({
      github,
      env: { MAX_EVENT_LOOP_DELAY_MS: '200' },
      replace: { rateLimitRemaining: () => void block(MS) },
    })
    expect((await app.get(PATH)).status).toBe(200)
    await learn()
  })

  it('refuses a part at the door, as it comes, and answers the rest; probes first of all', async () => {
    const requests = await burst(500, PATH, {})
    const probes = await burst(20, '/health', {})
    const logged = app.logs.length
    const order: number[] = []
    const note = (status: number) => void order.push(status)
    const statuses = requests.send().map(async (status) => note(await status))
    await Promise.all(probes.send().map(async (status) => expect(await status).toBe(200)))
    // Answers take a second; who looks after the service has waited for a turn or two.
    expect(order.filter((status) => status === 200).length).toBeLessThan(250)
    await Promise.all(statuses)
    const refused = order.filter((status) => status === 503).length
    expect(new Set(order)).toEqual(new Set([200, 503]))
    expect(refused).toBeGreaterThan(100)
    // Those that were refused have not waited for those before them.
    expect(order.lastIndexOf(503)).toBeLessThan(500 - 150)
    // A line for each would cost more than the refusal.
    expect(app.logs.length - logged).toBe(500 - refused + 20)
    expect((await app.get('/metrics')).text).toContain(
      `requests_shed_total{why="delay"} ${refused}`,
    )
  })

  it('lets a few through however late it is: that is a pause, and no overload', async () => {
    const requests = await burst(50, PATH, {})
    const statuses = requests.send()
    block(400)
    expect(new Set(await Promise.all(statuses))).toEqual(new Set([200]))
  })

  it('accepts new connections meanwhile: a probe that comes now waits for none of the others', async () => {
    const requests = await burst(800, PATH, {})
    let answered = 0
    const all = requests.send().map((status) => status.then(() => (answered += 1)))
    await vi.waitFor(() => expect(answered).toBeGreaterThan(0))
    for (let each = 0; each < 5; each += 1) {
      const probe = connect(Number(new URL(app.url).port), '127.0.0.1')
      sockets.push(probe)
      expect(await statusOf(probe, HELLO)).toBe(200)
    }
    expect(answered).toBeLessThan(800)
    await Promise.all(all)
  })

  it('counts the time that a request waits for as the request’s', async () => {
    const requests = await burst(100, PATH, {})
    const logged = app.logs.length
    expect(await Promise.all(requests.send())).not.toContain(500)
    const durations = app.logs.slice(logged).map(({ duration_ms }) => Number(duration_ms))
    expect(durations.length).toBeGreaterThan(50)
    expect(Math.max(...durations)).toBeGreaterThan(50 * MS)
  })

  it('does nothing for who hangs up while it waits, and tells of it', async () => {
    await app.close()
    const fairLoop = createFairLoop()
    const rateLimitRemaining = () => void block(MS)
    app = await startApp({ github, replace: { fairLoop, rateLimitRemaining } })
    expect((await app.get(PATH)).status).toBe(200)
    const requests = await burst(200, PATH, {})
    const logged = app.logs.length
    void Promise.all(requests.send())
    await vi.waitFor(() => expect(fairLoop.waiting).toBeGreaterThan(100), { interval: 1 })
    for (const socket of sockets) socket.destroy()
    await vi.waitFor(() => expect(fairLoop.waiting).toBe(0))
    const left = app.logs.slice(logged).filter(({ outcome }) => outcome === 'aborted')
    expect(left.length).toBeGreaterThan(50)
    expect(left[0]).toMatchObject({ status: 499, upstream_calls: 0 })
  })
})

describe('the decision', () => {
  /** A loop in which so many wait, for one millisecond each. */
  function full(waiting: number) {
    return { waiting, delayOf: (name: string) => (name === 'ann' ? waiting : 1) }
  }
  const options = { maxConcurrent: 1_000_000, maxDelay: 100, maxWaiting: 10_000, maxStreams: 100 }

  it('lets at least nine in ten of the time go to answers, however many are refused', () => {
    const admission = createAdmission({ ...options, queues: [full(5_000)] })
    const count = { refused: 0, answered: 0 }
    for (let request = 0; request < 200_000; request += 1)
      count[admission.isFull('ann') ? 'refused' : 'answered'] += 1
    // A refusal takes a third of an answer.
    expect(count.answered / (count.answered + count.refused / 3)).toBeGreaterThan(0.9)
    expect(count.refused).toBeGreaterThan(count.answered / 8)
    expect(admission.stats().shed).toEqual({
      delay: count.refused,
      concurrency: 0,
      share: 0,
      streams: 0,
    })
  })

  it('refuses all of a surplus of a seventh', () => {
    const loop = full(200)
    const admission = createAdmission({ ...options, queues: [loop] })
    for (let second = 0; second < 100; second += 1) {
      loop.waiting = 50
      for (let request = 0; request < 1_000; request += 1) admission.isFull('ann')
      expect(admission.stats().shed.delay).toBe(second * 140)
      loop.waiting = 200
      for (let request = 0; request < 140; request += 1) admission.isFull('ann')
      expect(admission.stats().shed.delay).toBe((second + 1) * 140)
    }
  })

  it('is against who has much waiting, and for the others', () => {
    const admission = createAdmission({ ...options, queues: [full(1_000)] })
    expect(admission.isFull('ann')).toBe(true)
    for (let request = 0; request < 100; request += 1) expect(admission.isFull('bob')).toBe(false)
    expect(admission.isFull('ann')).toBe(true)
  })

  it('keeps no more waiting than there may be connections, as one may carry many requests', () => {
    const admission = createAdmission({ ...options, queues: [full(10_000)] })
    for (let request = 0; request < 2_000; request += 1) expect(admission.isFull('ann')).toBe(true)
  })
})
