import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import {
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'

const ANN = { 'x-api-key': 'ann-key-0123456789' }
const BOB = { 'x-api-key': 'bob-key-0123456789' }
const FLOOD = 300
const CONNECTIONS = 8
const SOON = { timeout: 10_000 }

let github: GitHub
let app: App
const abort: AbortController[] = []
beforeEach(async () => {
  github = await startGitHub({ latencyMs: 20 })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  for (let number = 1; number <= FLOOD + 10; number += 1)
    addIssue(github.world, 'octo/talk', { number, title: `Talk ${number}` })
  app = await startApp({
    github,
    env: {
      API_KEYS: `ann:${ANN['x-api-key']},bob:${BOB['x-api-key']}`,
      GITHUB_TOKEN: OCTOCAT_TOKEN,
      GITHUB_BUDGET: 'off',
      GITHUB_CONNECTIONS: String(CONNECTIONS),
      RATE_LIMIT_MAX: '100000',
    },
  })
})
afterEach(async () => {
  for (const each of abort.splice(0)) each.abort()
  await app.close()
  await github.close()
})

const issue = (number: number) =>
  `/mcp/context/github_issue?owner=octo&repo=talk&issue_number=${number}`

function flood(path: (at: number) => string, count: number) {
  const stop = new AbortController()
  abort.push(stop)
  const statuses: number[] = []
  for (let at = 1; at <= count; at += 1) {
    fetch(app.url + path(at), { headers: ANN, signal: stop.signal }).then(
      async (answer) => {
        statuses.push(answer.status)
        await answer.text()
      },
      () => {},
    )
  }
  return statuses
}

/** Calls to GitHub that were sent between so many and the last one for this issue. */
const callsUntil = (number: number, from: number) =>
  github.requests.findLastIndex(({ path }) => path.includes(`/issues/${number}`)) - from

describe('who asks little beside one who asks for much', () => {
  it('waits for a few calls to GitHub, not for hundreds', async () => {
    // Connections are accepted one a turn of the loop: they should be there already.
    await Promise.all(Array.from({ length: FLOOD }, () => fetch(`${app.url}/health/live`)))
    expect((await app.get(issue(FLOOD + 4), BOB)).status).toBe(200)
    const statuses = flood(issue, FLOOD)
    await vi.waitFor(() => expect(github.count()).toBeGreaterThan(2 * CONNECTIONS), SOON)
    const over: number[] = []
    for (const number of [FLOOD + 1, FLOOD + 2, FLOOD + 3]) {
      const from = github.count()
      const answer = await app.get(issue(number), BOB)
      expect(answer.status).toBe(200)
      over.push(statuses.length)
      // Two of its own, and what was on its way or had its turn meanwhile.
      expect(callsUntil(number, from)).toBeLessThan(2 * CONNECTIONS)
    }
    // The flood went on meanwhile.
    expect(over[0]).toBeLessThan(FLOOD)
  })

  it('does not wait in the other’s line where both want the same', async () => {
    expect((await app.get(issue(FLOOD + 4), BOB)).status).toBe(200)
    const hang = github.fault({ kind: 'hang', match: /\/repos\/octo/ })
    flood(issue, 30)
    const metrics = async () => (await app.get('/metrics')).text
    const last = /\/issues\/30\b/
    await vi.waitFor(
      async () => expect(await metrics()).toMatch(/^cache_fetches_running 30$/m),
      SOON,
    )
    expect(hang.hits).toBeGreaterThan(CONNECTIONS / 2)
    expect(github.requests.filter(({ path }) => last.test(path))).toEqual([])
    const bob = new AbortController()
    abort.push(bob)
    fetch(app.url + issue(30), { headers: BOB, signal: bob.signal }).catch(() => {})
    await vi.waitFor(() => {
      expect(github.requests.some(({ path }) => last.test(path))).toBe(true)
    }, SOON)
    expect(await metrics()).toMatch(/^cache_coalesced_total\{.*\} 1$/m)
  })

  it('does not pay for what comes by other doors: batches, sessions and MCP', async () => {
    const requests = Array.from({ length: 50 }, (_, at) => ({
      context_type: 'github_issue',
      params: { owner: 'octo', repo: 'talk', issue_number: at + 1 },
    }))
    const json = { 'content-type': 'application/json' }
    const made = await app.send('POST', '/mcp/session/create', ANN)
    const { session_id: id } = made.json<{ session_id: string }>()
    const contents = (from: number) => JSON.stringify({ requests: requests.slice(from, from + 20) })
    const call = (at: number) =>
      JSON.stringify({
        jsonrpc: '2.0',
        id: at,
        method: 'tools/call',
        params: {
          name: 'github_issue',
          arguments: { owner: 'octo', repo: 'talk', issue_number: 100 + at },
        },
      })
    const all = [
      app.send('POST', '/mcp/context/batch', { ...ANN, ...json }, JSON.stringify({ requests })),
      app.send('POST', `/mcp/session/${id}/github_context`, { ...ANN, ...json }, contents(20)),
      ...Array.from({ length: 50 }, (_, at) =>
        app.send(
          'POST',
          '/mcp',
          { ...ANN, ...json, accept: 'application/json, text/event-stream' },
          call(at),
        ),
      ),
    ]
    await vi.waitFor(() => expect(github.count()).toBeGreaterThan(CONNECTIONS))
    const from = github.count()
    expect((await app.get(issue(FLOOD + 1), BOB)).status).toBe(200)
    expect(callsUntil(FLOOD + 1, from)).toBeLessThan(2 * CONNECTIONS)
    const statuses = (await Promise.all(all)).map(({ status }) => status)
    expect(statuses.length).toBe(52)
  })

  it('keeps a place while the other has filled all that one caller may have in work', async () => {
    await app.close()
    app = await startApp({
      github,
      env: {
        API_KEYS: `ann:${ANN['x-api-key']},bob:${BOB['x-api-key']}`,
        GITHUB_TOKEN: OCTOCAT_TOKEN,
        MAX_CONCURRENT_REQUESTS: '60',
      },
    })
    expect((await app.get(issue(FLOOD + 1), BOB)).status).toBe(200)
    const held = github.fault({ kind: 'hang', match: /\/repos\/octo/ })
    const statuses = flood(issue, 100)
    await vi.waitFor(() => expect(statuses).toHaveLength(60))
    expect(new Set(statuses)).toEqual(new Set([503]))
    for (let each = 0; each < 20; each += 1)
      expect((await app.get(issue(FLOOD + 1), BOB)).status).toBe(200)
    held.remove()
  })
})
