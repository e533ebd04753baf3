import type { Draft, Piece } from '../../core/provider.ts'
import { countTokens } from '../../core/tokens.ts'
import type { Candidate } from './candidates.ts'
import { lengthWithin } from './cut.ts'
import { renderHeading, renderText } from './render.ts'
import type { Stretch } from './segments.ts'

/** Tokens below which the start of a text is not worth its marker. */
const LEAST_WORTH_KEEPING = 24
/** Tokens of a marker that says what is missing, and of the blank line between two parts. */
const MARK = 10
const GAP = 1

export interface Chosen {
  /** Blocks that are in. */
  readonly drafts: ReadonlySet<Draft>
  readonly stretches: ReadonlyMap<Piece, readonly Stretch[]>
}

/**
 * Takes candidates in order for as long as they fit into `allowance` tokens. A block pays for its
 * head, and a piece for its heading, with the first that is taken of it; the first block's head is
 * paid for by the caller.
 * @param headCosts tokens of the heads of all blocks but the first
 */
export function choose(
  order: readonly Candidate[],
  allowance: number,
  first: Draft | undefined,
  headCosts: ReadonlyMap<Draft, number>,
): Chosen {
  const drafts = new Set<Draft>(first ? [first] : [])
  const taken = new Map<Piece, Stretch[]>()
  let left = allowance
  let hasCut = false

  for (const { draft, piece, stretch, cost } of order) {
    const known = taken.get(piece)
    const frame =
      (drafts.has(draft) ? 0 : (headCosts.get(draft) ?? 0) + GAP) +
      (known ? 0 : countTokens(renderHeading(piece)) + GAP)
    if (frame + cost <= left) take(draft, piece, stretch, frame + cost)
    else if (!hasCut && !piece.whole && !known) {
      const room = left - frame - MARK
      const part = room < LEAST_WORTH_KEEPING ? undefined : startOf(piece, stretch, room)
      if (!part) continue
      take(draft, piece, part.stretch, frame + MARK + part.cost)
      hasCut = true
    }
  }
  return { drafts, stretches: new Map([...taken].map(([piece, all]) => [piece, joined(all)])) }

  function take(draft: Draft, piece: Piece, stretch: Stretch, cost: number): void {
    drafts.add(draft)
    taken.set(piece, [...(taken.get(piece) ?? []), stretch])
    left -= cost
  }
}

/** The start of a stretch that fits into `room` tokens. */
function startOf(piece: Piece, { start, end }: Stretch, room: number) {
  const count = (text: string) => countTokens(renderText(piece, text))
  const text = piece.text.slice(start, end)
  const length = lengthWithin(text, room, count)
  if (length === 0) return undefined
  return { stretch: { start, end: start + length }, cost: count(text.slice(0, length)) }
}

/** In reading order, those that touch made one. */
function joined(stretches: readonly Stretch[]): Stretch[] {
  const result: Stretch[] = []
  for (const stretch of stretches.toSorted((left, right) => left.start - right.start)) {
    const last = result.at(-1)
    if (last && last.end === stretch.start) {
      result[result.length - 1] = { start: last.start, end: stretch.end }
    } else result.push(stretch)
  }
  return result
}
