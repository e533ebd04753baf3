import type { Draft, Piece } from '../../core/provider.ts'
import { keepMarks, quote } from '../../core/quote.ts'
import { omissionMark } from './cut.ts'
import type { Stretch } from './segments.ts'

const GAP = '\n\n'

/** How a piece stands among what is kept. */
export interface Standing {
  /** Whether another of its group was kept before it. */
  readonly isFurther: boolean
  /** Whether its text is there already. */
  readonly isRepeated: boolean
}

const ALONE: Standing = { isFurther: false, isRepeated: false }

/** What was kept of a piece. */
export interface KeptPiece {
  readonly piece: Piece
  /** In order, not touching. */
  readonly stretches: readonly Stretch[]
}

const isWhole = ({ piece, stretches: [first] }: KeptPiece) =>
  first !== undefined && first.start === 0 && first.end === piece.text.length

/** The service's own first lines, and below the heading the title, marked where it is another's. */
export function renderHead({ by, head }: Draft, title: string): string {
  if (by === 'service') return head
  const [heading, ...rest] = head.split('\n')
  return [heading, quote(title), ...rest].join('\n')
}

export function renderHeading(
  { further, heading, repeats }: Piece,
  { isFurther, isRepeated }: Standing = ALONE,
): string {
  const own = isFurther ? further : isRepeated ? repeats?.heading : heading
  return own === undefined ? '' : `${own}\n`
}

/** A stretch of a piece as it stands in the content. */
export function renderText({ by, marked }: Piece, text: string): string {
  if (by === 'service') return text
  return marked ? keepMarks(text) : quote(text)
}

/** A block's text: those of one group stand together. */
export function renderContent(
  head: string,
  pieces: readonly { readonly rendered: string; readonly isFurther: boolean }[],
): string {
  return pieces.reduce(
    (content, { isFurther, rendered }) => content + (isFurther ? '\n' : GAP) + rendered,
    head,
  )
}

/** Names of what pieces that are kept whole show. */
export function shownBy(pieces: readonly KeptPiece[]): string[] {
  return pieces.flatMap((kept) => (isWhole(kept) ? (kept.piece.shows ?? []) : []))
}

/** Whether a piece comes below another of its group. */
export function isFurther(piece: Piece, before: Piece | undefined): boolean {
  return piece.group !== undefined && piece.group === before?.group
}

/** @param omittedTokens of a stretch that was left out */
export function renderPiece(
  kept: KeptPiece,
  standing: Standing,
  omittedTokens: (piece: Piece, stretch: Stretch) => number,
): { rendered: string; text: string } {
  const { piece } = kept
  const heading = renderHeading(piece, standing)
  if (isWhole(kept)) {
    const text = standing.isRepeated ? (piece.repeats?.text ?? '') : piece.text
    return { rendered: heading + renderText(piece, text), text: piece.text }
  }
  const rendered: string[] = []
  const raw: string[] = []
  const mark = (start: number, end: number) => {
    if (start >= end) return
    const line = omissionMark(omittedTokens(piece, { start, end }))
    rendered.push(line)
    raw.push(line)
  }
  let position = 0
  for (const { start, end } of kept.stretches) {
    mark(position, start)
    const text = piece.text.slice(start, end).replace(/\n+$/, '')
    rendered.push(renderText(piece, text))
    raw.push(text)
    position = end
  }
  mark(position, piece.text.length)
  return { rendered: heading + rendered.join('\n'), text: raw.join('\n') }
}
