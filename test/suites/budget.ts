import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ServiceError } from '../../src/core/errors.ts'
import type { Urgency } from '../../src/core/github.ts'
import type { CallOutcome, Pass, RateGate } from '../../src/github/budget/rateGate.ts'

export interface GateUnderTest {
  readonly gate: RateGate
  /** Until all that was asked has been answered. */
  settle(): Promise<void>
  close(): Promise<void> | void
}

export interface GateSettings {
  now: () => number
  limits?: { maxConcurrent?: number; pointsPerMinute?: number }
}

const START = Date.parse('2026-03-01T12:00:00Z')
const HOUR = 3_600_000
/** What the gate's own timer waits for. */
const LOOK = 250

/** What holds of every gate, whatever shares out what GitHub allows. */
export function budgetSuite(
  name: string,
  open: (settings: GateSettings) => Promise<GateUnderTest>,
) {
  describe(`the budget ${name}`, () => {
    const opened: GateUnderTest[] = []
    let at: number
    let resetAt: number
    let principal: string
    let gate: RateGate
    const never = new AbortController().signal

    beforeEach(async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
      at = START
      resetAt = START + HOUR
      principal = randomUUID()
      gate = await start()
    })
    afterEach(async () => {
      for (const { close } of opened.splice(0)) await close()
      vi.useRealTimers()
    })

    async function start(limits?: GateSettings['limits']) {
      const made = await open({ now: () => at, ...(limits ? { limits } : {}) })
      opened.push(made)
      return made.gate
    }

    const enter = async (urgency: Urgency = 'interactive', signal = never, resource = 'core') =>
      gate.enter(principal, resource, urgency, signal)
    const said = (remaining: number, limit = 5000, resource = 'core'): CallOutcome => ({
      limit: { resource, limit, remaining, resetAt },
      free: false,
    })
    /** GitHub's side of it: counts what it is asked. */
    const github = (remaining: number, limit = 5000) => ({
      remaining,
      answer(pass: Pass, free = false) {
        if (!free) this.remaining -= 1
        pass.leave({ ...said(this.remaining, limit), free })
      },
    })
    const refused = (retryAfter: unknown = expect.any(Number)) =>
      expect.objectContaining({ code: 'upstream_rate_limited', retryAfter })
    const outcome = (promise: Promise<Pass>) =>
      promise.then(
        () => 'admitted',
        (error) => (error instanceof ServiceError ? error.code : error),
      )
    /** Lets the gate look again until the call has an outcome. */
    async function looking<T>(promise: Promise<T>): Promise<T> {
      let settled = false
      promise.then(
        () => (settled = true),
        () => (settled = true),
      )
      await settle()
      while (!settled) {
        vi.advanceTimersByTime(LOOK)
        await settle()
      }
      return promise
    }
    /** Answers may lead to further questions. */
    async function settle() {
      for (let round = 0; round < 3; round += 1) for (const made of opened) await made.settle()
    }
    async function pass(ms: number) {
      at += ms
      vi.advanceTimersByTime(LOOK)
      await settle()
    }

    it('is unknown at first, and a few calls are let through to learn it', async () => {
      expect(gate.remaining(principal, 'core')).toBeUndefined()
      const passes = await Promise.all(Array.from({ length: 10 }, () => enter()))
      const more = enter()
      let through = false
      void more.then(() => (through = true))
      await pass(0)
      expect(through).toBe(false)
      passes[0]?.leave(said(4000))
      await more
      expect(gate.remaining(principal, 'core')).toBe(4000)
      expect([...gate.budgets()]).toEqual([
        { resource: 'core', limit: 5000, remaining: 4000, resetAt },
      ])
    })

    it('is the lowest count of the window, in whatever order answers come', async () => {
      const [first, second, third] = await Promise.all([enter(), enter(), enter()])
      second.leave(said(4997))
      first.leave(said(4999))
      third.leave({
        ...said(4998),
        limit: { resource: 'core', limit: 5000, remaining: 4998, resetAt: resetAt - 1000 },
      })
      expect(gate.remaining(principal, 'core')).toBe(4997)
    })

    it('is kept for each resource apart', async () => {
      ;(await enter()).leave(said(0))
      await expect(enter()).rejects.toEqual(refused(3600))
      const search = await enter('interactive', never, 'search')
      search.leave(said(29, 30, 'search'))
      expect(gate.remaining(principal, 'search')).toBe(29)
    })

    it('is spent to the last call and not beyond', async () => {
      const hub = github(37)
      hub.answer(await enter())
      let sent = 1
      for (;;) {
        const call = await looking(enter()).catch((error) => error)
        if (call instanceof ServiceError) break
        hub.answer(call)
        sent += 1
      }
      expect([sent, hub.remaining]).toEqual([37, 0])
      await expect(enter()).rejects.toEqual(refused(3600))
    })

    it('does not lend more at once than is left', async () => {
      ;(await enter()).leave(said(5))
      const calls = Array.from({ length: 8 }, () => enter())
      const passes = await Promise.all(calls.slice(0, 5))
      const waiting = calls.slice(5).map(outcome)
      for (const [index, call] of passes.entries()) call.leave(said(4 - index))
      expect(await Promise.all(waiting)).toEqual(Array(3).fill('upstream_rate_limited'))
    })

    it('gets back what an authorised 304 did not cost', async () => {
      const hub = github(3)
      hub.answer(await enter())
      for (let i = 0; i < 100; i++) hub.answer(await looking(enter()), true)
      expect(gate.remaining(principal, 'core')).toBe(2)
      hub.answer(await looking(enter()))
      hub.answer(await looking(enter()))
      await expect(enter()).rejects.toEqual(refused())
    })

    it('is whole again in the next window', async () => {
      ;(await enter()).leave(said(0))
      await expect(enter()).rejects.toEqual(refused(3600))
      at = resetAt
      expect(gate.remaining(principal, 'core')).toBeUndefined()
      const call = await enter()
      resetAt += HOUR
      call.leave(said(4999))
      expect(gate.remaining(principal, 'core')).toBe(4999)
    })

    it('is not taken back by a late answer of the window before', async () => {
      const late = await enter()
      at = resetAt
      const before = said(7)
      const call = await enter()
      resetAt += HOUR
      call.leave(said(4999))
      late.leave(before)
      expect(gate.remaining(principal, 'core')).toBe(4999)
    })

    it('keeps its last fifth for callers who wait', async () => {
      ;(await enter()).leave(said(1000))
      ;(await enter('background')).leave(said(999))
      await expect(enter('background')).rejects.toEqual(refused(3600))
      ;(await enter()).leave(said(998))
    })

    it('is not touched while GitHub has told us to wait, and then used again', async () => {
      const open = await enter()
      ;(await enter()).leave({ limited: { kind: 'secondary', retryAfter: 30 }, free: false })
      await expect(enter()).rejects.toEqual(refused(30))
      await expect(enter('interactive', never, 'search')).rejects.toEqual(refused(30))
      at += 29_001
      await expect(enter()).rejects.toEqual(refused(1))
      open.leave(said(4000))
      await expect(enter()).rejects.toEqual(refused(1))
      at += 1_000
      await enter()
    })

    it('refuses the calls that wait when GitHub says to wait', async () => {
      gate = await start({ maxConcurrent: 1 })
      const running = await enter()
      const waiting = enter()
      running.leave({ limited: { kind: 'secondary', retryAfter: 30 }, free: false })
      await expect(waiting).rejects.toEqual(refused(30))
    })

    it('believes a refusal also where it contradicts the window', async () => {
      ;(await enter()).leave(said(4000))
      const limit = { resource: 'core', limit: 5000, remaining: 0, resetAt: at + 60_000 }
      ;(await enter()).leave({ limit, limited: { kind: 'primary', retryAfter: 60 }, free: false })
      expect(gate.remaining(principal, 'core')).toBe(0)
      await expect(enter()).rejects.toEqual(refused(60))
    })

    it('lets calls in flight up to the limit, and the next in the order of their arrival', async () => {
      gate = await start({ maxConcurrent: 3 })
      const running = await Promise.all([enter(), enter(), enter()])
      const order: number[] = []
      const waiting = [1, 2, 3].map(async (index) => {
        const call = await enter()
        order.push(index)
        return call
      })
      await pass(0)
      expect(order).toEqual([])
      running[0].leave(said(4999))
      ;(await waiting[0])?.leave(said(4998))
      ;(await waiting[1])?.leave(said(4997))
      await waiting[2]
      expect(order).toEqual([1, 2, 3])
    })

    it('serves callers who wait before a refresh in the background that came earlier', async () => {
      gate = await start({ maxConcurrent: 1 })
      const running = await enter()
      const order: string[] = []
      const noted = (name: string, call: Promise<Pass>) =>
        call.then(
          (admitted) => {
            order.push(name)
            admitted.leave(said(4998))
          },
          () => {},
        )
      // Both are in line before the place is free again.
      const refresh = noted('refresh', enter('background'))
      const caller = noted('caller', enter())
      running.leave(said(4999))
      await looking(Promise.all([caller, refresh]))
      expect(order[0]).toBe('caller')
    })

    it('refuses a refresh in the background when there is no place', async () => {
      gate = await start({ maxConcurrent: 1 })
      const running = await enter()
      await expect(enter('background')).rejects.toEqual(refused(1))
      running.leave(said(4999))
      await enter('background')
    })

    it('gives the turn of a caller who left to the next', async () => {
      gate = await start({ maxConcurrent: 1 })
      const running = await enter()
      const gone = new AbortController()
      const left = outcome(enter('interactive', gone.signal))
      const next = enter()
      await pass(0)
      gone.abort('gone')
      expect(await left).toBe('gone')
      running.leave(said(4999))
      ;(await next).leave(said(4998))
      await expect(enter('interactive', gone.signal)).rejects.toBe('gone')
    })

    it('does not keep a caller waiting for longer than three seconds', async () => {
      gate = await start({ maxConcurrent: 1 })
      await enter()
      const waiting = outcome(enter())
      await pass(2_900)
      const early = await Promise.race([waiting, 'waits'])
      await pass(100)
      expect([early, await waiting]).toEqual(['waits', 'upstream_rate_limited'])
    })

    it('sends no more in a minute than it may, and says when there will be more', async () => {
      gate = await start({ pointsPerMinute: 30 })
      for (let i = 0; i < 30; i++) (await looking(enter())).leave(said(4000 - i))
      await expect(looking(enter())).rejects.toEqual(refused(62))
      await expect(enter('background')).rejects.toEqual(refused(62))
      await pass(58_000)
      await expect(looking(enter())).rejects.toEqual(refused(4))
      await pass(1_500)
      const soon = enter()
      await pass(2_500)
      ;(await soon).leave(said(3900))
    })

    it('has points again that were fetched and not used', async () => {
      gate = await start({ pointsPerMinute: 100 })
      for (let i = 0; i < 50; i++) (await looking(enter())).leave(said(4000 - i))
      await pass(2_000)
      await pass(1)
      await Promise.all(Array.from({ length: 50 }, () => enter()))
      await expect(looking(enter())).rejects.toEqual(refused())
    })

    it('does not count what was lent and not used', async () => {
      const hub = github(101)
      hub.answer(await enter())
      for (let i = 0; i < 40; i++) hub.answer(await looking(enter()))
      await pass(2_000)
      await pass(1)
      let sent = 41
      while (sent < 101) {
        hub.answer(await looking(enter()))
        sent += 1
      }
      expect(hub.remaining).toBe(0)
    })

    it('lets a call through at once where what it needs is in hand', async () => {
      for (let i = 0; i < 12; i++) (await enter()).leave(said(4000 - i))
      const call = gate.enter(principal, 'core', 'interactive', never)
      expect(call).not.toBeInstanceOf(Promise)
    })

    it('refuses those who wait when the process closes', async () => {
      gate = await start({ maxConcurrent: 1 })
      await enter()
      const waiting = outcome(enter())
      await pass(0)
      gate.close()
      expect(await waiting).toBe('overloaded')
    })

    describe('among callers', () => {
      const enterAs = async (caller: string) =>
        gate.enter(principal, 'core', 'interactive', never, caller)
      /** Asks as often as it is let through, and at most so often. @returns how often that was */
      async function ask(caller: string, most: number, hub = github(5000)): Promise<number> {
        for (let sent = 0; sent < most; sent += 1) {
          const call = await looking(enterAs(caller)).catch((error) => error)
          if (call instanceof ServiceError) return sent
          hub.answer(call)
        }
        return most
      }

      it('leaves a quarter of the minute to others, once somebody else was there', async () => {
        expect(await ask('bob', 1)).toBe(1)
        const had = await ask('ann', 1000)
        expect(had).toBeGreaterThanOrEqual(430)
        expect(had).toBeLessThanOrEqual(470)
        await expect(enterAs('ann')).rejects.toEqual(refused())
        expect(await ask('bob', 100)).toBe(100)
        await expect(enterAs('ann')).rejects.toEqual(refused())
        expect(await ask('eve', 20)).toBe(20)
      })

      it('gives the quarter to who has had an even part of it no longer', async () => {
        await ask('bob', 1)
        await ask('ann', 1000)
        const had = 1 + (await ask('bob', 1000))
        expect(had).toBeGreaterThanOrEqual(110)
        expect(had).toBeLessThanOrEqual(205)
        await expect(enterAs('bob')).rejects.toEqual(refused())
      })

      it('gives all of the minute to who is alone', async () => {
        expect(await ask('ann', 1000)).toBe(600)
      })

      it('lets who was refused go on when the minute has gone by', async () => {
        await ask('bob', 1)
        await ask('ann', 1000)
        await pass(62_000)
        await enterAs('ann').catch(() => {})
        await settle()
        expect(await ask('ann', 100)).toBe(100)
      })

      it('leaves a quarter of the minute to others also where all comes at once', async () => {
        gate = await start({ pointsPerMinute: 40, maxConcurrent: 100 })
        const hub = github(5000)
        expect(await ask('bob', 1, hub)).toBe(1)
        const burst = Array.from({ length: 100 }, () => looking(enterAs('ann')))
        const calls = await Promise.allSettled(burst)
        const through = calls.filter(({ status }) => status === 'fulfilled').length
        expect(through).toBeGreaterThanOrEqual(13)
        expect(through).toBeLessThanOrEqual(30)
        expect(await ask('bob', 8, hub)).toBe(8)
      })

      it('leaves a fifth of the window to others', async () => {
        const hub = github(100, 100)
        expect(await ask('bob', 1, hub)).toBe(1)
        expect(await ask('ann', 100, hub)).toBe(80)
        await expect(enterAs('ann')).rejects.toEqual(refused(3600))
        expect(await ask('bob', 15, hub)).toBe(15)
      })

      it('keeps nothing from the service itself', async () => {
        await ask('bob', 1)
        await ask('ann', 1000)
        const own = await looking(enter())
        own.leave(said(4000))
        await expect(enterAs('ann')).rejects.toEqual(refused())
      })
    })
  })
}
