import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFairLoop } from '../../src/core/fairLoop.ts'
import { createAdmission } from '../../src/http/admission.ts'
import { type App, type Problem, startApp } from '../support/app.ts'
import { openEvents } from '../support/events.ts'
import { type GitHub, startGitHub } from '../support/github/index.ts'

const ANN = { 'x-api-key': 'ann-key-0123456789' }
const BOB = { 'x-api-key': 'bob-key-0123456789' }
const API_KEYS = `ann:${ANN['x-api-key']},bob:${BOB['x-api-key']}`
const PATH = '/mcp/context/github_repo?owner=octocat&repo=Hello-World'

let github: GitHub
let app: App
const sockets: Socket[] = []
beforeEach(async () => {
  github = await startGitHub()
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await app.close()
  await github.close()
})

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
    app = await startApp({ github, env: { API_KEYS, MAX_CONCURRENT_REQUESTS: '6' } })
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
    const pull = {
      context_type: 'github_pull_request',
      params: { owner: 'octocat', repo: 'Hello-World', pull_number: 1 },
    }
    const streams = []
    // Its first block is there, and what comes after it never comes.
    for (let each = 0; each < 8; each += 1) {
      const stream = await openEvents(
        `${app.url}/mcp/context`,
        { ...pull, params: { ...pull.params, pull_number: 1 + each } },
        ANN,
      )
      streams.push(stream.status)
    }
    expect(streams).not.toContain(503)
    expect((await app.get(PATH, ANN)).status).toBe(200)
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
    const requests = await burst(400, PATH, {})
    let answered = 0
    const all = requests.send().map((status) => status.then(() => (answered += 1)))
    await vi.waitFor(() => expect(answered).toBeGreaterThan(0))
    for (let each = 0; each < 5; each += 1) {
      const probe = connect(Number(new URL(app.url).port), '127.0.0.1')
      sockets.push(probe)
      expect(await statusOf(probe, HELLO)).toBe(200)
    }
    expect(answered).toBeLessThan(300)
    await Promise.all(all)
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
  const options = { maxConcurrent: 1_000_000, maxDelay: 100, maxWaiting: 10_000 }

  it('lets at least nine in ten of the time go to answers, however many are refused', () => {
    const admission = createAdmission({ ...options, loop: full(5_000) })
    const count = { refused: 0, answered: 0 }
    for (let request = 0; request < 200_000; request += 1)
      count[admission.isFull('ann') ? 'refused' : 'answered'] += 1
    // A refusal takes a third of an answer.
    expect(count.answered / (count.answered + count.refused / 3)).toBeGreaterThan(0.9)
    expect(count.refused).toBeGreaterThan(count.answered / 5)
    expect(admission.stats().shed).toEqual({ delay: count.refused, concurrency: 0, share: 0 })
  })

  it('refuses all of a surplus of a fifth', () => {
    const loop = full(200)
    const admission = createAdmission({ ...options, loop })
    for (let second = 0; second < 100; second += 1) {
      loop.waiting = 50
      for (let request = 0; request < 1_000; request += 1) admission.isFull('ann')
      expect(admission.stats().shed.delay).toBe(second * 200)
      loop.waiting = 200
      for (let request = 0; request < 200; request += 1) admission.isFull('ann')
      expect(admission.stats().shed.delay).toBe((second + 1) * 200)
    }
  })

  it('is against who has much waiting, and for the others', () => {
    const admission = createAdmission({ ...options, loop: full(1_000) })
    expect(admission.isFull('ann')).toBe(true)
    for (let request = 0; request < 100; request += 1) expect(admission.isFull('bob')).toBe(false)
    expect(admission.isFull('ann')).toBe(true)
  })

  it('keeps no more waiting than there may be connections, as one may carry many requests', () => {
    const admission = createAdmission({ ...options, loop: full(10_000) })
    for (let request = 0; request < 2_000; request += 1) expect(admission.isFull('ann')).toBe(true)
  })
})
