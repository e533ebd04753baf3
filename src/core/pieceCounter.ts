import { endOfPiece, isReadable } from './pieces.ts'

/** Pieces remembered, a power of two; each has one place, and the last one to come has it. */
const PLACES = 2 ** 15
/** UTF-16 units. Longer pieces come once. */
const LONGEST = 32

/**
 * Counts a text piece by piece, and remembers what pieces came to: words come again and again, and
 * encoding one takes as long as reading thirty.
 * @param count tokens of a piece, or of a text that cannot be parted here
 */
export function createPieceCounter(count: (text: string) => number): (text: string) => number {
  const pieces: string[] = new Array(PLACES).fill('')
  const counts = new Uint8Array(PLACES)

  return (text) => {
    if (!isReadable(text)) return count(text)
    let total = 0
    for (let start = 0; start < text.length; ) {
      const end = endOfPiece(text, start)
      total += end - start > LONGEST ? count(text.slice(start, end)) : recall(text, start, end)
      start = end
    }
    return total
  }

  function recall(text: string, start: number, end: number): number {
    const place = placeOf(text, start, end)
    if (!isAt(pieces[place] as string, text, start, end)) {
      pieces[place] = ownText(text.slice(start, end))
      counts[place] = count(pieces[place])
    }
    return counts[place] as number
  }
}

/** FNV-1a (RFC 9923, section 2). */
function placeOf(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash ^ (hash >>> 15)) & (PLACES - 1)
}

function isAt(piece: string, text: string, start: number, end: number): boolean {
  if (piece.length !== end - start) return false
  for (let at = start; at < end; at += 1)
    if (piece.charCodeAt(at - start) !== text.charCodeAt(at)) return false
  return true
}

/** The same text; not a part of another, which would be kept as long. */
function ownText(text: string): string {
  return Buffer.from(text).toString()
}
