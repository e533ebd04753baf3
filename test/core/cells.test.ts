import { describe, expect, it } from 'vitest'
import { createCells } from '../../src/core/cells.ts'

describe('cells', () => {
  it('are a map', () => {
    const cells = createCells<number>()
    cells.set('a', 1)
    cells.set('a', 2)
    cells.set('b', 3)
    expect([cells.get('a'), cells.has('b'), cells.has('c'), cells.size]).toEqual([
      2,
      true,
      false,
      2,
    ])
    cells.delete('a')
    cells.delete('c')
    expect([cells.get('a'), cells.has('a'), cells.size]).toEqual([undefined, false, 1])
  })

  it('keep what is there, however much comes and goes', () => {
    const cells = createCells<number>()
    for (let at = 0; at < 500; at += 1) cells.set(`stays ${at}`, at)
    for (let at = 0; at < 10_000; at += 1) {
      cells.set(`goes ${at}`, at)
      cells.delete(`goes ${at}`)
      cells.set('comes again', at)
      cells.delete('comes again')
    }
    const kept = Array.from({ length: 500 }, (_, at) => cells.get(`stays ${at}`))
    expect(kept).toEqual(kept.map((_, at) => at))
    expect([cells.size, cells.has('comes again'), cells.has('goes 9999')]).toEqual([
      500,
      false,
      false,
    ])
  })
})
