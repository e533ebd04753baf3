/** Callers who wait for one and the same: what one of them may have done at once, all have at once. */
export interface Party {
  /** In the order in which they came; never empty. */
  readonly names: readonly string[]
  add(name: string): void
  /** Tells of each who comes from now on. @returns what ends that */
  onAdd(listener: (name: string) => void): () => void
}

export function createParty(first: string): Party {
  const names = [first]
  const listeners = new Set<(name: string) => void>()
  return {
    names,
    add(name) {
      if (names.includes(name)) return
      names.push(name)
      for (const listener of listeners) listener(name)
    },
    onAdd(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
