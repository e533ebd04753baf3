import { createUnitReader, endOfPiece, piecesOf, type Units } from './pieces.ts'

/** Pieces remembered, a power of two; each has one place, and the last one to come has it. */
const PLACES = 2 ** 15
/** UTF-16 units. Longer pieces come once. */
const LONGEST = 32

/**
 * Counts a text piece by piece, and remembers what pieces came to: words come again and again, and
 * encoding one takes as long as reading thirty.
 * @param count tokens of a piece
 */
export function createPieceCounter(count: (text: string) => number): (text: string) => number {
  const readUnits = createUnitReader()
  /** The pieces side by side, in one array: no objects, and nothing that a long text hangs on. */
  const pieces = new Uint16Array(PLACES * LONGEST)
  const lengths = new Uint8Array(PLACES)
  const counts = new Uint8Array(PLACES)

  return (text) => {
    const units = readUnits(text)
    if (!units) return piecesOf(text).reduce((sum, piece) => sum + count(piece), 0)
    let total = 0
    for (let start = 0; start < units.length; ) {
      const end = endOfPiece(units, start)
      total +=
        end - start > LONGEST ? count(text.slice(start, end)) : recall(text, units, start, end)
      start = end
    }
    return total
  }

  function recall(text: string, { codes }: Units, start: number, end: number): number {
    const place = placeOf(codes, start, end)
    if (lengths[place] !== end - start || !isAt(place * LONGEST, codes, start, end)) {
      pieces.set(codes.subarray(start, end), place * LONGEST)
      lengths[place] = end - start
      counts[place] = count(text.slice(start, end))
    }
    return counts[place] as number
  }

  function isAt(first: number, codes: Uint16Array, start: number, end: number): boolean {
    const ahead = first - start
    for (let at = start; at < end; at += 1) if (pieces[ahead + at] !== codes[at]) return false
    return true
  }
}

/** FNV-1a (RFC 9923, section 2). */
function placeOf(codes: Uint16Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (codes[at] as number), 0x01000193)
  return (hash ^ (hash >>> 15)) & (PLACES - 1)
}
