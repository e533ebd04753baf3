import { describe, expect, it } from 'vitest'
import { createHearing } from '../../src/cache/hearing.ts'
import { createClock, createReplica, createSource, requestOf, seen } from '../support/cache.ts'
import { createFakeRedis } from '../support/fakeRedis.ts'

const POLICY = { freshFor: 60, toldFor: 300, staleFor: 300, keepFor: 86_400 }

function setUp() {
  const clock = createClock()
  const source = createSource()
  const doubts: string[] = []
  const ears = { hears: true }
  const told = {
    isTold: () => ears.hears,
    untold: (entry: { contextId: string }) => void doubts.push(entry.contextId),
  }
  const replica = createReplica({ now: clock.now, told })
  const asked = async () => seen(await replica.get(requestOf(source.load)))
  source.answers('v1', { policy: POLICY, tags: ['issue:1'] })
  return { asked, clock, doubts, ears, replica, source }
}

describe('an answer of which every change is told', () => {
  it('is fresh for longer, and stale for as long as others', async () => {
    const { asked, clock } = setUp()
    await asked()
    clock.advance(299.999)
    expect(await asked()).toBe('hit v1')
    clock.advance(0.001)
    expect(await asked()).toBe('stale v1')
  })

  it('is as others from the moment in which nothing is heard any more', async () => {
    const { asked, clock, ears } = setUp()
    await asked()
    clock.advance(100)
    expect(await asked()).toBe('hit v1')
    ears.hears = false
    expect(await asked()).toBe('stale v1')
  })

  it('is asked for anew when an event names it', async () => {
    const { asked, clock, replica } = setUp()
    await asked()
    clock.advance(100)
    await replica.invalidations.mark('changed', ['issue:1'])
    expect(await asked()).toBe('miss v1')
  })

  it.each([
    ['has changed and nothing told', 'v2', false, ['v1']],
    ['has changed, as an event told', 'v2', true, []],
    ['has not changed', 'v1', false, []],
  ])('that %s is doubted or not', async (_name, body, isTold, doubted) => {
    const { asked, clock, doubts, replica, source } = setUp()
    await asked()
    clock.advance(700)
    if (isTold) await replica.invalidations.mark('changed', ['issue:1'])
    source.answers(body, { policy: POLICY, tags: ['issue:1'] })
    await asked()
    expect(doubts).toEqual(doubted)
  })
})

describe('hearing', () => {
  const listen = () => {
    const clock = createClock()
    const { bus, listen } = createFakeRedis(clock.now).connect()
    const invalidations = { informed: true, missedUntil: clock.now() }
    const hearing = createHearing({ bus, invalidations, ticks: clock.now })
    return { bus, clock, hearing, invalidations, listen }
  }

  it('ends where no sign of life comes, and begins with the next', async () => {
    const { bus, clock, hearing } = listen()
    const at = clock.now()
    await bus.publish('heartbeat', '')
    expect(hearing.since(at)).toBe(true)
    clock.advance(15)
    expect(hearing.since(at)).toBe(false)
    await bus.publish('heartbeat', '')
    expect(hearing.since(at)).toBe(true)
    hearing.close()
  })

  it('is of nothing from before it began, nor without the log of events', async () => {
    const { bus, clock, hearing, invalidations } = listen()
    await bus.publish('heartbeat', '')
    expect(hearing.since(clock.now() - 1)).toBe(false)
    invalidations.informed = false
    expect(hearing.since(clock.now())).toBe(false)
    hearing.close()
  })

  it('ends with the subscription', async () => {
    const { bus, clock, hearing, listen: subscribe } = listen()
    await bus.publish('heartbeat', '')
    subscribe(false)
    expect(hearing.since(clock.now())).toBe(false)
    hearing.close()
  })
})
