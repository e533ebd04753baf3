import { describe, expect, it } from 'vitest'
import type { AnswerEntry, Entry } from '../../src/cache/entry.ts'
import type { Store } from '../../src/cache/store.ts'
import { ServiceError } from '../../src/core/errors.ts'

export interface TestedStore extends AsyncDisposable {
  readonly store: Store
}

export function answerOf(body: string | Buffer, change: Partial<AnswerEntry> = {}): AnswerEntry {
  const asOf = Date.now()
  return {
    kind: 'answer',
    contextId: 'mcp-github_repo-0123456789abcdef',
    body: Buffer.from(body as string),
    tags: ['repo:octo/talk', 'principal:p'],
    asOf,
    freshUntil: asOf + 60_000,
    staleUntil: asOf + 360_000,
    keepUntil: asOf + 900_000,
    ...change,
  }
}

export function refusalOf(error: ServiceError): Entry {
  const asOf = Date.now()
  const until = asOf + 10_000
  return {
    kind: 'refusal',
    error,
    tags: [],
    asOf,
    freshUntil: until,
    staleUntil: until,
    keepUntil: until,
  }
}

/** What every store of answers must do; `create` gives an empty one. */
export function storeSuite(name: string, create: () => Promise<TestedStore>): void {
  describe(`${name} as a store`, () => {
    it('gives back what was put in, to the byte', async () => {
      await using tested = await create()
      const entries = [
        answerOf(''),
        answerOf('{"title":"ü 🙂 \\u0000"}'),
        answerOf(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))),
        answerOf(Buffer.alloc(1_000_000, 'x')),
        answerOf('{}', { tags: [] }),
      ]
      for (const [index, entry] of entries.entries()) await tested.store.set(`key-${index}`, entry)
      for (const [index, entry] of entries.entries())
        expect(await tested.store.get(`key-${index}`)).toEqual(entry)
    })

    it('gives back refusals with what a caller is told of them', async () => {
      await using tested = await create()
      const error = new ServiceError('not_found', 'Nothing here.', { upstreamStatus: 410 })
      await tested.store.set('key', refusalOf(error))
      const found = await tested.store.get('key')
      expect(found).toMatchObject({ kind: 'refusal', freshUntil: expect.any(Number) })
      expect(found?.kind === 'refusal' && found.error).toBeInstanceOf(ServiceError)
      expect(found?.kind === 'refusal' && found.error).toMatchObject({
        code: 'not_found',
        statusCode: 404,
        detail: 'Nothing here.',
        upstreamStatus: 410,
      })
    })

    it('knows nothing of what was never put in', async () => {
      await using tested = await create()
      expect(await tested.store.get('key')).toBeUndefined()
      await tested.store.delete('key')
      expect(await tested.store.get('key')).toBeUndefined()
    })

    it('keeps keys apart, whatever they are made of', async () => {
      await using tested = await create()
      const keys = [
        'a',
        'A',
        'a ',
        'a:b',
        'a{b}',
        'p:github_repo?[{"owner":"o"},null]',
        'ü\n*?[',
        'a'.repeat(2_000),
      ]
      for (const key of keys) await tested.store.set(key, answerOf(key))
      for (const key of keys) {
        const found = await tested.store.get(key)
        expect(found?.kind === 'answer' && found.body.toString()).toBe(key)
      }
    })

    it('has the newer in the place of the older', async () => {
      await using tested = await create()
      const older = answerOf('older')
      const newer = answerOf('newer', { asOf: older.asOf + 1 })
      await tested.store.set('key', older)
      await tested.store.set('key', newer)
      expect(await tested.store.get('key')).toEqual(newer)
      const refusal = refusalOf(new ServiceError('not_found', 'Gone.'))
      await tested.store.set('key', { ...refusal, asOf: newer.asOf + 1 })
      expect(await tested.store.get('key')).toMatchObject({ kind: 'refusal' })
    })

    it('forgets one and keeps the others', async () => {
      await using tested = await create()
      await tested.store.set('one', answerOf('1'))
      await tested.store.set('two', answerOf('2'))
      await tested.store.delete('one')
      expect(await tested.store.get('one')).toBeUndefined()
      expect(await tested.store.get('two')).toMatchObject({ kind: 'answer' })
    })

    it('is used by many at once', async () => {
      await using tested = await create()
      const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`)
      await Promise.all(keys.map((key) => tested.store.set(key, answerOf(key))))
      const found = await Promise.all(keys.map((key) => tested.store.get(key)))
      expect(found.map((entry) => entry?.kind === 'answer' && entry.body.toString())).toEqual(keys)
    })
  })
}
