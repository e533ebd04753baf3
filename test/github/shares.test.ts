import { describe, expect, it } from 'vitest'
import { createShares } from '../../src/github/budget/shares.ts'

const MINUTE = 60_000
/** Where a span begins. */
const START = 1_000 * MINUTE

function had(count: number, caller: string, at: number, shares = createShares(MINUTE)) {
  for (let each = 0; each < count; each += 1) shares.count(caller, at)
  return shares
}

describe('shares of what all have', () => {
  it('are never too much for who is alone', () => {
    expect(had(1_000, 'ann', START).isOver('ann', 100, START)).toBe(false)
  })

  it('are even ones, with one for who comes next', () => {
    const shares = had(1, 'bob', START)
    had(33, 'ann', START, shares)
    expect(shares.isOver('ann', 100, START)).toBe(false)
    had(1, 'ann', START, shares)
    expect(shares.isOver('ann', 100, START)).toBe(true)
    expect(shares.isOver('bob', 100, START)).toBe(false)
    expect(shares.isOver('eve', 100, START)).toBe(false)
  })

  it('pass with time: of the span before counts what would still lie within one', () => {
    const shares = had(1, 'bob', START)
    had(60, 'ann', START, shares)
    had(1, 'bob', START + MINUTE, shares)
    expect(shares.isOver('ann', 100, START + MINUTE + MINUTE / 3)).toBe(true)
    expect(shares.isOver('ann', 100, START + MINUTE + MINUTE / 2)).toBe(false)
    expect(shares.isOver('ann', 0.1, START + 3 * MINUTE)).toBe(false)
  })

  it('know for an hour that others were there', () => {
    const shares = had(1, 'bob', START)
    had(90, 'ann', START + 59 * MINUTE, shares)
    expect(shares.isOver('ann', 100, START + 59 * MINUTE)).toBe(true)
    had(90, 'ann', START + 62 * MINUTE, shares)
    expect(shares.isOver('ann', 100, START + 62 * MINUTE)).toBe(false)
  })
})
