import { describe, expect, it } from 'vitest'
import { createRoster } from '../../src/core/roster.ts'

describe('a roster', () => {
  const create = () =>
    createRoster(
      (name) => ({ name, count: 0 }),
      ({ count }) => count === 0,
    )

  it('has one thing for each name', () => {
    const roster = create()
    expect(roster.find('ann')).toBeUndefined()
    const ann = roster.of('ann')
    ann.count = 2
    expect([roster.of('ann'), roster.find('ann'), roster.find('bob')]).toEqual([
      ann,
      ann,
      undefined,
    ])
  })

  it('forgets who has nothing, and nobody else, when there are many', () => {
    const roster = create()
    const busy = Array.from({ length: 300 }, (_, at) => {
      const one = roster.of(`busy ${at}`)
      one.count = 1
      return one
    })
    const names = Array.from({ length: 10_000 }, (_, at) => `idle ${at}`)
    for (const name of names) roster.of(name)
    expect(busy.filter((one) => roster.find(one.name) === one)).toHaveLength(300)
    const kept = names.filter((name) => roster.find(name))
    expect(kept.length).toBeGreaterThan(0)
    expect(kept.length).toBeLessThanOrEqual(300)
    expect(kept.at(-1)).toBe(names.at(-1))
  })
})
