/** Numbers of which always the lowest is wanted next (a binary heap; in an array of numbers, without objects). */
export interface MinHeap {
  /** Forgets all, and has room for so many. */
  clear(most: number): void
  push(value: number): void
  /** The lowest; -1 where there is none, so none may be negative. */
  pop(): number
}

export function createMinHeap(): MinHeap {
  let values = new Float64Array(0)
  let size = 0

  return {
    clear(most) {
      size = 0
      if (values.length < most) values = new Float64Array(2 * most)
    },
    push(value) {
      let place = size
      size += 1
      while (place > 0) {
        const above = (place - 1) >> 1
        const parent = values[above] as number
        if (parent <= value) break
        values[place] = parent
        place = above
      }
      values[place] = value
    },
    pop() {
      if (size === 0) return -1
      const lowest = values[0] as number
      size -= 1
      if (size > 0) sink(values[size] as number)
      return lowest
    },
  }

  /** From the top to where nothing below is lower. */
  function sink(value: number): void {
    let place = 0
    for (let below = 1; below < size; below = 2 * place + 1) {
      const isRight = below + 1 < size && (values[below + 1] as number) < (values[below] as number)
      const child = isRight ? below + 1 : below
      if ((values[child] as number) >= value) break
      values[place] = values[child] as number
      place = child
    }
    values[place] = value
  }
}
