import { describe, expect, it } from 'vitest'
import { readLimited, readRateLimit, readRetryAfter } from '../../src/github/limits.ts'

const NOW = Date.parse('2026-01-31T12:00:00Z')
const RESET = NOW / 1000 + 600

const budget = (remaining: number, more: object = {}) => ({
  'x-ratelimit-limit': '5000',
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(RESET),
  ...more,
})

describe('readRateLimit', () => {
  it('reads a budget', () => {
    const headers = budget(4_990, { 'x-ratelimit-resource': 'search' })
    expect(readRateLimit(headers)).toEqual({
      resource: 'search',
      limit: 5_000,
      remaining: 4_990,
      resetAt: RESET * 1_000,
    })
  })

  it('takes core for what is not named, and milliseconds for what they are', () => {
    const headers = budget(1, { 'x-ratelimit-reset': String(RESET * 1_000) })
    expect(readRateLimit(headers)).toMatchObject({ resource: 'core', resetAt: RESET * 1_000 })
  })

  it.each([
    {},
    { 'x-ratelimit-limit': '5000' },
    budget(1, { 'x-ratelimit-remaining': 'many' }),
    budget(1, { 'x-ratelimit-reset': '-5' }),
  ])('finds none in %o', (headers) => {
    expect(readRateLimit(headers)).toBeUndefined()
  })
})

describe('readLimited', () => {
  const read = (status: number, headers: Record<string, string> = {}, message = '') =>
    readLimited(
      { status, headers, body: Buffer.from(JSON.stringify({ message })), redirects: 0 },
      NOW,
    )

  it.each([403, 429])('tells the two kinds of limit apart: %i', (status) => {
    expect(read(status, budget(0))).toEqual({ kind: 'primary', retryAfter: 600 })
    expect(read(status, { 'retry-after': '30' })).toEqual({ kind: 'secondary', retryAfter: 30 })
    expect(read(status, budget(17), 'You have exceeded a secondary rate limit.')).toEqual({
      kind: 'secondary',
      retryAfter: 60,
    })
    expect(read(status, {}, 'You have triggered an abuse detection mechanism.')).toEqual({
      kind: 'secondary',
      retryAfter: 60,
    })
  })

  it('takes a bare 429 for a limit and a bare 403 for a refusal', () => {
    expect(read(429)).toEqual({ kind: 'secondary', retryAfter: 60 })
    expect(read(403, budget(17), 'Resource not accessible by integration')).toBeUndefined()
  })

  it('sees no limit in other answers', () => {
    for (const status of [200, 304, 401, 404, 500, 503])
      expect(read(status, { ...budget(0), 'retry-after': '5' })).toBeUndefined()
  })

  it('waits at least a second and at most an hour', () => {
    expect(read(429, { 'retry-after': '0' })?.retryAfter).toBe(1)
    expect(read(429, { 'retry-after': '999999' })?.retryAfter).toBe(3_600)
    const past = budget(0, { 'x-ratelimit-reset': String(RESET - 10_000) })
    expect(read(403, past)?.retryAfter).toBe(1)
    const far = budget(0, { 'x-ratelimit-reset': String(RESET + 1_000_000) })
    expect(read(403, far)?.retryAfter).toBe(3_600)
  })
})

describe('readRetryAfter', () => {
  it.each([
    ['0', 0],
    ['120', 120],
    ['Sat, 31 Jan 2026 12:01:30 GMT', 90],
    ['Sat, 31 Jan 2026 11:00:00 GMT', 0],
    ['soon', undefined],
  ])('%s is %s s', (value, seconds) => {
    expect(readRetryAfter({ 'retry-after': value }, NOW)).toBe(seconds)
  })

  it('is not there when it is not sent', () => {
    expect(readRetryAfter({}, NOW)).toBeUndefined()
  })
})
