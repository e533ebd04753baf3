import { describe, expect, it, vi } from 'vitest'
import { createFairLoop } from '../../src/core/fairLoop.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A loop whose work takes as long as it says. */
function start() {
  const clock = { at: 0 }
  const loop = createFairLoop(() => clock.at)
  const done: string[] = []
  const work = (name: string, ms: number) => () => {
    clock.at += ms
    done.push(name)
  }
  const finish = async () => {
    while (loop.waiting > 0) await turn()
  }
  return { clock, loop, done, work, finish }
}

describe('the event loop', () => {
  it('is one caller’s for a part of the turn, as long as nobody else is there', async () => {
    const { clock, done, finish, loop, work } = start()
    for (let piece = 0; piece < 1_000; piece += 1) loop.run('ann', work(`a${piece}`, 0.1))
    // Somebody else’s connection is accepted in the next turn.
    expect(clock.at).toBeCloseTo(10, 0)
    await finish()
    expect(done).toEqual(Array.from({ length: 1_000 }, (_, piece) => `a${piece}`))
    for (let piece = 0; piece < 50; piece += 1) loop.run('ann', work('again', 0.1))
    expect(loop.waiting).toBe(0)
  })

  it('has short turns where somebody else may wait to be let in', async () => {
    const { clock, loop, work } = start()
    loop.hurry()
    for (let piece = 0; piece < 200; piece += 1) loop.run('ann', work('a', 0.1))
    expect(clock.at).toBeLessThan(1)
    await turn()
    const before = clock.at
    await turn()
    expect(clock.at - before).toBeLessThan(1)
    expect(loop.waiting).toBeGreaterThan(150)
  })

  it('knows how long one more would wait: behind the caller’s own, and as many of each other’s', async () => {
    const { finish, loop, work } = start()
    loop.run('bob', work('here', 0))
    const fill = (count: number) => {
      for (let piece = 0; piece < count; piece += 1) loop.run('ann', work('a', 1))
    }
    expect(loop.delayOf('ann')).toBe(0)
    // What a piece takes is learnt by doing.
    fill(200)
    await finish()
    expect(loop.delayOf('ann')).toBe(0)
    fill(204)
    expect(loop.delayOf('ann')).toBeGreaterThan(150)
    expect(loop.delayOf('ann')).toBeLessThan(250)
    expect(loop.delayOf('bob')).toBeLessThan(2)
    await finish()
  })

  it('is not taken for slow because the machine stood still for a moment', async () => {
    const { clock, finish, loop, work } = start()
    loop.run('bob', work('here', 0))
    const fill = (count: number) => {
      for (let piece = 0; piece < count; piece += 1) loop.run('ann', work('a', 0.2))
    }
    fill(400)
    await finish()
    fill(100)
    const before = loop.delayOf('ann')
    loop.run('ann', () => {
      clock.at += 300
    })
    fill(100)
    while (clock.at < 300 && loop.waiting > 0) await turn()
    fill(100)
    expect(loop.waiting).toBeGreaterThan(0)
    expect(loop.delayOf('ann') / loop.waiting).toBeLessThan((2 * before) / 96)
    await finish()
  })

  it('is shared by turns: who wants little need not wait for who wants much', async () => {
    const { done, finish, loop, work } = start()
    loop.run('bob', work('here', 0))
    for (let piece = 0; piece < 1_000; piece += 1) loop.run('ann', work(`a${piece}`, 0.1))
    for (let piece = 0; piece < 6; piece += 1) loop.run('bob', work(`b${piece}`, 0.1))
    await finish()
    expect(done).toHaveLength(1_007)
    // Three of them at once, the others after one of the other’s each.
    expect(done.indexOf('b2')).toBe(7)
    expect(done.indexOf('b5')).toBeLessThan(16)
    const order = done.filter((name) => name.startsWith('a'))
    expect(order).toEqual(Array.from({ length: 1_000 }, (_, piece) => `a${piece}`))
  })

  it('does a bounded part of what waits in a turn, so that what comes then is not late', async () => {
    const { clock, done, loop, work } = start()
    loop.run('bob', work('here', 0))
    for (let piece = 0; piece < 1_000; piece += 1) loop.run('ann', work(`a${piece}`, 0.5))
    const turns: number[] = []
    while (loop.waiting > 0) {
      const before = clock.at
      await turn()
      turns.push(clock.at - before)
    }
    expect(Math.max(...turns)).toBeLessThan(3)
    expect(done).toHaveLength(1_001)
  })

  it('begins few pieces that a turn has no time for, and more where it had time for all', async () => {
    const { done, finish, loop, work } = start()
    for (let piece = 0; piece < 4_000; piece += 1) loop.run('ann', work('a', 0.02))
    const before = done.length
    const begun = vi.spyOn(globalThis, 'setImmediate')
    try {
      // A turn has time for a hundred.
      for (let turns = 0; turns < 5; turns += 1) await turn()
      expect(done.length - before).toBeGreaterThan(200)
      await finish()
      expect(begun.mock.calls.length).toBeLessThan(1.5 * (done.length - before))
    } finally {
      begun.mockRestore()
    }
  })

  it('reads GitHub’s answers by turns, and in the next one: calls that their heads ask for go first', async () => {
    const { done, finish, loop, work } = start()
    for (let piece = 0; piece < 10; piece += 1) loop.runHeavy('ann', work(`a${piece}`, 5))
    loop.runHeavy('bob', work('b', 5))
    loop.run('cid', work('quick', 0.1))
    setImmediate(work('a call', 0.1))
    await turn()
    expect(done).toEqual(['quick', 'a call'])
    await finish()
    expect(done.indexOf('b')).toBeLessThan(5)
    expect(done).toHaveLength(13)
  })

  it('gives to what waits most of the time, however much comes in meanwhile', async () => {
    const { clock, loop, work } = start()
    loop.run('bob', work('here', 0))
    const from = clock.at
    let coming = 0
    for (let round = 0; round < 60; round += 1) {
      // Taking in: the same for each request, whatever becomes of it.
      for (let request = 0; request < 800; request += 1) {
        clock.at += 0.04
        coming += 0.04
        loop.run('ann', work('a', 0.12))
      }
      await turn()
    }
    expect((clock.at - from - coming) / (clock.at - from)).toBeGreaterThan(0.65)
  })

  it('goes on after work that fails', async () => {
    const { done, finish, loop, work } = start()
    const failed = new Promise((resolve) => process.once('uncaughtException', resolve))
    const listeners = process.listeners('uncaughtException').slice(0, -1)
    for (const listener of listeners) process.off('uncaughtException', listener)
    loop.runHeavy('ann', work('first', 1))
    loop.runHeavy('ann', () => {
      throw new Error('broken')
    })
    loop.runHeavy('ann', work('last', 1))
    await failed
    for (const listener of listeners) process.on('uncaughtException', listener)
    await finish()
    expect(done).toEqual(['first', 'last'])
  })
})
