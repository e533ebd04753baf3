import { describe, expect, it } from 'vitest'
import { createRoundRobin } from '../../src/core/roundRobin.ts'

describe('callers who take turns', () => {
  it('have one each, passing over those whose turn it may not be', () => {
    const lines = createRoundRobin<string>()
    for (const item of ['a0', 'a1', 'a2', 'b0', 'b1', 'c0']) lines.add(item.charAt(0), item)
    expect([lines.waiting, lines.waitingOf('a'), lines.waitingOf('d')]).toEqual([6, 3, 0])
    const notB = (caller: string) => caller !== 'b'
    expect([lines.next(), lines.next(notB), lines.next(notB)]).toEqual(['a0', 'c0', 'a1'])
    expect([lines.next(), lines.next(), lines.next(), lines.next()]).toEqual([
      'b0',
      'a2',
      'b1',
      undefined,
    ])
    lines.add('b', 'b2')
    expect([lines.next(notB), lines.next()]).toEqual([undefined, 'b2'])
  })
})
