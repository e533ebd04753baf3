import { createMinHeap } from './minHeap.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Of a part that is no token together with the next one, or is no part any more. */
const NONE = -1
/** UTF-8 bytes of one UTF-16 unit at most (RFC 3629, section 3). */
const MOST_BYTES = 3
/** Bytes of a piece at most: a rank and a place are one number. */
const SPAN = 2 ** 20

const encoder = new TextEncoder()

/**
 * Counts the tokens of one piece: from single bytes on, the two neighbours that together have the lowest
 * rank become one, the first of several, until no two are a token (Sennrich, Haddow and Birch, "Neural
 * machine translation of rare words with subword units", 2016).
 */
export function createBytePairCounter({ rankOf }: Vocabulary): (piece: string) => number {
  const heap = createMinHeap()
  let bytes = new Uint8Array(0)
  /** Parts by the place of their first byte: where the next one starts, and the one before. */
  let next = new Int32Array(0)
  let previous = new Int32Array(0)
  /** What rank each has together with the next one. */
  let ranks = new Int32Array(0)

  return (piece) => {
    const most = piece.length * MOST_BYTES
    if (bytes.length < most) makeRoom(2 * most)
    const { written } = encoder.encodeInto(piece, bytes)
    return rankOf(bytes, 0, written) === NONE ? merge(written) : 1
  }

  function makeRoom(length: number): void {
    bytes = new Uint8Array(length)
    next = new Int32Array(length + 1)
    previous = new Int32Array(length + 1)
    ranks = new Int32Array(length + 1)
  }

  function merge(length: number): number {
    // Each merge makes two pairs at most.
    heap.clear(3 * length)
    for (let part = 0; part < length; part += 1) {
      next[part] = part + 1
      previous[part] = part - 1
    }
    for (let part = 0; part < length; part += 1) rank(part, length)
    let parts = length
    for (let lowest = heap.pop(); lowest !== -1; lowest = heap.pop()) {
      const part = lowest % SPAN
      // What is in the heap may be of a pair that is no more.
      if (ranks[part] !== (lowest - part) / SPAN) continue
      parts -= 1
      const joined = next[part] as number
      const after = next[joined] as number
      ranks[joined] = NONE
      next[part] = after
      previous[after] = part
      rank(part, length)
      if (part > 0) rank(previous[part] as number, length)
    }
    return parts
  }

  function rank(part: number, length: number): void {
    const following = next[part] as number
    const found = following < length ? rankOf(bytes, part, next[following] as number) : NONE
    ranks[part] = found
    if (found !== NONE) heap.push(found * SPAN + part)
  }
}
