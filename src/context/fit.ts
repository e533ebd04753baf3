import type { Draft, Kept, Piece } from '../core/provider.ts'
import type { Omission } from '../core/schemas.ts'
import { countTokens } from '../core/tokens.ts'
import { cutToTokens } from './cut.ts'
import { relevance } from './relevance.ts'

export interface Fitted {
  readonly content: string
  readonly tokens: number
  readonly fields: Record<string, unknown>
  readonly omitted: readonly Omission[]
}

/** Tokens below which the start of a piece is not worth its marker. */
const LEAST_WORTH_KEEPING = 24
const GAP = '\n\n'

/**
 * Fits a draft into `budget` tokens: the most relevant pieces are kept, or the highest ranked where
 * there is no query; what is kept stays in reading order.
 */
export function fitDraft(draft: Draft, budget: number, query: string | undefined): Fitted {
  const all = draft.pieces.map((piece) => ({ piece, text: piece.text }))
  const whole = render(draft.head, all)
  const wholeTokens = countTokens(whole)
  if (wholeTokens <= budget) {
    return { content: whole, tokens: wholeTokens, fields: draft.fields(all), omitted: [] }
  }
  return fitTight(draft, budget, query)
}

function fitTight(draft: Draft, budget: number, query: string | undefined): Fitted {
  const order = keepingOrder(draft.pieces, query)
  // Tokens are not quite additive over a join, so a first try that overshoots is made again, tighter.
  for (let allowance = budget; ; allowance -= Math.max(1, Math.ceil(budget / 50))) {
    const head = cutToTokens(draft.head, Math.max(0, allowance))
    const chosen = choose(order, allowance - countTokens(head))
    const kept = draft.pieces.flatMap((piece) => chosen.get(piece) ?? [])
    const content = render(head, kept)
    const tokens = countTokens(content)
    if (tokens > budget && allowance > 0) continue
    const dropped = draft.pieces.filter((piece) => !chosen.has(piece))
    const cut = kept.filter(({ piece, text }) => text !== piece.text).map(({ piece }) => piece)
    return { content, tokens, fields: draft.fields(kept), omitted: draft.omit(dropped, cut) }
  }
}

function keepingOrder(pieces: readonly Piece[], query: string | undefined): readonly Piece[] {
  const score = query === undefined ? () => 0 : relevance(pieces, query)
  const byRank = pieces.toSorted((left, right) => left.rank - right.rank)
  return byRank.toSorted((left, right) => score(right) - score(left))
}

function choose(order: readonly Piece[], allowance: number): ReadonlyMap<Piece, Kept> {
  const chosen = new Map<Piece, Kept>()
  let left = allowance
  for (const piece of order) {
    const cost = countTokens(renderPiece({ piece, text: piece.text })) + 1
    if (cost <= left) {
      chosen.set(piece, { piece, text: piece.text })
      left -= cost
      continue
    }
    if (piece.whole) continue
    const heading = countTokens(renderPiece({ piece, text: '' })) + 1
    if (left - heading < LEAST_WORTH_KEEPING) continue
    const text = cutToTokens(piece.text, left - heading)
    chosen.set(piece, { piece, text })
    left -= heading + countTokens(text)
  }
  return chosen
}

function render(head: string, kept: readonly Kept[]): string {
  return [head, ...kept.map(renderPiece)].join(GAP)
}

function renderPiece({ piece, text }: Kept): string {
  return piece.heading === undefined ? text : `${piece.heading}\n${text}`
}
