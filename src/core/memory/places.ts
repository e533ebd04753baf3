/** Places by a hash of 32 bits, in arrays of numbers. Of more than fit, the oldest are forgotten. */
export interface Places {
  find(hash: number): number | undefined
  /**
   * @param hash one that has no place
   * @param place greater than those before
   * @returns the place that had to go, if one had to
   */
  add(hash: number, place: number): number | undefined
  delete(hash: number): void
  clear(): void
  /** Bytes of memory that it takes. */
  readonly bytes: number
}

/** Places that a hash may be at, next to each other. */
const WAYS = 8
/** Bytes of a hash and a place. */
const SLOT = 12

/** @param count how many places it has, a power of two and eight at least */
export function createPlaces(count: number): Places {
  const hashes = new Uint32Array(count)
  /** Zero where there is none. */
  const places = new Float64Array(count)

  /** The slot of this hash, or -1. */
  function slotOf(hash: number): number {
    const start = startOf(hash)
    for (let slot = start; slot < start + WAYS; slot++) {
      if (hashes[slot] === hash && places[slot] !== 0) return slot
    }
    return -1
  }

  function startOf(hash: number): number {
    return (hash & (count / WAYS - 1)) * WAYS
  }

  /** The empty one, or that of the oldest. */
  function slotFor(hash: number): number {
    const start = startOf(hash)
    let oldest = start
    for (let slot = start + 1; slot < start + WAYS; slot++) {
      if (placeAt(slot) < placeAt(oldest)) oldest = slot
    }
    return oldest
  }

  const placeAt = (slot: number) => places[slot] ?? 0

  return {
    bytes: count * SLOT,
    find(hash) {
      const slot = slotOf(hash)
      return slot < 0 ? undefined : placeAt(slot)
    },
    add(hash, place) {
      const slot = slotFor(hash)
      const before = placeAt(slot)
      hashes[slot] = hash
      places[slot] = place
      return before === 0 ? undefined : before
    },
    delete(hash) {
      const slot = slotOf(hash)
      if (slot >= 0) places[slot] = 0
    },
    clear: () => void places.fill(0),
  }
}
