import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { noLeases } from '../../src/cache/leases.ts'
import type { Store } from '../../src/cache/store.ts'
import {
  createClock,
  createReplica,
  createSource,
  failures,
  type RequestOptions,
  refusals,
  requestOf,
  seen,
} from '../support/cache.ts'
import { createFakeRedis } from '../support/fakeRedis.ts'

const MINUTE = 60
const HOUR = 3_600

/** One cache, its clock, and a source that answers `v1` until it is told otherwise. */
function setUp({ random = () => 0.5, shared }: { random?: () => number; shared?: Store } = {}) {
  const clock = createClock()
  const cache = createReplica({ now: clock.now, random, ...(shared && { shared }) })
  const source = createSource()
  source.answers('v1')
  const ask = (options: RequestOptions = {}) => cache.get(requestOf(source.load, options))
  /** What the caller got: outcome and body, or the problem's code. */
  const asked = (options: RequestOptions = {}) =>
    ask(options).then(seen, (error: { code: string }) => error.code)
  return { clock, cache, source, ask, asked }
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

describe('the times of an answer', () => {
  // Lifetimes are stretched by 0.9 to 1.1.
  it.each([
    [0, 54, 324],
    [0.5, 60, 360],
    [1, 66, 396],
  ])(
    'with chance at %s it is fresh for %s s and may be served for %s s',
    async (chance, fresh, stale) => {
      const at = async (seconds: number) => {
        const { asked, clock, source } = setUp({ random: () => chance })
        await asked()
        clock.advance(seconds)
        source.answers('v2')
        return asked()
      }
      expect(await at(fresh - 0.001)).toBe('hit v1')
      expect(await at(fresh)).toBe('stale v1')
      expect(await at(stale - 0.001)).toBe('stale v1')
      expect(await at(stale)).toBe('miss v2')
    },
  )

  it.each([
    ['public', 24 * HOUR],
    ['private', 15 * MINUTE],
  ] as const)('a %s answer stands in for GitHub for %s s', async (visibility, kept) => {
    const { asked, clock, source } = setUp()
    source.answers('v1', { visibility })
    await asked()
    source.fails(failures.badGateway())
    clock.advance(kept - 0.001)
    expect(await asked()).toBe('stale_if_error v1')
    clock.advance(0.001)
    expect(await asked()).toBe('upstream_error')
  })

  it('a private answer is not served longer than it is kept, whatever its policy', async () => {
    const { asked, clock, source } = setUp()
    const policy = { freshFor: 300, staleFor: 3_600, keepFor: 86_400 }
    source.answers('v1', { visibility: 'private', policy })
    await asked()
    source.fails(failures.badGateway())
    clock.advance(15 * MINUTE - 0.001)
    expect(await asked()).toBe('stale v1')
    await nextTurn()
    clock.advance(0.001)
    expect(await asked()).toBe('upstream_error')
  })

  it('a policy may keep it for less', async () => {
    const { asked, clock, source } = setUp()
    const policy = { freshFor: 2, staleFor: 0, keepFor: 300 }
    source.answers('v1', { policy })
    await asked()
    source.fails(failures.badGateway())
    clock.advance(299)
    expect(await asked()).toBe('stale_if_error v1')
    clock.advance(1)
    expect(await asked()).toBe('upstream_error')
  })

  it('counts from the beginning of the fetch', async () => {
    const { asked, ask, clock, source } = setUp()
    source.waits()
    const slow = ask()
    await nextTurn()
    clock.advance(40)
    await source.last.answer('v1')
    expect((await slow).entry.asOf).toBe(clock.now() - 40_000)
    clock.advance(20)
    expect(await asked()).toBe('stale v1')
  })
})

describe('a stale answer', () => {
  it('is served at once, and one refresh runs behind a hundred', async () => {
    const { asked, clock, source } = setUp()
    await asked()
    clock.advance(90)
    source.waits()
    expect(new Set(await Promise.all(times(100, asked)))).toEqual(new Set(['stale v1']))
    expect(source.loads).toHaveLength(2)
    expect(source.last.urgency).toBe('background')
    await source.last.answer('v2')
    expect(await asked()).toBe('hit v2')
  })

  it('is refreshed though its callers have left', async () => {
    const { ask, asked, clock, source } = setUp()
    await ask()
    clock.advance(90)
    source.waits()
    const caller = new AbortController()
    await ask({ signal: () => caller.signal })
    caller.abort()
    await nextTurn()
    expect(source.last.signal.aborted).toBe(false)
    await source.last.answer('v2')
    expect(await asked()).toBe('hit v2')
  })

  it('is not refreshed any more when the process closes', async () => {
    const { asked, cache, clock, source } = setUp()
    await asked()
    clock.advance(90)
    source.waits()
    await asked()
    cache.close()
    await nextTurn()
    expect(source.last.signal.aborted).toBe(true)
    expect(await asked()).toBe('stale v1')
    expect(source.loads).toHaveLength(2)
    expect(cache.refreshFailures).toEqual([])
  })

  it('goes on when its refresh fails, and the failure is told', async () => {
    const { asked, cache, clock, source } = setUp()
    await asked()
    clock.advance(90)
    const failure = failures.badGateway()
    source.fails(failure)
    expect(await asked()).toBe('stale v1')
    await nextTurn()
    expect(cache.refreshFailures).toEqual([failure])
    source.answers('v2')
    expect(await asked()).toBe('stale v1')
    await nextTurn()
    expect(source.loads).toHaveLength(2)
    clock.advance(5)
    expect(await asked()).toBe('stale v1')
    await nextTurn()
    expect(await asked()).toBe('hit v2')
  })
})

describe('a missing answer', () => {
  it('is fetched once for a hundred who wait', async () => {
    const { asked, source } = setUp()
    source.waits()
    const waiting = times(100, asked)
    await nextTurn()
    await source.last.answer('v1')
    const answers = await Promise.all(waiting)
    expect(source.loads).toHaveLength(1)
    expect(source.last.urgency).toBe('interactive')
    expect(answers[0]).toBe('miss v1')
    expect(new Set(answers.slice(1))).toEqual(new Set(['collapsed v1']))
  })

  it('fails for all who wait when the fetch fails, and is fetched anew for the next', async () => {
    const { asked, source } = setUp()
    source.waits()
    const waiting = times(3, asked)
    await nextTurn()
    await source.last.fail(failures.badGateway())
    expect(await Promise.all(waiting)).toEqual(times(3, () => 'upstream_error'))
    source.answers('v1')
    expect(await asked()).toBe('miss v1')
  })

  it('is fetched for each principal', async () => {
    const { asked, source } = setUp()
    source.waits()
    const ann = asked({ principal: 'ann' })
    const bob = asked({ principal: 'bob' })
    await nextTurn()
    expect(source.loads).toHaveLength(2)
    await source.loads[1]?.answer('for bob')
    await source.loads[0]?.answer('for ann')
    expect(await Promise.all([ann, bob])).toEqual(['miss for ann', 'miss for bob'])
    expect(await asked({ principal: 'bob' })).toBe('hit for bob')
  })

  it('says when GitHub had nothing new', async () => {
    const { asked, clock, source } = setUp()
    await asked()
    clock.advance(HOUR)
    source.answers('v1', { unchanged: true })
    expect(await asked()).toBe('revalidated v1')
  })
})

describe('callers who leave', () => {
  it('take the fetch with them only when the last has left', async () => {
    const { ask, source } = setUp()
    source.waits()
    const callers = times(3, () => new AbortController())
    const waiting = callers.map(({ signal }) => ask({ signal: () => signal }))
    const outcomes = Promise.allSettled(waiting)
    await nextTurn()
    const [first, second, third] = callers
    first?.abort(new Error('left'))
    second?.abort(new Error('left'))
    await nextTurn()
    expect(source.last.signal.aborted).toBe(false)
    third?.abort(new Error('left'))
    await nextTurn()
    expect(source.last.signal.aborted).toBe(true)
    for (const outcome of await outcomes) {
      expect(outcome).toEqual({ status: 'rejected', reason: new Error('left') })
    }
  })

  it('leave the answer to those who stay', async () => {
    const { ask, asked, source } = setUp()
    source.waits()
    const caller = new AbortController()
    const left = ask({ signal: () => caller.signal }).catch((error: Error) => error.message)
    const stays = asked()
    await nextTurn()
    caller.abort(new Error('left'))
    expect(await left).toBe('left')
    await source.last.answer('v1')
    expect(await stays).toBe('collapsed v1')
    expect(source.loads).toHaveLength(1)
  })

  it('are not joined by who comes after: that one gets a fetch of its own', async () => {
    const { ask, asked, source } = setUp()
    source.waits()
    const caller = new AbortController()
    const left = ask({ signal: () => caller.signal }).catch(() => 'left')
    await nextTurn()
    caller.abort()
    await left
    const next = asked()
    await nextTurn()
    await source.last.answer('v2')
    expect(await next).toBe('miss v2')
    expect(source.loads).toHaveLength(2)
  })

  it('cost nothing when they have left before', async () => {
    const { asked, source } = setUp()
    expect(await asked({ signal: () => AbortSignal.abort(new Error('left')) })).toBeUndefined()
    expect(source.loads).toHaveLength(0)
  })
})

describe('max_age', () => {
  it('takes from memory what is young enough', async () => {
    const { asked, clock, source } = setUp()
    await asked()
    clock.advance(30)
    source.answers('v2')
    expect(await asked({ maxAge: 30 })).toBe('hit v1')
    expect(await asked({ maxAge: 29 })).toBe('requested v2')
  })

  it('0 asks GitHub every time', async () => {
    const { asked, source } = setUp()
    await asked()
    expect(await asked({ maxAge: 0 })).toBe('requested v1')
    expect(await asked({ maxAge: 0 })).toBe('requested v1')
    expect(source.loads).toHaveLength(3)
  })

  it('renews the answer for everybody', async () => {
    const { asked, clock, source } = setUp()
    await asked()
    clock.advance(50)
    source.answers('v2')
    await asked({ maxAge: 10 })
    clock.advance(50)
    expect(await asked()).toBe('hit v2')
  })

  it('never makes an answer older than its policy allows', async () => {
    const { asked, clock, source } = setUp()
    await asked()
    clock.advance(HOUR)
    source.answers('v2')
    expect(await asked({ maxAge: 2 * HOUR })).toBe('requested v2')
  })

  it('0 does not wait for a fetch that runs already', async () => {
    const { asked, clock, source } = setUp()
    source.waits()
    const before = asked()
    await nextTurn()
    clock.advance(1)
    const after = asked({ maxAge: 0 })
    await nextTurn()
    await source.loads[0]?.answer('older')
    await source.loads[1]?.answer('newer')
    expect(await Promise.all([before, after])).toEqual(['miss older', 'requested newer'])
  })

  it('of one does not give the answer to another who wants a younger one', async () => {
    const { asked, clock, source } = setUp()
    source.waits()
    const patient = asked({ maxAge: 60 })
    await nextTurn()
    clock.advance(10)
    const strict = asked({ maxAge: 5 })
    await nextTurn()
    expect(source.loads).toHaveLength(2)
    await source.loads[0]?.answer('older')
    await source.loads[1]?.answer('newer')
    expect(await Promise.all([patient, strict])).toEqual(['requested older', 'requested newer'])
  })

  it('of equal callers shares a fetch only as long as it is young enough', async () => {
    const { asked, clock, source } = setUp()
    source.waits()
    const first = asked({ maxAge: 5 })
    await nextTurn()
    clock.advance(5)
    const second = asked({ maxAge: 5 })
    await nextTurn()
    expect(source.loads).toHaveLength(1)
    clock.advance(0.001)
    const third = asked({ maxAge: 5 })
    await nextTurn()
    expect(source.loads).toHaveLength(2)
    await source.loads[0]?.answer('older')
    await source.loads[1]?.answer('newer')
    expect(await Promise.all([first, second, third])).toEqual([
      'requested older',
      'collapsed older',
      'requested newer',
    ])
  })

  it('holds at the moment when a shared answer comes, however slowly', async () => {
    const { promise: slow, resolve } = Promise.withResolvers<void>()
    const clock = createClock()
    const source = createSource()
    const kept = new Map<string, Awaited<ReturnType<Store['get']>>>()
    const shared: Store = {
      get: async (key) => {
        await slow
        return kept.get(key)
      },
      set: (key, entry) => void kept.set(key, entry),
      delete: (key) => void kept.delete(key),
    }
    const writer = createReplica({ now: clock.now, shared: { ...shared, get: () => undefined } })
    source.answers('v1')
    await writer.get(requestOf(source.load))
    clock.advance(30)
    const reader = createReplica({ now: clock.now, shared })
    const first = reader.get(requestOf(source.load, { maxAge: 30 }))
    clock.advance(10)
    source.answers('v2')
    const second = reader.get(requestOf(source.load, { maxAge: 30 }))
    resolve()
    expect((await Promise.all([first, second])).map(seen)).toEqual(['requested v2', 'collapsed v2'])
  })
})

describe('a failure of GitHub', () => {
  it.each([
    ['502', failures.badGateway, 502],
    ['a rate limit', failures.limited, 403],
    ['a broken connection', failures.unreachable, undefined],
    ['silence', failures.timeout, undefined],
  ])('as %s is answered by what is kept, and named', async (_name, failure, status) => {
    const { ask, clock, source } = setUp()
    await ask()
    clock.advance(HOUR)
    source.fails(failure())
    const cached = await ask()
    expect(seen(cached)).toBe('stale_if_error v1')
    expect(cached.failure).toEqual(failure())
    expect(cached.failure?.upstreamStatus).toBe(status)
  })

  it('is told to all who wait for one fetch', async () => {
    const { ask, clock, source } = setUp()
    await ask()
    clock.advance(HOUR)
    source.fails(failures.badGateway())
    const answers = await Promise.all(times(3, ask))
    expect(answers.map(seen)).toEqual(times(3, () => 'stale_if_error v1'))
    for (const { failure } of answers) expect(failure?.upstreamStatus).toBe(502)
  })

  it.each([0, 60, 2 * HOUR])('is not hidden from a caller with max_age %s', async (maxAge) => {
    const { asked, clock, source } = setUp()
    await asked()
    clock.advance(HOUR)
    source.fails(failures.badGateway())
    expect(await asked({ maxAge })).toBe('upstream_error')
  })

  it('does not make what is kept any younger', async () => {
    const { ask, asked, clock, source } = setUp()
    const { entry } = await ask()
    clock.advance(HOUR)
    source.fails(failures.badGateway())
    expect((await ask()).entry).toEqual(entry)
    source.answers('v2')
    expect(await asked()).toBe('miss v2')
  })

  it('is the answer where nothing is kept', async () => {
    const { asked, source } = setUp()
    source.fails(failures.limited())
    expect(await asked()).toBe('upstream_rate_limited')
  })

  it('of our own is never hidden', async () => {
    const { ask, clock, source } = setUp()
    await ask()
    clock.advance(HOUR)
    source.fails(new TypeError('a bug'))
    await expect(ask()).rejects.toThrow('a bug')
  })
})

describe.each(Object.entries(refusals))('a refusal of GitHub (%s)', (_name, refusal) => {
  const { code } = refusal()

  it('takes the answer away at once', async () => {
    const { asked, clock, source } = setUp()
    await asked()
    clock.advance(30)
    source.fails(refusal())
    expect(await asked({ maxAge: 0 })).toBe(code)
    expect(await asked()).toBe(code)
  })

  it('takes a stale answer away as soon as the refresh meets it', async () => {
    const { asked, cache, clock, source } = setUp()
    await asked()
    clock.advance(90)
    source.fails(refusal())
    expect(await asked()).toBe('stale v1')
    await nextTurn()
    expect(await asked()).toBe(code)
    expect(cache.refreshFailures).toEqual([refusal()])
  })

  it('beats what is kept, also when GitHub fails afterwards', async () => {
    const { asked, clock, source } = setUp()
    await asked()
    clock.advance(HOUR)
    source.fails(refusal())
    expect(await asked()).toBe(code)
    clock.advance(15)
    source.fails(failures.badGateway())
    expect(await asked()).toBe('upstream_error')
  })

  it.each([
    [0, 9],
    [0.5, 10],
    [1, 11],
  ])('is remembered, with chance at %s for %s s', async (chance, seconds) => {
    const { asked, clock, source } = setUp({ random: () => chance })
    source.fails(refusal())
    expect(await asked()).toBe(code)
    source.answers('v2')
    clock.advance(seconds - 0.001)
    expect(await asked()).toBe(code)
    expect(source.loads).toHaveLength(1)
    clock.advance(0.001)
    expect(await asked()).toBe('miss v2')
  })

  it('is not remembered for who wants to know now', async () => {
    const { asked, clock, source } = setUp()
    source.fails(refusal())
    await asked()
    source.answers('v2')
    clock.advance(1)
    expect(await asked({ maxAge: 0 })).toBe('requested v2')
    expect(await asked()).toBe('hit v2')
  })

  it('is nobody else’s', async () => {
    const { asked, source } = setUp()
    await asked({ principal: 'bob' })
    source.fails(refusal())
    await asked({ principal: 'ann' })
    source.answers('v2')
    expect(await asked({ principal: 'bob' })).toBe('hit v1')
    expect(await asked({ principal: 'eve' })).toBe('miss v2')
  })

  it('is not undone by a fetch that had begun before', async () => {
    const { asked, clock, source } = setUp()
    await asked()
    clock.advance(HOUR)
    source.waits()
    const slow = asked()
    await nextTurn()
    clock.advance(1)
    const refused = asked({ maxAge: 0 })
    await nextTurn()
    clock.advance(1)
    await source.loads[2]?.fail(refusal())
    expect(await refused).toBe(code)
    await source.loads[1]?.answer('said before')
    await slow
    clock.advance(1)
    expect(await asked()).toBe(code)
    clock.advance(15)
    source.fails(failures.badGateway())
    expect(await asked()).toBe('upstream_error')
  })

  it('that was slow to come takes away what had been fetched meanwhile', async () => {
    const { asked, clock, source } = setUp()
    source.waits()
    const refused = asked()
    await nextTurn()
    clock.advance(1)
    const answered = asked({ maxAge: 0 })
    await nextTurn()
    await source.loads[1]?.answer('said before')
    expect(await answered).toBe('requested said before')
    clock.advance(1)
    await source.loads[0]?.fail(refusal())
    expect(await refused).toBe(code)
    clock.advance(1)
    expect(await asked()).toBe(code)
  })
})

describe('a refusal', () => {
  it('takes away what was fitted into another budget too', async () => {
    const { asked, clock, source } = setUp()
    source.answers('v1')
    const subject = 'ann:issue'
    await asked({ name: 'issue in 500 tokens', subject })
    await asked({ name: 'issue', subject })
    clock.advance(1)
    source.fails(refusals.notFound())
    expect(await asked({ name: 'issue', subject, maxAge: 0 })).toBe('not_found')
    source.fails(failures.badGateway())
    expect(await asked({ name: 'issue in 500 tokens', subject })).toBe('upstream_error')
  })
})

describe('a refused credential', () => {
  it('loses all its answers, and nobody else any', async () => {
    const { asked, clock, source } = setUp()
    for (const principal of ['ann', 'bob']) {
      for (const name of ['one', 'two']) await asked({ principal, name })
    }
    clock.advance(1)
    source.fails(refusals.auth())
    expect(await asked({ name: 'one', maxAge: 0 })).toBe('upstream_auth')
    source.fails(failures.badGateway())
    expect(await asked({ name: 'two' })).toBe('upstream_error')
    expect(await asked({ principal: 'bob', name: 'two' })).toBe('hit v1')
  })

  it('may be good again', async () => {
    const { asked, clock, source } = setUp()
    await asked({ name: 'two' })
    source.fails(refusals.auth())
    await asked({ name: 'one' })
    clock.advance(11)
    source.answers('v2')
    expect(await asked({ name: 'two' })).toBe('miss v2')
    expect(await asked({ name: 'two' })).toBe('hit v2')
  })
})

describe('an event', () => {
  const tags = ['issue:o/r#1']

  it('makes GitHub be asked before the answer is served again', async () => {
    const { asked, cache, clock, source } = setUp()
    source.answers('v1', { tags })
    await asked()
    clock.advance(1)
    await cache.invalidations.mark('changed', ['issue:o/r#2'])
    expect(await asked()).toBe('hit v1')
    await cache.invalidations.mark('changed', tags)
    source.fails(failures.badGateway())
    expect(await asked()).toBe('stale_if_error v1')
    source.answers('v2', { tags })
    clock.advance(1)
    expect(await asked()).toBe('miss v2')
    expect(await asked()).toBe('hit v2')
  })

  it('that takes access away takes the answer away for good', async () => {
    const { asked, cache, clock, source } = setUp()
    source.answers('v1', { tags: ['access:o'] })
    await asked()
    clock.advance(1)
    await cache.invalidations.mark('revoked', ['access:o'])
    source.fails(failures.badGateway())
    expect(await asked()).toBe('upstream_error')
  })

  it('leaves no fresh answer of a fetch that had begun before', async () => {
    const { asked, cache, clock, source } = setUp()
    source.waits()
    const slow = asked()
    await nextTurn()
    clock.advance(1)
    await cache.invalidations.mark('changed', tags)
    await source.last.answer('v1', { tags })
    await slow
    source.answers('v2', { tags })
    clock.advance(1)
    expect(await asked()).toBe('miss v2')
    expect(await asked()).toBe('hit v2')
  })

  it.each(['changed', 'revoked'] as const)(
    'is not missed by who comes after it (%s) and meets a fetch from before it',
    async (mark) => {
      const { asked, cache, clock, source } = setUp()
      source.waits()
      const before = asked()
      await nextTurn()
      clock.advance(1)
      await cache.invalidations.mark(mark, tags)
      clock.advance(1)
      const after = asked()
      await nextTurn()
      await source.loads[0]?.answer('before', { tags })
      source.answers('after', { tags })
      await source.loads[1]?.answer('after', { tags })
      expect(await before).toBe('miss before')
      expect(await after).toContain('after')
    },
  )

  it('is never forgotten to the good of an answer, however many there are', async () => {
    const { asked, cache, clock, source } = setUp()
    source.answers('v1', { tags: ['access:o'] })
    await asked()
    clock.advance(1)
    await cache.invalidations.mark('revoked', ['access:o'])
    clock.advance(1)
    const others = Array.from({ length: 100_000 }, (_, index) => `issue:o/r#${index}`)
    await cache.invalidations.mark('changed', others)
    source.fails(failures.badGateway())
    expect(await asked()).toBe('upstream_error')
  })
})

describe('a slow fetch', () => {
  it('does not put an older answer in the place of a newer one', async () => {
    const { asked, clock, source } = setUp()
    source.waits()
    const slow = asked()
    await nextTurn()
    clock.advance(1)
    const quick = asked({ maxAge: 0 })
    await nextTurn()
    await source.loads[1]?.answer('newer')
    await source.loads[0]?.answer('older')
    expect(await Promise.all([slow, quick])).toEqual(['miss older', 'requested newer'])
    expect(await asked()).toBe('hit newer')
  })
})

describe('a replica that was cut off from the others', () => {
  function inFleet() {
    const clock = createClock()
    const redis = createFakeRedis(clock.now)
    const source = createSource()
    source.answers('v1', { tags: ['access:o'] })
    const join = () => {
      const connection = redis.connect()
      // A refresh that another replica does already is a matter of the leases.
      const cache = createReplica({ now: clock.now, redis: connection, leases: noLeases })
      const asked = (options: RequestOptions = {}) =>
        cache.get(requestOf(source.load, options)).then(seen, ({ code }: { code: string }) => code)
      return { ...cache, connection, asked }
    }
    return { clock, source, redis, here: join(), there: join() }
  }

  it('holds what it has in memory for stale when it is back', async () => {
    const { clock, here, source } = inFleet()
    await nextTurn()
    await here.asked()
    clock.advance(1)
    here.connection.listen(false)
    expect(await here.asked()).toBe('hit v1')
    clock.advance(1)
    here.connection.listen(true)
    source.answers('v2')
    expect(await here.asked()).toBe('stale v1')
    await nextTurn()
    expect(await here.asked()).toBe('hit v2')
  })

  it('learns of what it missed', async () => {
    const { clock, here, source, there } = inFleet()
    await nextTurn()
    await here.asked()
    here.connection.listen(false)
    clock.advance(1)
    await there.invalidations.mark('revoked', ['access:o'])
    here.connection.listen(true)
    await nextTurn()
    source.fails(failures.badGateway())
    expect(await here.asked()).toBe('upstream_error')
  })

  it('does not trust what others share while it hears nothing, nor after it has looked at it', async () => {
    const { clock, here, source, there } = inFleet()
    await nextTurn()
    await there.asked()
    here.connection.listen(false)
    clock.advance(1)
    await there.invalidations.mark('revoked', ['access:o'])
    source.waits()
    const first = here.asked()
    await nextTurn()
    const second = here.asked()
    await nextTurn()
    await source.last.answer('v2')
    expect(await Promise.all([first, second])).toEqual(['miss v2', 'collapsed v2'])
  })

  it('tells the others, once Redis is back, of what it could not tell', async () => {
    const { clock, here, source, there } = inFleet()
    await nextTurn()
    await there.asked()
    clock.advance(1)
    for (const { connection } of [here, there]) {
      connection.reachable = false
      connection.listen(false)
    }
    await here.invalidations.mark('revoked', ['access:o'])
    clock.advance(1)
    for (const { connection } of [here, there]) {
      connection.reachable = true
      connection.listen(true)
    }
    await nextTurn()
    source.fails(failures.badGateway())
    expect(await there.asked()).toBe('upstream_error')
  })

  it('takes a refusal of another for its own at once', async () => {
    const { clock, here, source, there } = inFleet()
    await nextTurn()
    await here.asked()
    expect(await there.asked()).toBe('hit_shared v1')
    clock.advance(1)
    source.fails(refusals.notFound())
    expect(await there.asked({ maxAge: 0 })).toBe('not_found')
    expect(await here.asked()).toBe('not_found')
    expect(source.loads).toHaveLength(2)
  })
})
