import { describe, expect, it, vi } from 'vitest'
import { createParty } from '../../src/core/party.ts'
import { createTurns, type LeaveTurn } from '../../src/github/turns.ts'

const never = new AbortController().signal

function start(places: number, foresight = true) {
  const clock = { at: 0 }
  const turns = createTurns({ places, foresight, now: () => clock.at })
  const went: string[] = []
  const leaves = new Map<string, LeaveTurn>()
  const enter = async (
    caller: string,
    name: string,
    signal = never,
    callers = createParty(caller),
  ) => {
    const leave = await turns.enter({ callers, signal })
    went.push(name)
    leaves.set(name, leave)
  }
  /** Ends calls in the order in which they went. */
  const finish = async (count: number) => {
    for (let ended = 0; ended < count; ended += 1) {
      await new Promise(setImmediate)
      const [name = ''] = leaves.keys()
      leaves.get(name)?.()
      leaves.delete(name)
    }
    await new Promise(setImmediate)
  }
  return { clock, turns, went, enter, finish }
}

const names = (caller: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${caller}${index}`)

describe('places', () => {
  it('are all in use while one caller asks, but for what is kept for others', async () => {
    const { enter, turns, went } = start(16)
    for (const name of names('a', 100)) void enter('ann', name)
    await vi.waitFor(() => expect(went).toHaveLength(14))
    expect(turns.stats()).toEqual({ inFlight: 14, waiting: 86, refused: 0 })
  })

  it('are there at once for whoever has none, however many calls another wants', async () => {
    const { enter, went } = start(16)
    for (const name of names('a', 1_000)) void enter('ann', name)
    await vi.waitFor(() => expect(went).toHaveLength(14))
    void enter('bob', 'b0')
    await new Promise(setImmediate)
    expect(went.at(-1)).toBe('b0')
  })

  it('are there at once for some more of who has few, but the last for who has none', async () => {
    const { enter, went } = start(32)
    for (const name of names('a', 1_000)) void enter('ann', name)
    await vi.waitFor(() => expect(went).toHaveLength(28))
    for (const name of names('b', 9)) void enter('bob', name)
    await new Promise(setImmediate)
    expect(went.slice(28)).toEqual(['b0', 'b1', 'b2'])
    void enter('cleo', 'c0')
    await new Promise(setImmediate)
    expect(went.slice(31)).toEqual(['c0'])
  })

  it('go round: a caller waits for one call of each other caller', async () => {
    const { enter, finish, went } = start(4)
    for (const name of names('a', 1_000)) void enter('ann', name)
    for (const name of names('b', 5)) void enter('bob', name)
    for (const name of names('c', 5)) void enter('cleo', name)
    await new Promise(setImmediate)
    went.length = 0
    await finish(20)
    const turn = (name: string) => went.indexOf(name)
    expect(turn('b4')).toBeGreaterThan(-1)
    expect(turn('c4')).toBeGreaterThan(-1)
    expect(Math.max(turn('b4'), turn('c4'))).toBeLessThan(15)
  })

  it('are refused at once where the caller’s calls wait already for a second, others’ are not', async () => {
    const { clock, enter, finish, turns, went } = start(2)
    for (const name of names('a', 10)) void enter('ann', name)
    await new Promise(setImmediate)
    clock.at = 1_001
    await expect(enter('ann', 'late')).rejects.toMatchObject({ code: 'overloaded', retryAfter: 1 })
    void enter('bob', 'other')
    expect(turns.stats()).toMatchObject({ refused: 1, waiting: 9 })
    await finish(2)
    expect(went).toContain('other')
  })

  it('are refused as soon as it can be told that they would wait in vain', async () => {
    const { clock, enter, finish, turns, went } = start(4)
    const refused: string[] = []
    for (const name of names('a', 1_000)) enter('ann', name).catch(() => refused.push(name))
    await new Promise(setImmediate)
    // Four went at once, four more in 100 ms, and others may be about to: 240 while there is patience.
    clock.at = 100
    await finish(4)
    await new Promise(setImmediate)
    expect(went).toHaveLength(8)
    expect(refused).toHaveLength(1_000 - 8 - 240)
    expect(refused[0]).toBe('a248')
    expect(turns.stats()).toEqual({ inFlight: 4, waiting: 240, refused: 752 })
    // And at once, as long as it is so.
    await expect(enter('ann', 'more')).rejects.toMatchObject({ code: 'overloaded', retryAfter: 1 })
    void enter('bob', 'other')
    await finish(4)
    expect(went).toEqual(expect.arrayContaining(['other']))
    for (let wave = 2; wave <= 10; wave += 1) {
      clock.at = wave * 100
      await finish(4)
    }
    expect(went).toContain('a30')
    // By then it is known better: as many wait as will go in time.
    expect(turns.stats().waiting).toBeLessThan(150)
  })

  it('are refused to nobody before time is up, where nothing is foreseen', async () => {
    const { clock, enter, finish, turns } = start(2, false)
    for (const name of names('a', 10)) void enter('ann', name)
    await new Promise(setImmediate)
    clock.at = 2_999
    void enter('ann', 'late')
    await finish(2)
    expect(turns.stats()).toEqual({ inFlight: 2, waiting: 7, refused: 0 })
  })

  it('are waited for where they come quickly, however many there are', async () => {
    const { clock, enter, finish, turns, went } = start(4)
    for (const name of names('a', 1_000)) void enter('ann', name)
    for (let wave = 1; wave < 250; wave += 1) {
      clock.at = wave * 10
      await finish(4)
    }
    expect(went).toHaveLength(1_000)
    expect(turns.stats().refused).toBe(0)
  })

  it('are not waited for without end', async () => {
    vi.useFakeTimers()
    const { enter, turns } = start(1)
    void enter('ann', 'first')
    const second = expect(enter('ann', 'second')).rejects.toMatchObject({ code: 'overloaded' })
    await vi.advanceTimersByTimeAsync(3_000)
    await second
    expect(turns.stats()).toMatchObject({ inFlight: 1, waiting: 0, refused: 1 })
    vi.useRealTimers()
  })

  it('are there at once for whoever has none and comes to wait for another’s call', async () => {
    const { enter, turns, went } = start(16)
    for (const name of names('a', 100)) void enter('ann', name)
    const shared = createParty('ann')
    void enter('ann', 'shared', never, shared)
    await new Promise(setImmediate)
    expect(went).toHaveLength(14)
    shared.add('bob')
    await new Promise(setImmediate)
    expect(went.at(-1)).toBe('shared')
    expect(turns.stats()).toEqual({ inFlight: 15, waiting: 86, refused: 0 })
  })

  it('come to a call for several by the turn of whoever has the first', async () => {
    const { enter, finish, turns, went } = start(4)
    for (const name of names('a', 1_000)) void enter('ann', name)
    for (const name of names('b', 10)) void enter('bob', name)
    const shared = createParty('ann')
    void enter('ann', 'shared', never, shared)
    shared.add('bob')
    // Of a party that is known from the start too.
    void enter('ann', 'next of it', never, shared)
    await finish(30)
    expect(went).toContain('shared')
    expect(went).toContain('next of it')
    expect(went.filter((name) => name === 'shared')).toHaveLength(1)
    await finish(2_000)
    expect(turns.stats()).toMatchObject({ inFlight: 0, waiting: 0, refused: 0 })
  })

  it('are refused to a call for several only where none of them could wait', async () => {
    const { clock, enter, finish, turns, went } = start(4)
    const shared = createParty('ann')
    const refused: string[] = []
    const enterOrNot = (name: string, party = createParty('ann')) =>
      void enter('ann', name, never, party).catch(() => refused.push(name))
    for (const name of names('a', 1_000)) enterOrNot(name)
    enterOrNot('shared', shared)
    for (const name of names('b', 10)) void enter('bob', name)
    shared.add('bob')
    await new Promise(setImmediate)
    clock.at = 100
    await finish(8)
    expect(refused.length).toBeGreaterThan(500)
    expect(refused).not.toContain('shared')
    enterOrNot('late', shared)
    await expect(enter('ann', 'more')).rejects.toMatchObject({ code: 'overloaded' })
    await finish(30)
    expect(went).toEqual(expect.arrayContaining(['shared', 'late']))
    expect(turns.stats().refused).toBe(refused.length + 1)
  })

  it('are not kept for who has left', async () => {
    const { enter, finish, turns, went } = start(1)
    void enter('ann', 'first')
    const abort = new AbortController()
    const left = expect(enter('bob', 'gone', abort.signal)).rejects.toThrow('hung up')
    void enter('cleo', 'next')
    abort.abort(new Error('hung up'))
    await left
    await finish(1)
    expect(went).toEqual(['first', 'next'])
    await finish(1)
    expect(turns.stats()).toMatchObject({ inFlight: 0, waiting: 0 })
  })
})
