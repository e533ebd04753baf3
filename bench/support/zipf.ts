/** Draws numbers from 1 to `size`, the n-th in proportion to 1/n (Zipf's law with s = 1). */
export function zipf(size: number, random: () => number): () => number {
  const sums = new Float64Array(size)
  let total = 0
  for (let index = 0; index < size; index += 1) {
    total += 1 / (index + 1)
    sums[index] = total
  }
  return () => {
    const drawn = random() * total
    let low = 0
    let high = size - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] as number) < drawn) low = middle + 1
      else high = middle
    }
    return low + 1
  }
}

/** The same numbers in each run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
