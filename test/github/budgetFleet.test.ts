import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { tokenCredential } from '../../src/github/credentials.ts'
import { startWorkers, type Worker, type WorkerSettings } from '../support/budgetWorkers.ts'
import {
  addAccount,
  addRepository,
  emptyWorld,
  type GitHub,
  type GitHubOptions,
  type RequestRecord,
  startGitHub,
} from '../support/github/index.ts'

// Five processes on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const path = '/repos/octo/talk/issues'
let token: string
let github: GitHub
let workers: Worker[]

beforeEach(() => {
  token = `ghp_${randomUUID()}`
  workers = []
})
afterEach(async () => {
  for (const worker of workers) await worker[Symbol.asyncDispose]()
  await github.close()
})

async function start(
  count: number,
  { core = 5000, ...options }: GitHubOptions & { core?: number },
  settings: Partial<WorkerSettings> = {},
) {
  const world = emptyWorld()
  github = await startGitHub({ world, graceMs: 30, ...options })
  addAccount(world, { login: 'octo', token, limits: { core } })
  addRepository(world, { owner: 'octo', name: 'talk' })
  workers = await startWorkers(count, {
    redis: inject('redisUrl'),
    github: github.url,
    token,
    limits: { maxConcurrent: 50, pointsPerMinute: 100_000 },
    timeoutMs: 10_000,
    run: token,
    ...settings,
  })
}

const hammer = (lanes: number, calls = Number.POSITIVE_INFINITY) =>
  Promise.all(workers.map((worker) => worker.run({ path, lanes, calls: Math.min(calls, 1e9) })))

/** The most requests that GitHub had in hand at one moment. */
function peak(requests: readonly RequestRecord[]): number {
  const steps = requests.flatMap(({ startedAt, finishedAt }) => [
    { at: startedAt, step: 1 },
    { at: finishedAt, step: -1 },
  ])
  let inHand = 0
  return Math.max(
    ...steps.sort((a, b) => a.at - b.at || a.step - b.step).map(({ step }) => (inHand += step)),
  )
}

describe('four replicas', () => {
  it('spend one budget to the last call, and not two in a hundred beyond', async () => {
    await start(4, { core: 500, latencyMs: 5 })
    const outcomes = await hammer(16)
    const answers = outcomes.reduce((sum, outcome) => sum + outcome.answers, 0)
    expect(github.count({ status: 200 })).toBe(answers)
    expect(answers).toBe(500)
    expect(github.count()).toBeLessThanOrEqual(510)
    expect(github.violations).toBe(0)
    for (const { refusals } of outcomes) {
      expect(refusals.length).toBeGreaterThan(0)
      for (const { code, retryAfter } of refusals) {
        expect(code).toBe('upstream_rate_limited')
        expect(retryAfter).toBeGreaterThan(3_500)
      }
    }
    const sent = github.count()
    await hammer(4)
    expect(github.count()).toBe(sent)
  })

  it('have no more calls in flight together than one may have', async () => {
    await start(4, { latencyMs: 20 }, { limits: { maxConcurrent: 12, pointsPerMinute: 100_000 } })
    const outcomes = await hammer(10, 60)
    expect(outcomes.map(({ answers }) => answers)).toEqual([60, 60, 60, 60])
    expect(peak(github.requests)).toBeLessThanOrEqual(12)
    expect(peak(github.requests)).toBeGreaterThan(8)
  })

  it('have no more points in a minute together than one may have', async () => {
    await start(4, {}, { limits: { maxConcurrent: 50, pointsPerMinute: 100 } })
    const outcomes = await hammer(4)
    for (const { refusals } of outcomes) {
      expect(refusals[0]?.code).toBe('upstream_rate_limited')
      expect(refusals[0]?.retryAfter).toBeGreaterThan(50)
    }
    expect(github.count()).toBeLessThanOrEqual(100)
    expect(github.count()).toBeGreaterThan(90)
  })
})

describe('a limit that GitHub announces to one replica', () => {
  it('keeps the others back as soon as they hear, whatever they have in hand', async () => {
    await start(2, { latencyMs: 2 }, { timeoutMs: 2_000 })
    await hammer(4, 40)
    const [one, other] = workers
    const { principal } = tokenCredential(github.url, token)
    const told = other?.hears(`closed ${principal} `)
    github.fault({ kind: 'secondary-limit', retryAfter: 60, match: /run=/, times: 1 })
    const first = await one?.run({ path, lanes: 1, calls: 1 })
    expect(first?.refusals).toEqual([{ code: 'upstream_rate_limited', retryAfter: 60 }])
    await told
    const sent = github.count()
    const next = await other?.run({ path, lanes: 8, calls: 8 })
    expect(next?.answers).toBe(0)
    expect(next?.refusals[0]?.code).toBe('upstream_rate_limited')
    expect(github.count()).toBe(sent)
  })

  it('ends what all have going on', async () => {
    // Busy processes on few cores read their answers late: that much is still on its way.
    await start(4, { latencyMs: 20, graceMs: 200 }, { timeoutMs: 2_000 })
    await hammer(2, 10)
    github.fault({ kind: 'secondary-limit', retryAfter: 60, match: /call=3[0-9]&/, times: 1 })
    const outcomes = await hammer(4)
    for (const { refusals } of outcomes) expect(refusals[0]?.code).toBe('upstream_rate_limited')
    expect(github.violations).toBe(0)
  })
})
