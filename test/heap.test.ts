import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** MB that are old of 300,000 short-lived objects, made by a line whose first ones lived on. */
function oldOfShortLived(setUp: string): number {
  const source = `
    import v8 from 'node:v8'
    import { keepYoung } from './src/heap.ts'
    ${setUp}
    const old = () => v8.getHeapSpaceStatistics().find((space) => space.space_name === 'old_space').space_used_size
    const make = (at) => [{ at, of: [at, at] }, { at, of: { at } }]
    const kept = []
    const fill = (count) => { for (let at = 0; at < count; at += 1) kept.push(make(at)) }
    const pass = (count) => { for (let at = 0; at < count; at += 1) kept[at % 100] = make(at) }
    for (let round = 0; round < 20; round += 1) fill(20_000)
    gc({ type: 'minor' })
    gc({ type: 'minor' })
    const before = old()
    pass(300_000)
    process.stdout.write(String((old() - before) / 1e6))`
  // Where it is compiled in another thread, that may come too late.
  const flags = ['--expose-gc', '--single-threaded']
  const args = [...flags, '--input-type=module-typescript', '--eval', source]
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

it('makes no object old because those before lived on', () => {
  expect(oldOfShortLived('')).toBeGreaterThan(20)
  expect(oldOfShortLived('keepYoung()')).toBeLessThan(2)
})
