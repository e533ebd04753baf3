import { describe, expect, it } from 'vitest'
import type {
  Address,
  Commit,
  Limits,
  Put,
  SessionRecord,
  SessionStore,
  StoreOptions,
} from '../../src/sessions/store/store.ts'

export interface TestedSessions extends AsyncDisposable {
  readonly store: SessionStore
}

const GENEROUS: Limits = { items: 2_000, turns: 1_000, bytes: 8 * 1024 * 1024 }
const TTL = 60_000

export const sessionOf = (id: string, owner = 'ann'): Address => ({ id, owner })
export const putOf = (key: string, json = `{"${key}":1}`, told = false): Put => ({
  key,
  json,
  told,
})
export const appendOf = (...items: Put[]) => ({ items, sources: new Map<string, string>() })
export const commitOf = (after: number, change: Partial<Commit> = {}): Commit => ({
  turnId: `turn-${after + 1}-${Math.random()}`,
  turn: `{"turn":${after + 1}}`,
  after,
  items: [],
  removed: [],
  told: [],
  sources: new Map(),
  ...change,
})

/** What every store of sessions must do; `create` gives an empty one. */
export function sessionSuite(
  name: string,
  create: (options: StoreOptions) => Promise<TestedSessions>,
): void {
  async function begin({
    limits = {},
    ttl = TTL,
  }: {
    limits?: Partial<Limits>
    ttl?: number
  } = {}) {
    const clock = { at: 1_800_000_000_000 }
    const tested = await create({
      now: () => clock.at,
      ttl,
      limits: { ...GENEROUS, ...limits },
    })
    const session = sessionOf('one')
    await tested.store.create(session)
    const read = async () => (await tested.store.read(session)) as SessionRecord
    return {
      store: tested.store,
      clock,
      session,
      read,
      keys: async () => (await read()).items.map(({ key }) => key),
      [Symbol.asyncDispose]: () => tested[Symbol.asyncDispose](),
    }
  }

  describe(`${name} as a store of sessions`, () => {
    it('makes an empty session that expires', async () => {
      await using tested = await begin()
      const { store, clock } = tested
      const made = await store.create(sessionOf('two'))
      expect(made).toEqual({ createdAt: clock.at, expiresAt: clock.at + TTL })
      expect(await store.read(sessionOf('two'))).toEqual({
        ...made,
        bytes: 0,
        items: [],
        sources: new Map(),
        turns: [],
      })
    })

    it('gives back what was put in, in the order in which it came', async () => {
      await using tested = await begin()
      const texts = ['"ü 🙂 \\u0000"', '""', `"${'x'.repeat(500_000)}"`, '{"a":"\\n\\r\\t\u2028"}']
      const puts = texts.map((json, index) => putOf(`key-${index}`, json))
      await tested.store.append(tested.session, {
        items: puts,
        sources: new Map([['s', '{"request":{}}']]),
      })
      await tested.store.append(tested.session, appendOf(putOf('last')))
      const { items, sources, bytes } = await tested.read()
      expect(items.map(({ key, json }) => [key, json])).toEqual([
        ...puts.map(({ key, json }) => [key, json]),
        ['last', '{"last":1}'],
      ])
      expect(sources).toEqual(new Map([['s', '{"request":{}}']]))
      const kept = [...texts, '{"last":1}', '{"request":{}}']
      expect(bytes).toBe(kept.reduce((sum, text) => sum + Buffer.byteLength(text), 0))
    })

    it('keeps the place of an item of which a newer version comes', async () => {
      await using tested = await begin()
      const { store, session, keys, read } = tested
      await store.append(session, appendOf(putOf('a'), putOf('b'), putOf('c')))
      const [first] = (await read()).items
      await store.append(session, appendOf(putOf('d'), putOf('a', '{"newer":true}')))
      expect(await keys()).toEqual(['a', 'b', 'c', 'd'])
      const [newer, same] = (await read()).items
      expect(newer?.json).toBe('{"newer":true}')
      expect(newer?.version).toBeGreaterThan(first?.version as number)
      expect((await read()).bytes).toBe('{"newer":true}'.length + 3 * '{"b":1}'.length)
      await store.append(session, appendOf(putOf('b')))
      expect((await read()).items[1]).toEqual(same)
    })

    it('takes many appends at once, each whole', async () => {
      await using tested = await begin()
      const { store, session, keys } = tested
      const pairs = Array.from({ length: 200 }, (_, index) => [`${index}-a`, `${index}-b`])
      const outcomes = await Promise.all(
        pairs.map((pair) => store.append(session, appendOf(...pair.map((key) => putOf(key))))),
      )
      expect(new Set(outcomes)).toEqual(new Set(['done']))
      const found = await keys()
      expect(found.toSorted()).toEqual(pairs.flat().toSorted())
      for (const [first = '', second] of pairs) expect(found[found.indexOf(first) + 1]).toBe(second)
    })

    it('writes a turn with all that it changes', async () => {
      await using tested = await begin()
      const { store, session, read } = tested
      await store.append(session, {
        items: [putOf('a'), putOf('b'), putOf('c')],
        sources: new Map([
          ['x', '1'],
          ['y', '2'],
        ]),
      })
      const [a, b] = (await read()).items
      const commit = commitOf(0, {
        items: [
          { key: 'a', version: a?.version, json: '"changed"' },
          { key: 'd', version: undefined, json: '"added"' },
        ],
        removed: [{ key: 'b', version: b?.version as number }],
        sources: new Map([
          ['x', undefined],
          ['z', '333'],
        ]),
      })
      expect(await store.commit(session, commit)).toBe('done')
      const { items, sources, turns, bytes } = await read()
      expect(items.map(({ key, json }) => [key, json])).toEqual([
        ['a', '"changed"'],
        ['c', '{"c":1}'],
        ['d', '"added"'],
      ])
      expect(sources).toEqual(
        new Map([
          ['y', '2'],
          ['z', '333'],
        ]),
      )
      expect(turns).toEqual(['{"turn":1}'])
      expect(bytes).toBe([...items.map(({ json }) => json), '2', '333', ...turns].join('').length)
    })

    it('leaves alone what others changed since the turn began', async () => {
      await using tested = await begin()
      const { store, session, read } = tested
      await store.append(session, appendOf(putOf('a'), putOf('b')))
      const [a, b] = (await read()).items
      await store.append(session, appendOf(putOf('a', '"theirs"'), putOf('b', '"theirs"')))
      await store.append(session, appendOf(putOf('c', '"theirs"')))
      const commit = commitOf(0, {
        items: [
          { key: 'a', version: a?.version, json: '"ours"' },
          { key: 'c', version: undefined, json: '"ours"' },
        ],
        removed: [{ key: 'b', version: b?.version as number }],
      })
      expect(await store.commit(session, commit)).toBe('done')
      expect((await read()).items.map(({ json }) => json)).toEqual(Array(3).fill('"theirs"'))
      expect((await read()).turns).toHaveLength(1)
    })

    it('lets one of two turns win, and keeps nothing of the other', async () => {
      await using tested = await begin()
      const { store, session, read } = tested
      const outcomes = await Promise.all(
        ['x', 'y', 'z'].map((key) =>
          store.commit(
            session,
            commitOf(0, { turn: key, items: [{ key, version: undefined, json: '1' }] }),
          ),
        ),
      )
      expect(outcomes.toSorted()).toEqual(['conflict', 'conflict', 'done'])
      const { items, turns } = await read()
      expect(items.map(({ key }) => key)).toEqual(turns)
      expect(turns).toHaveLength(1)
    })

    it('writes a turn once, however often it is sent', async () => {
      await using tested = await begin()
      const commit = commitOf(0)
      expect(await tested.store.commit(tested.session, commit)).toBe('done')
      expect(await tested.store.commit(tested.session, commit)).toBe('done')
      expect((await tested.read()).turns).toHaveLength(1)
    })

    it('remembers what an item was at the last turn, until that is told', async () => {
      await using tested = await begin()
      const { store, session, read } = tested
      const befores = async () => (await read()).items.map(({ before }) => before)
      await store.append(session, appendOf(putOf('a', '"1"', true)))
      expect(await befores()).toEqual([undefined])
      await store.commit(session, commitOf(0))
      await store.append(session, appendOf(putOf('a', '"2"', true), putOf('b', '"1"', true)))
      await store.append(session, appendOf(putOf('a', '"3"', true), putOf('c', '"1"')))
      expect(await befores()).toEqual(['"1"', null, undefined])
      const { items, bytes } = await read()
      expect(bytes).toBe('{"turn":1}"1""3""1""1"'.length)
      await store.append(session, appendOf(putOf('b', '"2"', true)))
      await store.commit(session, commitOf(1, { told: items }))
      expect(await befores()).toEqual([undefined, null, undefined])
      expect((await read()).bytes).toBe('{"turn":1}{"turn":2}"3""2""1"'.length)
    })

    it('refuses what is over a limit, as a whole', async () => {
      await using tested = await begin({ limits: { items: 3, turns: 1, bytes: 60 } })
      const { store, session, read, keys } = tested
      await store.append(session, appendOf(putOf('a'), putOf('b')))
      const before = await read()
      const four = appendOf(putOf('c'), putOf('d'))
      expect(await store.append(session, four)).toBe('too_many_items')
      expect(await store.append(session, appendOf(putOf('c', `"${'ü'.repeat(23)}"`)))).toBe(
        'too_large',
      )
      const large = commitOf(0, { turn: `"${'x'.repeat(60)}"` })
      expect(await store.commit(session, large)).toBe('too_large')
      const crowded = ['c', 'd'].map((key) => ({ key, version: undefined, json: '1' }))
      expect(await store.commit(session, commitOf(0, { items: crowded }))).toBe('too_many_items')
      expect(await read()).toEqual(before)
      expect(await store.append(session, appendOf(putOf('c', `"${'ü'.repeat(22)}"`)))).toBe('done')
      expect(await store.append(session, appendOf(putOf('c')))).toBe('done')
      expect(await store.commit(session, commitOf(0))).toBe('done')
      expect(await store.commit(session, commitOf(1))).toBe('too_many_turns')
      expect(await keys()).toEqual(['a', 'b', 'c'])
    })

    it('is another one for each owner', async () => {
      await using tested = await begin()
      const { store, session, read } = tested
      await store.append(session, appendOf(putOf('a')))
      const before = await read()
      for (const other of [sessionOf('one', 'bob'), sessionOf('none'), sessionOf('one', '')]) {
        expect(await store.read(other)).toBeUndefined()
        expect(await store.append(other, appendOf(putOf('x')))).toBe('missing')
        expect(await store.commit(other, commitOf(0))).toBe('missing')
        expect(await store.remove(other)).toBe(false)
      }
      expect(await read()).toEqual(before)
    })

    it('expires after its last use', async () => {
      await using tested = await begin()
      const { store, session, clock, read } = tested
      const uses = [
        () => store.append(session, appendOf(putOf('a'))),
        () => store.commit(session, commitOf(0)),
        () => store.read(session),
      ]
      for (const use of uses) {
        clock.at += TTL - 1
        await use()
      }
      clock.at += TTL - 1
      expect(await read()).toMatchObject({ expiresAt: clock.at + TTL, turns: ['{"turn":1}'] })
      clock.at += TTL
      expect(await store.read(session)).toBeUndefined()
      expect(await store.append(session, appendOf(putOf('b')))).toBe('missing')
      expect(await store.commit(session, commitOf(1))).toBe('missing')
      expect(await store.remove(session)).toBe(false)
    })

    it('is gone once removed', async () => {
      await using tested = await begin()
      const { store, session } = tested
      await store.append(session, appendOf(putOf('a')))
      expect(await store.count()).toBe(1)
      expect(await store.remove(session)).toBe(true)
      expect(await store.remove(session)).toBe(false)
      expect(await store.read(session)).toBeUndefined()
      expect(await store.count()).toBe(0)
      await store.create(session)
      expect((await store.read(session))?.items).toEqual([])
    })

    it('keeps sessions apart', async () => {
      await using tested = await begin()
      const { store, session } = tested
      await store.create(sessionOf('two'))
      await store.append(session, appendOf(putOf('a')))
      await store.append(sessionOf('two'), appendOf(putOf('b')))
      await store.commit(sessionOf('two'), commitOf(0))
      expect(await store.read(session)).toMatchObject({ items: [{ key: 'a' }], turns: [] })
      expect(await store.read(sessionOf('two'))).toMatchObject({ items: [{ key: 'b' }] })
      expect(await store.count()).toBe(2)
    })
  })
}
