import { describe, expect, it } from 'vitest'
import { createFlights } from '../../src/cache/flights.ts'

const never = new AbortController().signal

/** Work that ends when it is told to, and knows whether it was aborted. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const signals: AbortSignal[] = []
  const run = (signal: AbortSignal) => {
    signals.push(signal)
    return promise
  }
  return { run, resolve, reject, signals }
}

describe('flights', () => {
  it('run once for a hundred callers', async () => {
    const flights = createFlights<string>(() => 0)
    const { run, resolve, signals } = work()
    const callers = Array.from({ length: 100 }, () => flights.run('key', never, 0, run))
    expect(flights.size).toBe(1)
    resolve('value')
    const joined = await Promise.all(callers)
    expect(signals).toHaveLength(1)
    expect(joined.map(({ value }) => value)).toEqual(Array(100).fill('value'))
    expect(joined.map(({ collapsed }) => collapsed)).toEqual([false, ...Array(99).fill(true)])
    expect(flights.size).toBe(0)
  })

  it('run for each key on its own', async () => {
    const flights = createFlights<string>(() => 0)
    const [one, two] = [work(), work()]
    const both = [flights.run('one', never, 0, one.run), flights.run('two', never, 0, two.run)]
    one.resolve('1')
    two.resolve('2')
    expect((await Promise.all(both)).map(({ value }) => value)).toEqual(['1', '2'])
  })

  it('run again when the last is over', async () => {
    const flights = createFlights<string>(() => 0)
    const [first, second] = [work(), work()]
    first.resolve('first')
    second.resolve('second')
    expect((await flights.run('key', never, 0, first.run)).value).toBe('first')
    expect(await flights.run('key', never, 0, second.run)).toEqual({
      value: 'second',
      collapsed: false,
    })
  })

  it('fail for all who wait, once, and not for who comes after', async () => {
    const flights = createFlights<string>(() => 0)
    const { run, reject } = work()
    const callers = Array.from({ length: 5 }, () => flights.run('key', never, 0, run))
    reject(new Error('no'))
    const outcomes = await Promise.allSettled(callers)
    expect(outcomes.map(({ status }) => status)).toEqual(Array(5).fill('rejected'))
    const next = work()
    next.resolve('yes')
    expect((await flights.run('key', never, 0, next.run)).value).toBe('yes')
  })

  it('are aborted when the last caller has left, not before', async () => {
    const flights = createFlights<string>(() => 0)
    const { run, signals } = work()
    const leavers = Array.from({ length: 3 }, () => new AbortController())
    const callers = leavers.map(({ signal }) => flights.run('key', signal, 0, run))
    const outcomes = Promise.allSettled(callers)
    leavers[0]?.abort(new Error('left'))
    leavers[1]?.abort(new Error('left'))
    await expect(callers[1]).rejects.toThrow('left')
    expect(signals[0]?.aborted).toBe(false)
    leavers[2]?.abort(new Error('left'))
    await outcomes
    expect(signals[0]?.aborted).toBe(true)
    expect(flights.size).toBe(0)
  })

  it('are not joined once they are aborted', async () => {
    const flights = createFlights<string>(() => 0)
    const [first, second] = [work(), work()]
    const leaver = new AbortController()
    const left = flights.run('key', leaver.signal, 0, first.run)
    leaver.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
    const stays = flights.run('key', never, 0, second.run)
    first.reject(new Error('aborted'))
    second.resolve('value')
    expect(await stays).toEqual({ value: 'value', collapsed: false })
  })

  it('do not start for a caller who has left already', async () => {
    const flights = createFlights<string>(() => 0)
    const { run, signals } = work()
    await expect(flights.run('key', AbortSignal.abort(new Error('left')), 0, run)).rejects.toThrow(
      'left',
    )
    expect(signals).toEqual([])
  })

  it('are joined only when they began late enough, and then by the next too', async () => {
    let now = 1_000
    const flights = createFlights<string>(() => now)
    const [old, fresh] = [work(), work()]
    const first = flights.run('key', never, 0, old.run)
    now = 2_000
    const second = flights.run('key', never, 1_500, fresh.run)
    const third = flights.run('key', never, 1_500, old.run)
    old.resolve('old')
    expect((await first).value).toBe('old')
    expect(flights.has('key')).toBe(true)
    fresh.resolve('fresh')
    expect(await second).toEqual({ value: 'fresh', collapsed: false })
    expect(await third).toEqual({ value: 'fresh', collapsed: true })
  })
})
