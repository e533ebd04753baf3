import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { createQueue } from '../../src/core/queue.ts'

describe('a queue', () => {
  it('holds who waits in the order of arrival', () => {
    const queue = createQueue<string>()
    expect([queue.first(), queue.size(), ...queue]).toEqual([undefined, 0])
    const leaves = ['a', 'b', 'c', 'd'].map((name) => queue.add(name))
    expect([queue.first(), queue.size(), ...queue]).toEqual(['a', 4, 'a', 'b', 'c', 'd'])
    expect([leaves[1]?.(), leaves[1]?.()]).toEqual([true, false])
    expect([...queue]).toEqual(['a', 'c', 'd'])
    expect([leaves[0]?.(), leaves[3]?.()]).toEqual([true, true])
    expect([queue.first(), queue.size(), ...queue]).toEqual(['c', 1, 'c'])
    expect([leaves[2]?.(), leaves[2]?.()]).toEqual([true, false])
    expect([queue.first(), queue.size(), ...queue]).toEqual([undefined, 0])
    queue.add('e')
    expect([...queue]).toEqual(['e'])
  })

  it('tells of those who waited when one began to look, whoever leaves meanwhile', () => {
    const queue = createQueue<() => void>()
    const seen: number[] = []
    for (let at = 0; at < 3; at += 1) {
      const leave = queue.add(() => {
        seen.push(at)
        leave()
      })
    }
    for (const item of queue) item()
    expect([seen, queue.size()]).toEqual([[0, 1, 2], 0])
  })
})

describe('what has left', () => {
  /** MB that are old after many have come and gone, without V8 having looked through the whole heap. */
  function leftBehind(setUp: string, pass: string): number {
    const source = `
      import v8 from 'node:v8'
      import { createCells } from './src/core/cells.ts'
      import { createQueue } from './src/core/queue.ts'
      import { createRoster } from './src/core/roster.ts'
      import { createRoundRobin } from './src/core/roundRobin.ts'
      import { createAdmission } from './src/http/admission.ts'
      import { createTurns } from './src/github/turns.ts'
      import { createCleaner } from './src/context/safe/cleaner.ts'
      import { createGitHub } from './src/github/client.ts'
      import { createReads } from './src/redis/reads.ts'
      const old = () => v8.getHeapSpaceStatistics().find((space) => space.space_name === 'old_space').space_used_size
      const young = () => { gc({ type: 'minor' }); gc({ type: 'minor' }) }
      ${setUp}
      gc()
      young()
      const before = old()
      for (let at = 0; at < 20_000; at += 1) {
        ${pass}
        if (at % 500 === 0) young()
      }
      young()
      process.stdout.write(String((old() - before) / 1e6))`
    // As large as what hangs on a request.
    const young = ['--expose-gc', '--max-semi-space-size=64']
    // V8 else looks through the whole heap where it grows, which on a busy machine is sooner or later.
    const flags = [...young, '--no-incremental-marking', '--initial-old-space-size=1024']
    const args = [...flags, '--input-type=module-typescript', '--eval', source]
    return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  }
  const graph = 'Array.from({ length: 100 }, () => ({}))'

  it('does not outlive the collections of what is young', () => {
    const queue = `const queue = createQueue(); const leaves = []`
    const pass = `leaves.push(queue.add(${graph})); if (leaves.length > 8) leaves.shift()()`
    expect(leftBehind(queue, pass)).toBeLessThan(10)
    const cells = 'const cells = createCells()'
    const through = `cells.set('key' + at, ${graph}); cells.delete('key' + (at - 8))`
    expect(leftBehind(cells, through)).toBeLessThan(10)
    // What they are for.
    const set = `const queue = new Set(); const leaves = []`
    const passed = `const item = ${graph}; queue.add(item); leaves.push(item); if (leaves.length > 8) queue.delete(leaves.shift())`
    expect(leftBehind(set, passed)).toBeGreaterThan(20)
  })

  it('leaves nothing where one and the same comes and goes', () => {
    const admission = `createAdmission({ queues: [], maxConcurrent: 8, maxDelay: 1, maxWaiting: 8, maxStreams: 8 })`
    const turns = `createTurns({ places: 1, foresight: false, now: () => 0 })`
    const turn = `{ callers: { names: ['ann'] }, signal: { throwIfAborted() {} } }`
    for (const [made, pass] of [
      [`createRoster(() => 1, () => true)`, `made.of('ann')`],
      [`createCells()`, `made.set('ann', {}); made.delete('ann')`],
      [`createRoundRobin()`, `made.add('ann', 1); made.next()`],
      [admission, `const place = made.enter('ann'); place.stream(); place.end()`],
      [turns, `made.enter(${turn})()`],
    ] as const)
      expect(leftBehind(`const made = ${made}`, pass), made).toBeLessThan(1)
    // What they are for.
    const map = `made.set('ann', 1); made.delete('ann')`
    expect(leftBehind('const made = new Map()', map)).toBeGreaterThan(1)
  })

  it('leaves nothing of what Redis was asked for', () => {
    const client = '{ mgetBuffer: async (keys) => keys.map(() => null) }'
    const redis = `{ available: true, isCluster: false, try: (work) => work(${client}) }`
    const pass = `await reads.get('key', () => ${graph})`
    expect(leftBehind(`const reads = createReads(${redis})`, pass)).toBeLessThan(10)
    // Why no function is made where it is assigned to a property: V8 makes such old from the start.
    const made = (assign: string) => `const made = { graph: ${graph} }; ${assign}`
    expect(leftBehind('', made('made.get = () => made'))).toBeGreaterThan(4)
    expect(leftBehind('', made('const get = () => made; made.get = get'))).toBeLessThan(1)
  })

  it('leaves nothing where one is made for each request', () => {
    for (const made of ['createQueue()', 'createCleaner()', 'createGitHub({})({})']) {
      expect(leftBehind('', `const made = ${made}`), made).toBeLessThan(1)
    }
    // Why none of them has a getter: V8 makes a shape for each object that has one of its own.
    expect(leftBehind('', 'const made = { get first() { return at } }')).toBeGreaterThan(1)
  })
})
