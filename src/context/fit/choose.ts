import type { Draft, Piece } from '../../core/provider.ts'
import { countTokens, type Pace } from '../../core/tokens.ts'
import type { Candidate } from './candidates.ts'
import { lengthWithin } from './cut.ts'
import { renderHeading, renderText, type Standing } from './render.ts'
import type { Stretch } from './segments.ts'

/** Tokens below which the start of a text is not worth its marker. */
const LEAST_WORTH_KEEPING = 12
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
 * paid for by the caller. Pauses as `pace` says.
 * @param headCosts tokens of the heads of all blocks but the first
 */
export async function choose(
  order: readonly Candidate[],
  allowance: number,
  first: Draft | undefined,
  headCosts: ReadonlyMap<Draft, number>,
  pace: Pace,
): Promise<Chosen> {
  const drafts = new Set<Draft>(first ? [first] : [])
  const taken = new Map<Piece, Taken>()
  const begun = createBegun()
  let left = allowance
  let hasCut = false

  for (const { draft, piece, stretch, cost } of order) {
    const pause = pace()
    if (pause) await pause
    const known = taken.get(piece)
    const standing = begun.standingOf(draft, piece)
    const frame =
      (drafts.has(draft) ? 0 : (headCosts.get(draft) ?? 0) + GAP) +
      (known ? 0 : countTokens(renderHeading(piece, standing)) + GAP)
    const marks = MARK * (gapsWith(piece, known, stretch) - (known?.gaps ?? 0))
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
  return {
    drafts,
    stretches: new Map([...taken].map(([piece, { stretches }]) => [piece, joined(stretches)])),
  }

  function take(draft: Draft, piece: Piece, stretch: Stretch, cost: number): void {
    drafts.add(draft)
    const known = taken.get(piece)
    const all = known ?? { stretches: [], starts: new Set(), ends: new Set(), length: 0, gaps: 0 }
    all.gaps = gapsWith(piece, known, stretch)
    all.length += stretch.end - stretch.start
    all.stretches.push(stretch)
    all.starts.add(stretch.start)
    all.ends.add(stretch.end)
    taken.set(piece, all)
    begun.take(draft, piece, all.length)
    left -= cost
  }
}

/** What was taken of a piece. */
interface Taken {
  readonly stretches: Stretch[]
  readonly starts: Set<number>
  readonly ends: Set<number>
  /** Characters. */
  length: number
  /** Places where something is missing. */
  gaps: number
}

/** Places where something of a piece is missing when `stretch` is taken too: told by what it touches. */
function gapsWith({ text }: Piece, known: Taken | undefined, { end, start }: Stretch): number {
  if (!known) return Number(start > 0) + Number(end < text.length)
  const before = start === 0 || known.ends.has(start)
  const after = end === text.length || known.starts.has(end)
  // It lies in one of the gaps, and leaves of it what it does not touch.
  return known.gaps - 1 + Number(!before) + Number(!after)
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
    take(draft: Draft, { group, shows, text }: Piece, length: number): void {
      if (group !== undefined) groups.set(draft, (groups.get(draft) ?? new Set()).add(group))
      if (shows !== undefined && length === text.length) shown.add(shows)
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
