import type { Draft, Piece } from '../../core/provider.ts'
import { countTokens } from '../../core/tokens.ts'
import type { Candidate } from './candidates.ts'
import { lengthWithin } from './cut.ts'
import { renderHeading, renderText, type Standing } from './render.ts'
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
  const begun = createBegun()
  let left = allowance
  let hasCut = false

  for (const { draft, piece, stretch, cost } of order) {
    const known = taken.get(piece)
    const standing = begun.standingOf(draft, piece)
    const frame =
      (drafts.has(draft) ? 0 : (headCosts.get(draft) ?? 0) + GAP) +
      (known ? 0 : countTokens(renderHeading(piece, standing)) + GAP)
    const marks = MARK * (gapsIn(piece, [...(known ?? []), stretch]) - gapsIn(piece, known ?? []))
    const own = standing.isRepeated
      ? countTokens(renderText(piece, piece.repeats?.text ?? '')) + GAP
      : cost
    const all = frame + own + marks
    if (all <= left) take(draft, piece, stretch, all)
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
    const stretches = [...(taken.get(piece) ?? []), stretch]
    taken.set(piece, stretches)
    begun.take(draft, piece, stretches)
    left -= cost
  }
}

/** What was taken already, as far as it makes other pieces shorter. */
function createBegun() {
  const groups = new Map<Draft, Set<string>>()
  const shown = new Set<string>()
  return {
    standingOf: (draft: Draft, { group, repeats }: Piece): Standing => ({
      isFurther: group !== undefined && groups.get(draft)?.has(group) === true,
      isRepeated: repeats !== undefined && shown.has(repeats.shows),
    }),
    take(draft: Draft, { group, shows, text }: Piece, stretches: readonly Stretch[]): void {
      if (group !== undefined) groups.set(draft, (groups.get(draft) ?? new Set()).add(group))
      if (shows === undefined) return
      const length = stretches.reduce((sum, { end, start }) => sum + end - start, 0)
      if (length === text.length) shown.add(shows)
    },
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

/** Places where something of a piece is missing; none where all of it is. */
function gapsIn({ text }: Piece, stretches: readonly Stretch[]): number {
  const all = joined(stretches)
  const [first, last] = [all[0], all.at(-1)]
  if (!first || !last) return 0
  return all.length - 1 + Number(first.start > 0) + Number(last.end < text.length)
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
