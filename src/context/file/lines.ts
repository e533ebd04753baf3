import type { Piece } from '../../core/provider.ts'

/** A window of lines, both ends in it, counted from 1. */
export interface LineRange {
  readonly start_line: number
  readonly end_line: number
}

/** Lines of one file that are kept or left out together. */
export interface LinesPiece extends Piece {
  readonly range: LineRange
  /** As it stands in the file: without numbers. */
  readonly plain: string
  /** Whether it begins inside of a line that the piece before it began. */
  readonly goesOn: boolean
}

/** Of a piece: enough to make sense, little enough to choose from. */
const MOST_LINES = 30
const MOST_CHARACTERS = 800
/** A line longer than this goes on, under the same number, on the next. */
const LONGEST_ROW = 1_000

/** Ends of lines to some readers, though not to git: shown as a sign, so that no row has two. */
const OTHER_LINE_ENDS = /[\r\v\f\x85\u2028\u2029]/g

/** The lines of a text as git and editors count them: a last line end begins no further line. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return text.includes('\r\n')
    ? lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
    : lines
}

/** A stretch of one line, all of it in most cases. */
interface Row {
  readonly line: number
  readonly text: string
  readonly goesOn: boolean
}

/**
 * Pieces of some lines of a file, in order, each row beginning with the line's number and a tab.
 * They end where the code does, if that is near: before a line that is not indented, at a blank line.
 */
export function linePieces(lines: readonly string[], { start_line, end_line }: LineRange) {
  const rows: Row[] = []
  for (let line = start_line; line <= end_line; line += 1)
    pushRows(rows, lines[line - 1] ?? '', line)
  const pieces: LinesPiece[] = []
  for (let from = 0; from < rows.length; ) {
    const to = from + lengthOfPiece(rows, from)
    pieces.push(pieceOf(rows.slice(from, to), pieces.length))
    from = to
  }
  return pieces
}

function pushRows(rows: Row[], text: string, line: number): void {
  for (let from = 0; from === 0 || from < text.length; ) {
    const end = from + LONGEST_ROW
    // Never between the halves of a surrogate pair.
    const to = end < text.length && text.charCodeAt(end - 1) >> 10 === 0x36 ? end - 1 : end
    rows.push({ line, text: text.slice(from, to), goesOn: from > 0 })
    from = to
  }
}

function pieceOf(rows: readonly Row[], rank: number): LinesPiece {
  const [first] = rows as [Row]
  let plain = first.text
  for (const { goesOn, text } of rows.slice(1)) plain += goesOn ? text : `\n${text}`
  const text = rows.map(({ line, text }) => `${line}\t${text.replace(OTHER_LINE_ENDS, '␤')}`)
  return {
    part: 'lines',
    text: text.join('\n'),
    by: 'repository',
    marked: true,
    whole: true,
    rank,
    range: { start_line: first.line, end_line: rows.at(-1)?.line ?? first.line },
    plain,
    goesOn: first.goesOn,
  }
}

/** Rows of the piece that begins at `from`: up to the best end of those that fit. */
function lengthOfPiece(rows: readonly Row[], from: number): number {
  let characters = 0
  let best = { length: 0, worth: -1 }
  for (let length = 1; length <= MOST_LINES && from + length <= rows.length; length += 1) {
    characters += rows[from + length - 1]?.text.length ?? 0
    if (characters > MOST_CHARACTERS && length > 1) break
    const worth = worthOfEnd(rows, from + length) * (length / MOST_LINES)
    if (worth >= best.worth) best = { length, worth }
  }
  return best.length
}

/** How good an end is before the row `at`. */
function worthOfEnd(rows: readonly Row[], at: number): number {
  const next = rows[at]
  if (!next) return 8
  if (next.goesOn) return 0.25
  if (rows[at - 1]?.text.trim() !== '') return 1
  return /^\S/.test(next.text) ? 4 : 2
}

/** What pieces that were kept show, those that follow on one another made one. */
export function shownRanges(pieces: readonly LinesPiece[]): (LineRange & { text: string })[] {
  const shown: { start_line: number; end_line: number; text: string }[] = []
  for (const { range, plain, goesOn } of pieces) {
    const last = shown.at(-1)
    const joins =
      last && (goesOn ? last.end_line === range.start_line : last.end_line + 1 === range.start_line)
    if (!joins) shown.push({ ...range, text: plain })
    else {
      last.text += goesOn ? plain : `\n${plain}`
      last.end_line = range.end_line
    }
  }
  return shown
}

/** The ranges of pieces that were left out, those that touch made one. */
export function joinRanges(ranges: readonly LineRange[]): LineRange[] {
  const joined: { start_line: number; end_line: number }[] = []
  for (const { start_line, end_line } of ranges) {
    const last = joined.at(-1)
    if (last && start_line <= last.end_line + 1) last.end_line = end_line
    else joined.push({ start_line, end_line })
  }
  return joined
}

/** Ranges of at most `context` lines around each line that has `words`, in any case. */
export function rangesAround(
  lines: readonly string[],
  { start_line, end_line }: LineRange,
  words: string,
  context: number,
): { ranges: LineRange[]; matches: number } {
  const wanted = words.toLowerCase()
  const found: number[] = []
  for (let line = start_line; line <= end_line; line += 1) {
    if (lines[line - 1]?.toLowerCase().includes(wanted)) found.push(line)
  }
  const around = found.map((line) => ({
    start_line: Math.max(start_line, line - context),
    end_line: Math.min(end_line, line + context),
  }))
  return { ranges: joinRanges(around), matches: found.length }
}

/** What of `whole` is in none of `ranges`. */
export function gapsBetween(whole: LineRange, ranges: readonly LineRange[]): LineRange[] {
  const gaps: LineRange[] = []
  let next = whole.start_line
  for (const { start_line, end_line } of ranges) {
    if (start_line > next) gaps.push({ start_line: next, end_line: start_line - 1 })
    next = end_line + 1
  }
  if (next <= whole.end_line) gaps.push({ start_line: next, end_line: whole.end_line })
  return gaps
}
