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
})
