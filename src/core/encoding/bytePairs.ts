import type { Vocabulary } from './vocabulary.ts'

/** Higher than each rank. */
const NONE = 0x7fffffff
/** UTF-8 bytes of one UTF-16 unit at most (RFC 3629, section 3). */
const MOST_BYTES = 3

const encoder = new TextEncoder()

/**
 * Counts the tokens of one piece: from single bytes on, the two neighbours that together have the lowest
 * rank become one, until no two are a token (Sennrich, Haddow and Birch, "Neural machine translation of
 * rare words with subword units", 2016). Takes quadratic time: pieces are words, or a few hundred
 * characters.
 */
export function createBytePairCounter({ rankOf }: Vocabulary): (piece: string) => number {
  let bytes = new Uint8Array(0)
  /** Where each part starts, and behind the last one the end; and what rank it has with the next one. */
  let starts = new Int32Array(0)
  let ranks = new Int32Array(0)

  return (piece) => {
    const most = piece.length * MOST_BYTES
    if (bytes.length < most) makeRoom(2 * most)
    const { written } = encoder.encodeInto(piece, bytes)
    return rankOf(bytes, 0, written) === -1 ? merge(written) : 1
  }

  function makeRoom(length: number): void {
    bytes = new Uint8Array(length)
    starts = new Int32Array(length + 1)
    ranks = new Int32Array(length + 1)
  }

  function merge(length: number): number {
    let parts = length
    for (let part = 0; part <= length; part += 1) starts[part] = part
    for (let part = 0; part < length; part += 1) ranks[part] = rankWithNext(part, parts)
    for (;;) {
      const lowest = lowestOf(parts)
      if (lowest === -1) return parts
      starts.copyWithin(lowest + 1, lowest + 2, parts + 1)
      ranks.copyWithin(lowest + 1, lowest + 2, parts)
      parts -= 1
      ranks[lowest] = rankWithNext(lowest, parts)
      if (lowest > 0) ranks[lowest - 1] = rankWithNext(lowest - 1, parts)
    }
  }

  function rankWithNext(part: number, parts: number): number {
    if (part + 2 > parts) return NONE
    const rank = rankOf(bytes, starts[part] as number, starts[part + 2] as number)
    return rank === -1 ? NONE : rank
  }

  function lowestOf(parts: number): number {
    let lowest = -1
    let rank = NONE
    for (let part = 0; part < parts; part += 1) {
      if ((ranks[part] as number) >= rank) continue
      rank = ranks[part] as number
      lowest = part
    }
    return lowest
  }
}
