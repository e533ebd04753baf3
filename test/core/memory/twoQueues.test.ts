import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTwoQueues, type TwoQueues } from '../../../src/core/memory/twoQueues.ts'

const MAX = 256 * 1024
/** Bytes of a segment of so much. */
const SEGMENT = MAX / 64

const textQueues = (maxBytes = MAX): TwoQueues<Buffer> =>
  createTwoQueues<Buffer>({
    maxBytes,
    largest: 1 / 8,
    usual: 256,
    sizeOf: (body, key) => 100 + key.length + body.length,
    compact: (body) => Buffer.from(body),
    pack: (body) => ({ head: '', body }),
    unpack: ({ body }) => body,
  })

const textOf = (queues: TwoQueues<Buffer>, key: string) => queues.get(key)?.toString()

function flood(queues: TwoQueues<Buffer>, count: number, name = 'flood'): void {
  for (let index = 0; index < count; index++) {
    queues.set(`${name}-${index}`, Buffer.alloc(500, index % 256))
  }
}

describe('a cache of two queues', () => {
  it('gives back what was set last, or nothing, whatever comes and goes, and no byte too many', () => {
    const key = fc.integer({ min: 0, max: 60 }).map((index) => `kéy-${index}`)
    const size = fc.oneof(
      fc.integer({ min: 0, max: SEGMENT / 4 }),
      fc.integer({ min: 0, max: 2 * SEGMENT }),
      fc.constant(MAX),
    )
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ does: fc.constant('set' as const), key, size }) },
      { weight: 4, arbitrary: fc.record({ does: fc.constant('get' as const), key }) },
      { weight: 1, arbitrary: fc.record({ does: fc.constant('delete' as const), key }) },
      { weight: 1, arbitrary: fc.record({ does: fc.constant('flood' as const), key }) },
    )
    let hits = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
        const queues = textQueues()
        const expected = new Map<string, Buffer>()
        for (const [index, each] of steps.entries()) {
          if (each.does === 'set') {
            const value = Buffer.alloc(each.size, `${index};`)
            queues.set(each.key, value)
            expected.set(each.key, value)
          } else if (each.does === 'delete') {
            queues.delete(each.key)
            expected.delete(each.key)
          } else if (each.does === 'flood') {
            flood(queues, 100, `${index}`)
          } else {
            const found = queues.get(each.key)
            if (found) hits += 1
            if (found) expect(found.equals(expected.get(each.key) as Buffer)).toBe(true)
          }
          expect(queues.bytes()).toBeLessThanOrEqual(MAX)
        }
      }),
      { numRuns: 200 },
    )
    expect(hits).toBeGreaterThan(100)
  })

  it('keeps what was asked for again beside a flood of what is asked for once', () => {
    const queues = textQueues()
    for (let index = 0; index < 50; index++) queues.set(`known-${index}`, Buffer.from(`${index}`))
    for (let index = 0; index < 50; index++) queues.get(`known-${index}`)
    flood(queues, 10_000)
    const kept = Array.from({ length: 50 }, (_, index) => textOf(queues, `known-${index}`))
    expect(kept).toEqual(Array.from({ length: 50 }, (_, index) => `${index}`))
    expect(queues.get('flood-0')).toBeUndefined()
    expect(queues.get('flood-9999')).toBeDefined()
  })

  it('keeps what comes again soon after it left', () => {
    const queues = textQueues()
    queues.set('comes again', Buffer.from('first'))
    flood(queues, 600, 'earlier')
    expect(queues.get('comes again')).toBeUndefined()
    queues.set('comes again', Buffer.from('second'))
    flood(queues, 10_000)
    expect(textOf(queues, 'comes again')).toBe('second')
  })

  it('lets what came once have all the room that nothing else needs, and takes it back', () => {
    const queues = textQueues()
    flood(queues, 400)
    expect(queues.bytes()).toBeGreaterThan(MAX * 0.8)
    for (let index = 0; index < 400; index++) queues.get(`flood-${index}`)
    expect(queues.size()).toBeGreaterThan(300)
    expect(queues.bytes()).toBeLessThanOrEqual(MAX)
  })

  it('gives back the memory in which all was asked for again', () => {
    const queues = textQueues()
    for (let index = 0; index < 200; index++) {
      queues.set(`known-${index}`, Buffer.alloc(500))
      queues.get(`known-${index}`)
    }
    const objects = 200 * 620
    expect(queues.bytes()).toBeLessThan(textQueues().bytes() + objects + 2 * SEGMENT)
  })

  it('never takes one key for another with the same hash', () => {
    expect(crc32('plumless')).toBe(crc32('buckeroo'))
    const queues = textQueues()
    queues.set('plumless', Buffer.from('plum'))
    expect(queues.get('buckeroo')).toBeUndefined()
    expect(textOf(queues, 'plumless')).toBe('plum')
    queues.set('buckeroo', Buffer.from('buck'))
    expect(textOf(queues, 'buckeroo')).toBe('buck')
    expect(textOf(queues, 'plumless')).toBe('plum')
  })

  it('never takes a key that UTF-8 cannot hold for the one that it would be read as', () => {
    const queues = textQueues()
    queues.set('a\uD800', Buffer.from('half'))
    expect(queues.get('a\uFFFD')).toBeUndefined()
    expect(textOf(queues, 'a\uD800')).toBe('half')
  })

  it('is not fooled by a body that looks like a record', () => {
    const queues = textQueues()
    const key = 'victim'
    const record = Buffer.alloc(64)
    record.writeUInt32LE(key.length, 0)
    record.writeUInt32LE(4, 8)
    record.write(`${key}evil`, 12)
    queues.set(key, Buffer.from('good'))
    for (let index = 0; index < 3000; index++) {
      // At each offset that a record could begin at.
      const body = Buffer.concat([Buffer.alloc(4 * (index % 20)), record, record, record])
      queues.set(`flood-${index}`, body)
    }
    expect(queues.get(key)).toBeUndefined()
  })

  it('hands out bytes that are nobody else’s', () => {
    const queues = textQueues()
    queues.set('one', Buffer.from('one'))
    const held = queues.get('one')
    flood(queues, 5000)
    expect(held?.toString()).toBe('one')
    expect(held?.buffer.byteLength).toBe(3)
  })

  it('can be emptied', () => {
    const queues = textQueues()
    flood(queues, 10)
    queues.get('flood-3')
    queues.clear()
    expect([queues.bytes(), queues.size()]).toEqual([textQueues().bytes(), 0])
    expect([queues.get('flood-3'), queues.get('flood-4')]).toEqual([undefined, undefined])
    queues.set('after', Buffer.from('x'))
    expect(textOf(queues, 'after')).toBe('x')
  })
})
