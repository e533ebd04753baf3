import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/cache/memory.ts'
import { answerOf, storeSuite } from '../suites/store.ts'

storeSuite('memory', async () => ({
  store: createMemoryStore(32 * 1024 * 1024),
  [Symbol.asyncDispose]: async () => {},
}))

const MAX = 100_000

describe('memory', () => {
  it('never holds more bytes than it may, and counts them', () => {
    const writes = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 20_000 })),
      { minLength: 1, maxLength: 120 },
    )
    fc.assert(
      fc.property(writes, (writes) => {
        const store = createMemoryStore(MAX)
        for (const [key, size] of writes) {
          store.set(`key-${key}`, answerOf(Buffer.alloc(size)))
          expect(store.bytes).toBeLessThanOrEqual(MAX)
        }
        let held = 0
        for (let key = 0; key <= 40; key++) {
          const entry = store.get(`key-${key}`)
          if (entry?.kind === 'answer') held += entry.body.length
        }
        expect(store.bytes).toBeGreaterThanOrEqual(held)
        // The places, and one segment that is hardly begun.
        const { bytes } = createMemoryStore(MAX)
        expect(store.bytes).toBeLessThanOrEqual(bytes + 1024 + held + store.entries * 700)
      }),
      { numRuns: 60 },
    )
  })

  it('lets go of what was used longest ago', () => {
    const store = createMemoryStore(MAX)
    for (let key = 0; key < 8; key++) store.set(`key-${key}`, answerOf(Buffer.alloc(10_000)))
    store.get('key-0')
    for (let key = 8; key < 12; key++) store.set(`key-${key}`, answerOf(Buffer.alloc(10_000)))
    expect(store.get('key-0')).toBeDefined()
    expect(store.get('key-1')).toBeUndefined()
    expect(store.get('key-11')).toBeDefined()
  })

  it('does not give up the rest for one giant, nor serve what the giant replaced', () => {
    const store = createMemoryStore(MAX)
    for (let key = 0; key < 5; key++) store.set(`key-${key}`, answerOf(Buffer.alloc(10_000)))
    store.set('key-0', answerOf(Buffer.alloc(90_000)))
    expect(store.get('key-0')).toBeUndefined()
    expect(store.entries).toBe(4)
  })

  it('can be emptied', () => {
    const store = createMemoryStore(MAX)
    store.set('key', answerOf('x'))
    store.clear()
    const { bytes } = createMemoryStore(MAX)
    expect([store.entries, store.bytes, store.get('key')]).toEqual([0, bytes, undefined])
  })
})
