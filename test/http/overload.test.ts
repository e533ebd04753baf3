import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLoopDelay } from '../../src/core/loopDelay.ts'
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

/** Requests that are all there when the loop gets to them, each on a connection of its own. */
async function burst(count: number, path: string, headers: Record<string, string>) {
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const bytes = `GET ${path} HTTP/1.1\r\nhost: localhost\r\n${head.join('')}\r\n`
  const { hostname, port } = new URL(app.url)
  const opened = Array.from({ length: count }, () => connect(Number(port), hostname))
  sockets.push(...opened)
  // Connections are accepted one a turn: only who was answered is sure to be there.
  const hello = 'GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n'
  await Promise.all(opened.map((socket) => statusOf(socket, hello)))
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

describe('an event loop that is behind', () => {
  it('refuses a part of what waits, at the door, and answers the rest, probes first of all', async () => {
    app = await startApp({
      github,
      env: { MAX_EVENT_LOOP_DELAY_MS: '100' },
      replace: { rateLimitRemaining: () => void block(2) },
    })
    expect((await app.get(PATH)).status).toBe(200)
    const requests = await burst(400, PATH, {})
    const probes = await burst(20, '/health', {})
    // It begins to measure with the first request.
    expect((await app.get(PATH)).status).toBe(200)
    const logged = app.logs.length
    const [statuses, health] = [requests.send(), probes.send()]
    const found = await Promise.all(statuses)
    expect(new Set(await Promise.all(health))).toEqual(new Set([200]))
    const refused = found.filter((status) => status === 503).length
    expect(new Set(found)).toEqual(new Set([200, 503]))
    // Refusing goes on for no longer than it may: the rest is answered, late as it is.
    expect(refused).toBeLessThanOrEqual(400 - 64)
    // A line for each would cost more than the refusal.
    expect(app.logs.length - logged).toBe(400 - refused + 20)
  })

  it('lets a few through however late it is: that is a pause, and no overload', async () => {
    app = await startApp({ github, env: { MAX_EVENT_LOOP_DELAY_MS: '100' } })
    const requests = await burst(50, PATH, {})
    expect((await app.get(PATH)).status).toBe(200)
    const statuses = requests.send()
    block(300)
    expect(new Set(await Promise.all(statuses))).toEqual(new Set([200]))
  })
})

describe('the decision', () => {
  /** A loop whose turns are told it. */
  function turns() {
    const loop = { turn: 0, age: 0, turnAge: () => loop.age }
    return loop
  }
  const options = { maxConcurrent: 1_000_000, maxDelay: 100 }

  it('lets at least nine in ten of the time go to answers, however many are refused', () => {
    let at = 0
    const clock = () => at
    const loop = { turn: 0, turnAge: () => at }
    const admission = createAdmission({ ...options, loop, clock })
    let answering = 0
    let refusing = 0
    for (let request = 0; request < 200_000; request += 1) {
      const isRefused = admission.isFull('ann')
      const cost = isRefused ? 0.02 : 0.15
      at += cost
      if (isRefused) refusing += cost
      else answering += cost
    }
    expect(refusing).toBeGreaterThan(0)
    expect(answering / (answering + refusing)).toBeGreaterThan(0.9)
    expect(admission.stats().shed.delay).toBeGreaterThan(1_000)
  })

  it('is for who has had a fair part of a late turn at most, and against the others', () => {
    const loop = turns()
    const admission = createAdmission({ ...options, loop })
    for (let request = 0; request < 500; request += 1) expect(admission.isFull('ann')).toBe(false)
    loop.age = 150
    expect(admission.isFull('ann')).toBe(true)
    for (let request = 0; request < 100; request += 1) expect(admission.isFull('bob')).toBe(false)
    expect(admission.isFull('ann')).toBe(true)
    expect(admission.stats().shed).toEqual({ delay: 2, concurrency: 0, share: 0 })
    loop.turn += 1
    loop.age = 0
    expect(admission.isFull('ann')).toBe(false)
  })

  it('remembers nobody who has nothing in work', () => {
    const loop = turns()
    const admission = createAdmission({ ...options, loop, maxConcurrent: 10 })
    for (let caller = 0; caller < 100_000; caller += 1) {
      loop.turn = caller
      admission.isFull(`ip:${caller}`)
      admission.enter(`ip:${caller}`)?.leave()
    }
    expect(admission.stats()).toMatchObject({ inWork: 0, shed: { share: 0, concurrency: 0 } })
  })
})

describe('the delay of the loop', () => {
  it('is known while the turn lasts', async () => {
    app = await startApp({ github })
    const loop = createLoopDelay()
    expect(loop.turnAge(performance.now())).toBe(0)
    block(200)
    expect(loop.turnAge(performance.now())).toBeGreaterThan(150)
    const { turn } = loop
    await vi.waitFor(() => expect(loop.turn).toBeGreaterThan(turn))
    expect(loop.turnAge(performance.now())).toBeLessThan(150)
  })
})
