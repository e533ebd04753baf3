import type { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type ProblemCode, ServiceError } from '../../src/core/errors.ts'
import { withRetries } from '../../src/github/attempts.ts'

const pause = vi.fn<(ms?: number) => Promise<void>>()

const fail = (code: ProblemCode, options: object = {}) => new ServiceError(code, 'x', options)
const bad = fail('upstream_error', { upstreamStatus: 502 })

let now: number
beforeEach(() => {
  now = 0
  pause.mockReset()
  pause.mockImplementation(async (ms) => {
    now += ms ?? 0
  })
})
const waits = () => pause.mock.calls.map(([ms]) => ms)

/** Fails with each failure in turn, then answers. */
async function run(failures: readonly ServiceError[], { deadline = 10_000, random = 1 } = {}) {
  let attempts = 0
  const attempt = async () => {
    const failure = failures[attempts++]
    if (failure) throw failure
    return 'answer'
  }
  const options = {
    deadline,
    signal: new AbortController().signal,
    now: () => now,
    random: () => random,
    pause: pause as typeof sleep,
  }
  const outcome = await withRetries(attempt, options).catch((error: unknown) => error)
  return { outcome, attempts }
}

describe('withRetries', () => {
  it('tries three times at most, later and later', async () => {
    expect(await run([bad, bad])).toEqual({ outcome: 'answer', attempts: 3 })
    expect(waits()).toEqual([100, 200])
    expect(await run([bad, bad, bad])).toEqual({ outcome: bad, attempts: 3 })
  })

  it('waits for any part of that time, so that callers do not come together', async () => {
    await run([bad, bad], { random: 0.25 })
    expect(waits()).toEqual([25, 50])
  })

  it('reports the last failure', async () => {
    const last = fail('upstream_unreachable')
    expect((await run([bad, bad, last])).outcome).toBe(last)
  })

  it.each<[string, ServiceError]>([
    ['a refused credential', fail('upstream_auth', { upstreamStatus: 401 })],
    ['a refused access', fail('upstream_forbidden', { upstreamStatus: 403 })],
    ['nothing there', fail('not_found', { upstreamStatus: 404 })],
    ['bad parameters', fail('invalid_request', { upstreamStatus: 422 })],
    ['another 4xx', fail('upstream_error', { upstreamStatus: 418 })],
    ['a redirect that is not followed', fail('upstream_error')],
    ['too slow an answer', fail('upstream_timeout')],
    ['no time to wait', fail('upstream_error', { upstreamStatus: 503, retryAfter: 10 })],
  ])('does not try again: %s', async (_name, failure) => {
    expect(await run([failure])).toEqual({ outcome: failure, attempts: 1 })
    expect(waits()).toEqual([])
  })

  it.each<[string, ServiceError]>([
    ['a limit', fail('upstream_rate_limited', { upstreamStatus: 429, retryAfter: 3 })],
    ['trouble', fail('upstream_error', { upstreamStatus: 503, retryAfter: 3 })],
  ])('obeys Retry-After when there is time for it: %s', async (_name, failure) => {
    expect(await run([failure], { random: 0 })).toEqual({ outcome: 'answer', attempts: 2 })
    expect(waits()).toEqual([3_000])
    const late = await run([failure], { random: 0, deadline: now + 3_000 })
    expect(late).toEqual({ outcome: failure, attempts: 1 })
  })

  it('gives up when time is over, however few tries there were', async () => {
    expect((await run([bad, bad], { deadline: 250 })).attempts).toBe(2)
  })

  it('stops waiting for a caller who has left', async () => {
    pause.mockRejectedValue(new DOMException('left', 'AbortError'))
    const { outcome, attempts } = await run([bad])
    expect(outcome).toMatchObject({ name: 'AbortError' })
    expect(attempts).toBe(1)
  })
})
