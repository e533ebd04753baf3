import { describe, expect, it, vi } from 'vitest'
import { fetchConditionally } from '../../src/github/conditional.ts'
import type { Credential } from '../../src/github/credentials.ts'
import { createMemoryResources } from '../../src/github/resources.ts'
import { computeTag, createTagDrift } from '../../src/github/validators.ts'

const SECOND = 1_000
const HOUR = 3_600 * SECOND
const READ = { input: { accept: 'application/json', authorization: 'x' }, body: Buffer.from('[]') }

function setUp() {
  const clock = { at: Date.parse('2026-03-01T12:00:00Z') }
  const drift = createTagDrift(() => clock.at)
  const mismatch = (count: number, principal = 'ann') => {
    for (let done = 0; done < count; done += 1)
      drift.compare(principal, { ...READ, sent: '"sent"' })
  }
  return { clock, drift, mismatch }
}

describe('the recipe of tags', () => {
  it('is given up at the tenth mismatch, for that principal alone', () => {
    const { drift, mismatch } = setUp()
    mismatch(9)
    expect(drift.trusted('ann')).toBe(true)
    mismatch(1)
    expect(drift.trusted('ann')).toBe(false)
    expect(drift.trusted('bob')).toBe(true)
  })

  it('is not given up for ten mismatches that took longer than a minute', () => {
    const { clock, drift, mismatch } = setUp()
    mismatch(1)
    clock.at += 60 * SECOND
    mismatch(9)
    expect(drift.trusted('ann')).toBe(true)
    // Of the last minute these are nine; the tenth follows within it.
    clock.at += 60 * SECOND - 1
    mismatch(1)
    expect(drift.trusted('ann')).toBe(false)
  })

  it('is tried again after an hour, whatever came meanwhile, and given up as before', () => {
    const { clock, drift, mismatch } = setUp()
    mismatch(10)
    for (let minute = 1; minute < 60; minute += 1) {
      clock.at += 60 * SECOND
      mismatch(20)
      expect(drift.trusted('ann')).toBe(false)
    }
    clock.at += 60 * SECOND - 1
    mismatch(9)
    expect(drift.trusted('ann')).toBe(false)
    clock.at += 1
    expect(drift.trusted('ann')).toBe(true)
    mismatch(9)
    expect(drift.trusted('ann')).toBe(true)
    mismatch(1)
    expect(drift.trusted('ann')).toBe(false)
    clock.at += HOUR - 1
    expect(drift.trusted('ann')).toBe(false)
    clock.at += 1
    expect(drift.trusted('ann')).toBe(true)
  })

  it('is compared a part at a time: who asks does not wait for the digests of all pages', () => {
    vi.useFakeTimers()
    try {
      const { drift } = setUp()
      const body = Buffer.alloc(1024 * 1024)
      for (let done = 0; done < 12; done += 1) {
        drift.compare('ann', { ...READ, body, sent: '"sent"' })
      }
      expect(drift.trusted('ann')).toBe(true)
      vi.advanceTimersByTime(2 * SECOND)
      expect(drift.trusted('ann')).toBe(false)
    } finally {
      vi.useRealTimers()
    }
  })

  it('is not compared with all that comes in heaps, and that of others is', () => {
    const { drift, mismatch } = setUp()
    let compared = 0
    const input = {
      authorization: 'x',
      get accept() {
        compared += 1
        return 'application/json'
      },
    }
    const sent = `"${computeTag(READ.input, READ.body)}"`
    for (let done = 0; done < 1_000; done += 1) drift.compare('ann', { ...READ, input, sent })
    mismatch(10, 'bob')
    expect(drift.trusted('ann')).toBe(true)
    expect(compared).toBe(40)
    expect(drift.trusted('bob')).toBe(false)
    // What was compared makes room.
    mismatch(10)
    expect(drift.trusted('ann')).toBe(false)
  })

  it('takes a weak tag for what it is', () => {
    const { drift } = setUp()
    const sent = `W/"${computeTag(READ.input, READ.body)}"`
    for (let done = 0; done < 20; done += 1) drift.compare('ann', { ...READ, sent })
    expect(drift.trusted('ann')).toBe(true)
  })
})

describe('a GitHub that makes its tags otherwise', () => {
  const accept = 'application/vnd.github+json'

  /** GitHub with one resource that changes at every answer, until `holds`. */
  function gitHub() {
    const { clock, drift } = setUp()
    const resources = createMemoryResources(1_000_000)
    const asked: (string | undefined)[] = []
    const state = { version: 0, holds: false, byRecipe: false }
    const credential: Credential = {
      principal: 'ann',
      anonymous: false,
      from: 'service',
      authorization: async () => 'token',
    }
    async function get(): Promise<string> {
      const { body, unchanged } = await fetchConditionally(
        { resources, drift },
        {
          name: '/x',
          accept,
          credential,
          authorization: 'token',
          async send(headers) {
            if (!state.holds) state.version += 1
            const body = Buffer.from(`[${state.version}]`)
            const computed = computeTag({ accept, authorization: 'token' }, body)
            const etag = state.byRecipe ? `"${computed}"` : `"v${state.version}"`
            const given = headers['if-none-match']
            asked.push(given)
            const same = given === etag
            return {
              status: same ? 304 : 200,
              headers: { etag },
              body: same ? Buffer.alloc(0) : body,
              redirects: 0,
            }
          },
        },
      )
      return `${unchanged ? 304 : 200} ${body}`
    }
    return { asked, clock, get, state }
  }

  it('is asked by its own tags after ten answers of 200, and after an hour by the recipe again', async () => {
    const { asked, clock, get, state } = gitHub()
    // Every 200 is compared, the first one too.
    for (let count = 1; count <= 10; count += 1) await get()
    expect(asked.slice(1).every((tag) => /^"[0-9a-f]{64}"$/.test(tag ?? ''))).toBe(true)
    state.holds = true
    expect(await get()).toBe('304 [10]')
    expect(asked.at(-1)).toBe('"v10"')
    clock.at += HOUR - 1
    expect(await get()).toBe('304 [10]')
    clock.at += 1
    expect(await get()).toBe('200 [10]')
    expect(asked.at(-1)).toMatch(/^"[0-9a-f]{64}"$/)
    state.byRecipe = true
    expect(await get()).toBe('304 [10]')
  })

  it('is not found to do so by answers of 304', async () => {
    const { asked, get, state } = gitHub()
    Object.assign(state, { holds: true, byRecipe: true })
    for (let count = 0; count < 30; count += 1) await get()
    expect(asked.at(-1)).toMatch(/^"[0-9a-f]{64}"$/)
  })
})
