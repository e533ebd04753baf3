/** A source of chance that gives the same for the same seed. */
export interface Random {
  /** From 0 to below `below`. */
  int(below: number): number
  chance(probability: number): boolean
  /** @throws Error where there is nothing to pick */
  pick<T>(from: readonly T[]): T
}

/** Mulberry32 (github.com/bryc/code, "PRNGs"): 32 bits of state, good enough to choose test inputs by. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const int = (below: number) => Math.floor(next() * below)
  return {
    int,
    chance: (probability) => next() < probability,
    pick<T>(from: readonly T[]) {
      if (from.length === 0) throw new Error('nothing to pick from')
      return from[int(from.length)] as T
    },
  }
}
