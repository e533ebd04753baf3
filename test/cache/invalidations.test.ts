import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createInvalidations } from '../../src/cache/invalidations.ts'
import type { GuardedRedis } from '../../src/redis/guarded.ts'
import { createClock } from '../support/cache.ts'
import { createFakeRedis } from '../support/fakeRedis.ts'

// Only the tries to reach a Redis that fails are a matter of time.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** Times out what would go on for ever. */
const MOST_TRIES = 1_000
const RETRIED_MS = 1_000

function inFleet() {
  const clock = createClock()
  const redis = createFakeRedis(clock.now)
  const join = () => {
    const connection = redis.connect()
    const { commands, bus } = connection
    let tries = 0
    const counted: GuardedRedis = {
      async try(command) {
        tries += 1
        if (tries > MOST_TRIES) throw new Error('tried again and again at once')
        return commands.try(command)
      },
      available: true,
      isCluster: false,
      close: () => {},
    }
    const shared = { redis: counted, bus }
    return Object.assign(createInvalidations({ now: clock.now, shared }), { connection })
  }
  return { clock, join, redis }
}

const answer = (asOf: number, ...tags: string[]) => ({ asOf, tags })

describe('a marking event', () => {
  it('concerns what began before it and depends on one of its tags', async () => {
    const { clock, join } = inFleet()
    const here = join()
    const before = clock.now()
    clock.advance(1)
    await here.mark('changed', ['a', 'b'])
    expect(here.verdict(answer(before, 'x', 'b'))).toBe('changed')
    expect(here.verdict(answer(clock.now(), 'a'))).toBe('changed')
    expect(here.verdict(answer(clock.now() + 1, 'a'))).toBeUndefined()
    expect(here.verdict(answer(before, 'x'))).toBeUndefined()
    expect(here.verdict(answer(before))).toBeUndefined()
  })

  it('that revokes outweighs one that changes, whichever came first', async () => {
    const { clock, join } = inFleet()
    const here = join()
    const before = clock.now()
    await here.mark('revoked', ['a'])
    clock.advance(1)
    await here.mark('changed', ['a', 'b'])
    expect(here.verdict(answer(before, 'a'))).toBe('revoked')
    expect(here.verdict(answer(before, 'b', 'a'))).toBe('revoked')
    expect(here.verdict(answer(before + 1, 'a'))).toBe('changed')
  })

  it('is known at once to all who listen, and later to those who come', async () => {
    const { clock, join } = inFleet()
    const [here, there] = [join(), join()]
    await nextTurn()
    await here.mark('revoked', ['a'])
    expect(there.verdict(answer(clock.now(), 'a'))).toBe('revoked')
    const late = join()
    expect(late.informed).toBe(false)
    await nextTurn()
    expect(late.informed).toBe(true)
    expect(late.verdict(answer(clock.now(), 'a'))).toBe('revoked')
  })

  it('that Redis did not take for a moment is known to the others right after', async () => {
    const { clock, join } = inFleet()
    const [here, there] = [join(), join()]
    await nextTurn()
    here.connection.reachable = false
    await here.mark('changed', ['a'])
    here.connection.reachable = true
    expect(there.verdict(answer(clock.now(), 'a'))).toBeUndefined()
    await vi.advanceTimersByTimeAsync(100)
    expect(there.verdict(answer(clock.now(), 'a'))).toBe('changed')
  })

  it('is told soon after a long failure, and Redis is not asked all the time meanwhile', async () => {
    const { clock, join } = inFleet()
    const [here, there] = [join(), join()]
    await nextTurn()
    here.connection.reachable = false
    for (const tag of ['a', 'b', 'c']) {
      await here.mark('changed', [tag])
      await vi.advanceTimersByTimeAsync(10_000)
    }
    here.connection.reachable = true
    await vi.advanceTimersByTimeAsync(500)
    for (const tag of ['a', 'b', 'c'])
      expect(there.verdict(answer(clock.now() - 1, tag))).toBe('changed')
    // Both begin anew where it fails again.
    here.connection.reachable = false
    await here.mark('changed', ['d'])
    here.connection.reachable = true
    await vi.advanceTimersByTimeAsync(100)
    expect(there.verdict(answer(clock.now() - 1, 'd'))).toBe('changed')
  })

  it('is one of many thousand in the log, and all are learnt', async () => {
    const { clock, join } = inFleet()
    const here = join()
    await nextTurn()
    const tags = Array.from({ length: 2_500 }, (_, index) => `tag-${index}`)
    await here.mark('changed', tags)
    const late = join()
    await nextTurn()
    const verdicts = tags.map((tag) => late.verdict(answer(clock.now(), tag)))
    expect(new Set(verdicts)).toEqual(new Set(['changed']))
  })

  it('reaches those who listen though Redis takes no writes', async () => {
    const { clock, redis } = inFleet()
    const join = () => {
      const { bus } = redis.connect()
      const full: GuardedRedis = {
        try: async () => undefined,
        available: true,
        isCluster: false,
        close: () => {},
      }
      return createInvalidations({ now: clock.now, shared: { redis: full, bus } })
    }
    const [here, there] = [join(), join()]
    await here.mark('changed', ['a'])
    expect(there.verdict(answer(clock.now(), 'a'))).toBe('changed')
  })

  it('of a service without Redis is known to itself', async () => {
    const alone = createInvalidations({ now: () => 5, shared: undefined })
    expect([alone.informed, alone.missedUntil]).toEqual([true, 0])
    await alone.mark('changed', ['a'])
    expect(alone.verdict(answer(5, 'a'))).toBe('changed')
  })
})

