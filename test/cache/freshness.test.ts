import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerTimes, freshnessOf, refusalTimes } from '../../src/cache/freshness.ts'
import { answerOf } from '../suites/store.ts'

const policy = { freshFor: 60, staleFor: 300, keepFor: 86_400 }
const exactly = () => 0.5
const at = (seconds: number) => seconds * 1_000

describe('the times of an answer', () => {
  it('follow its policy, and what strangers may see is kept longer', () => {
    expect(answerTimes(0, policy, 'public', exactly)).toEqual({
      asOf: 0,
      freshUntil: at(60),
      staleUntil: at(360),
      keepUntil: at(86_400),
    })
    expect(answerTimes(0, policy, 'private', exactly).keepUntil).toBe(at(900))
  })

  it('are never out of order, jittered by a tenth at most', () => {
    const policies = fc.record({
      freshFor: fc.integer({ min: 1, max: 3_600 }),
      staleFor: fc.integer({ min: 0, max: 7_200 }),
      keepFor: fc.integer({ min: 1, max: 100_000 }),
    })
    const any = fc.record({
      policy: policies,
      visibility: fc.constantFrom('public' as const, 'private' as const),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    })
    fc.assert(
      fc.property(any, ({ policy, visibility, random }) => {
        const times = answerTimes(5_000, policy, visibility, () => random)
        expect(times.asOf).toBe(5_000)
        expect(times.freshUntil - 5_000).toBeGreaterThanOrEqual(policy.freshFor * 899.9)
        expect(times.freshUntil - 5_000).toBeLessThanOrEqual(policy.freshFor * 1_100.1)
        expect(times.staleUntil).toBeGreaterThanOrEqual(times.freshUntil)
        expect(times.keepUntil).toBeGreaterThanOrEqual(times.staleUntil)
      }),
    )
  })

  it('of a refusal are short, and it is never stale', () => {
    const { freshUntil, staleUntil, keepUntil } = refusalTimes(0, exactly)
    expect([freshUntil, staleUntil, keepUntil]).toEqual([at(10), at(10), at(10)])
  })
})

describe('freshnessOf', () => {
  const entry = answerOf('x', answerTimes(0, policy, 'private', exactly))

  it.each([
    [0, 'fresh'],
    [59.999, 'fresh'],
    [60, 'stale'],
    [359.999, 'stale'],
    [360, 'kept'],
    [899.999, 'kept'],
    [900, 'gone'],
  ])('after %f s it is %s', (seconds, freshness) => {
    expect(freshnessOf(entry, at(seconds), undefined, () => false)).toBe(freshness)
  })

  it.each([
    [30, 30, 'fresh'],
    [30.001, 30, 'kept'],
    [100, 200, 'stale'],
    [0, 0, 'kept'],
    [1_000, 86_400, 'gone'],
  ])('after %f s it is, for who wants it at most %i s old, %s', (seconds, maxAge, freshness) => {
    expect(freshnessOf(entry, at(seconds), maxAge, () => false)).toBe(freshness)
  })
})
