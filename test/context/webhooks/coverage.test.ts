import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SharedTimes } from '../../../src/cache/times.ts'
import { type Coverage, createCoverage } from '../../../src/context/webhooks/coverage.ts'

const HOOK = { id: '7', target: 'repository' }
const repository = { full_name: 'Octo/Talk' }
const ping = { hook: { type: 'Repository', events: ['*'] }, repository }
const answer = {
  asOf: Date.parse('2026-01-31T12:00:00Z'),
  tags: ['issue:octo/talk#1', 'access:octo', 'access:octo/talk'],
  visibility: 'private',
} as const
const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** As it is in Redis, with nobody else there. */
function createTimes(): SharedTimes {
  const scopes = new Map<string, { at: Map<string, number>; endsAt: number }>()
  const find = (scope: string) => {
    const found = scopes.get(scope)
    return found && found.endsAt > Date.now() ? found.at : new Map<string, number>()
  }
  return {
    async raise(scope, times, ttl) {
      const at = find(scope)
      for (const [name, time] of times) at.set(name, Math.max(time, at.get(name) ?? -1))
      scopes.set(scope, { at, endsAt: Date.now() + ttl })
      return true
    },
    read: async (scope) => find(scope),
    forget: async (scope) => void scopes.delete(scope),
  }
}

let verdict: 'changed' | undefined
let ending: AbortController
let coverage: Coverage
beforeEach(() => {
  vi.useFakeTimers({ now: answer.asOf })
  verdict = undefined
  ending = new AbortController()
  coverage = createCoverage({
    came: createTimes(),
    lists: createTimes(),
    invalidations: { missedUntil: answer.asOf, verdict: () => verdict },
    hearing: { since: () => true, close: () => {} },
    now: Date.now,
    closing: ending.signal,
  })
})
afterEach(() => {
  ending.abort()
  vi.useRealTimers()
})
const covers = () => coverage.covers(answer)
const edit = () => coverage.delivered('issues', { action: 'edited', repository }, HOOK)

describe('a change that no event told', () => {
  it('ends the trust in webhooks for an hour, and until the next delivery', async () => {
    await coverage.delivered('ping', ping, HOOK)
    expect(await covers()).toBe(true)
    coverage.doubt(answer)
    await vi.advanceTimersByTimeAsync(29_999)
    expect(await covers()).toBe(true)
    await vi.advanceTimersByTimeAsync(1)
    expect(await covers()).toBe(false)
    await edit()
    expect(await covers()).toBe(false)
    await vi.advanceTimersByTimeAsync(HOUR + 1)
    expect(await covers()).toBe(false)
    await edit()
    expect(await covers()).toBe(true)
  })

  it('is none where the event came late', async () => {
    await coverage.delivered('ping', ping, HOOK)
    coverage.doubt(answer)
    verdict = 'changed'
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(await covers()).toBe(true)
  })
})

describe('webhooks are relied on', () => {
  it('while any delivery has come lately', async () => {
    await coverage.delivered('ping', ping, HOOK)
    for (let days = 0; days < 5; days += 1) {
      await vi.advanceTimersByTimeAsync(23 * HOUR)
      expect(await covers()).toBe(true)
      await edit()
    }
    await vi.advanceTimersByTimeAsync(24 * HOUR + 1)
    expect(await covers()).toBe(false)
  })

  it('not for what a later ping does not list any more', async () => {
    await coverage.delivered('ping', ping, HOOK)
    await vi.advanceTimersByTimeAsync(HOUR)
    await coverage.delivered('ping', { ...ping, hook: { events: ['push'] } }, HOOK)
    await vi.advanceTimersByTimeAsync(23 * HOUR + 1)
    expect(await covers()).toBe(false)
  })

  it.each([
    ['repository', { action: 'deleted', repository }],
    ['repository', { action: 'renamed', repository }],
    ['installation', { action: 'deleted', installation: { account: { login: 'Octo' } } }],
    ['meta', { action: 'deleted', repository }],
  ])('no more after %s %j', async (event, payload) => {
    await coverage.delivered('ping', ping, HOOK)
    await vi.advanceTimersByTimeAsync(1)
    await coverage.delivered(event, payload, HOOK)
    expect(await covers()).toBe(false)
  })

  it('not where a tag is of what no event tells', async () => {
    await coverage.delivered('ping', ping, HOOK)
    expect(await coverage.covers({ ...answer, tags: [...answer.tags, 'runs:octo/talk'] })).toBe(
      false,
    )
    expect(await coverage.covers({ ...answer, tags: ['issue:octo/talk#1'] })).toBe(false)
  })
})