describe('a process that has lost Redis', () => {
  it('is not informed until it has read what it missed', async () => {
    const { clock, join } = inFleet()
    const here = join()
    await nextTurn()
    here.connection.listen(false)
    expect(here.informed).toBe(false)
    clock.advance(1)
    here.connection.listen(true)
    expect([here.informed, here.missedUntil]).toEqual([false, clock.now()])
    await nextTurn()
    expect(here.informed).toBe(true)
  })

  it('reads it as soon as it can, where commands fail for longer than the subscription', async () => {
    const { clock, join } = inFleet()
    const [here, there] = [join(), join()]
    await nextTurn()
    here.connection.listen(false)
    here.connection.reachable = false
    await there.mark('revoked', ['a'])
    here.connection.listen(true)
    await nextTurn()
    expect(here.informed).toBe(false)
    here.connection.reachable = true
    await vi.advanceTimersByTimeAsync(RETRIED_MS)
    expect(here.informed).toBe(true)
    expect(here.verdict(answer(clock.now(), 'a'))).toBe('revoked')
  })

  it('tells what it could not tell as soon as it can, and does nothing else meanwhile', async () => {
    const { clock, join } = inFleet()
    const [here, there] = [join(), join()]
    await nextTurn()
    here.connection.listen(false)
    here.connection.reachable = false
    const at = clock.now()
    await here.mark('revoked', ['a'])
    clock.advance(60)
    here.connection.listen(true)
    await vi.advanceTimersByTimeAsync(RETRIED_MS)
    expect(there.verdict(answer(at, 'a'))).toBeUndefined()
    here.connection.reachable = true
    await vi.advanceTimersByTimeAsync(RETRIED_MS)
    expect(there.verdict(answer(at, 'a'))).toBe('revoked')
    const late = join()
    await nextTurn()
    expect(late.verdict(answer(at, 'a'))).toBe('revoked')
  })

  it('tells it also where the subscription never broke', async () => {
    const { clock, join } = inFleet()
    const [here, there] = [join(), join()]
    await nextTurn()
    here.connection.reachable = false
    await here.mark('changed', ['a'])
    here.connection.reachable = true
    await vi.advanceTimersByTimeAsync(RETRIED_MS)
    expect(there.verdict(answer(clock.now(), 'a'))).toBe('changed')
  })
})

describe('what is none of ours', () => {
  it.each([
    'garbage',
    '',
    'null',
    '[]',
    '{"mark":"revoked"}',
    '{"tags":"a","at":1}',
    '{"tags":[null],"at":"x"}',
  ])('in a message is passed over: %s', async (message) => {
    const { clock, join } = inFleet()
    const [here, there] = [join(), join()]
    await nextTurn()
    await there.connection.bus.publish('invalidated', message)
    expect(here.verdict(answer(0, 'a'))).toBeUndefined()
    await there.mark('changed', ['a'])
    expect(here.verdict(answer(clock.now(), 'a'))).toBe('changed')
  })
})

describe('a watch', () => {
  it('tells of what concerns it, from any replica, once for each event', async () => {
    const { clock, join } = inFleet()
    const [here, there] = [join(), join()]
    const told: string[] = []
    const stop = here.watch(answer(clock.now(), 'a', 'b'), (mark) => told.push(mark))
    clock.advance(1)
    await there.mark('changed', ['a', 'b', 'c'])
    await here.mark('revoked', ['b'])
    await here.mark('changed', ['c'])
    await nextTurn()
    expect(told).toEqual(['changed', 'revoked'])
    stop()
    clock.advance(1)
    await there.mark('changed', ['a'])
    expect(told.length).toBe(2)
  })

  it('tells at once of what happened since the fetch began, and nothing of before', async () => {
    const { clock, join } = inFleet()
    const here = join()
    await here.mark('changed', ['a'])
    clock.advance(1)
    const asOf = clock.now()
    const told: string[] = []
    here.watch(answer(asOf, 'a'), (mark) => told.push(`late ${mark}`))
    expect(told).toEqual([])
    await here.mark('changed', ['a'])
    here.watch(answer(asOf, 'a'), (mark) => told.push(`missed ${mark}`))
    expect(told).toEqual(['late changed', 'missed changed'])
  })

  it('hears nothing of old events that are read late', async () => {
    const { clock, join } = inFleet()
    const there = join()
    const long = clock.now()
    await there.mark('changed', ['a'])
    clock.advance(10)
    const here = join()
    const told: string[] = []
    here.watch(answer(clock.now(), 'a'), (mark) => told.push(mark))
    for (let turn = 0; turn < MOST_TRIES && !here.informed; turn += 1) await nextTurn()
    expect(here.verdict(answer(long, 'a'))).toBe('changed')
    expect(told).toEqual([])
  })
})
