import type { Draft, Piece } from '../../core/provider.ts'
import { measureTokens, type Pace } from '../../core/tokens.ts'
import { relevance } from './relevance.ts'
import { renderHeading, renderText } from './render.ts'
import { PARAGRAPHS, ROWS, SENTENCES, type Stretch, segmentsOf } from './segments.ts'

/** A stretch of a piece that may be chosen on its own. */
export interface Candidate {
  readonly draft: Draft
  readonly piece: Piece
  readonly stretch: Stretch
  /** Tokens of the stretch as it stands in the content. */
  readonly cost: number
  /** Tokens of the piece before this stretch. */
  readonly before: number
}

/** Everything that can be chosen, in reading order: in smaller stretches where a query chooses. */
export async function candidatesOf(
  drafts: readonly { draft: Draft; pieces: readonly Piece[] }[],
  query: string | undefined,
  pace: Pace,
): Promise<Candidate[]> {
  const candidates: Candidate[] = []
  for (const { draft, pieces } of drafts) {
    for (const piece of pieces) {
      let before = 0
      for (const stretch of stretchesOf(piece, query)) {
        const text = renderText(piece, piece.text.slice(stretch.start, stretch.end))
        const cost = (await measureTokens(text, pace)) + 1
        candidates.push({ draft, piece, stretch, cost, before })
        before += cost
      }
    }
  }
  return candidates
}

function stretchesOf({ marked, text, whole }: Piece, query: string | undefined): Stretch[] {
  if (whole) return [{ start: 0, end: text.length }]
  return segmentsOf(text, query === undefined ? PARAGRAPHS : marked ? ROWS : SENTENCES)
}

/** Numbers of lines, in a text or a diff: places, and no words of anybody. */
const PLACES = /^(?:\d+\t|@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@)/gm

function wordsIn({ marked, text }: Piece, { end, start }: Stretch): string {
  const own = text.slice(start, end)
  return marked ? own.replaceAll(PLACES, '') : own
}

/**
 * The order of choosing: what has the words of the query first, then by rank. Without words to go
 * by, no single text takes more than `share` tokens before the others had their turn.
 */
export async function inOrder(
  candidates: readonly Candidate[],
  query: string | undefined,
  share: number,
  pace: Pace,
): Promise<readonly Candidate[]> {
  const scores =
    query === undefined
      ? []
      : await relevance(
          candidates.map(({ piece, stretch }) => ({
            heading: renderHeading(piece),
            text: wordsIn(piece, stretch),
          })),
          query,
          pace,
        )
  return candidates
    .map((candidate, index) => ({
      candidate,
      score: scores[index] ?? 0,
      turn: (scores[index] ?? 0) > 0 ? 0 : candidate.before > share ? 2 : 1,
    }))
    .toSorted(
      (left, right) =>
        left.turn - right.turn ||
        right.score - left.score ||
        left.candidate.piece.rank - right.candidate.piece.rank,
    )
    .map(({ candidate }) => candidate)
}
