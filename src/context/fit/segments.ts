/** A stretch of a text, from `start` to before `end`. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

/** Characters of a segment: short enough to choose from, long enough to make sense. */
interface Size {
  readonly enough: number
  readonly most: number
  /** Whether it ends as soon as it is enough; else as late as it may. */
  readonly early?: boolean
}
export const PARAGRAPHS: Size = { enough: 600, most: 1_600 }
/** Where single words decide what is kept, more of what has them fits in smaller ones. */
export const SENTENCES: Size = { enough: 120, most: 500, early: true }
/** Of code, which says less in a line. */
export const ROWS: Size = { enough: 120, most: 500 }

const ENDS = ['\n\n', '\n', '. ', ' ']
const SENTENCE_END = /\n|[.!?] |[。！？]/

/**
 * Splits a long text where a reader would: between paragraphs, else lines, sentences, words. The
 * segments follow each other without a gap.
 */
export function segmentsOf(text: string, size: Size = PARAGRAPHS): Stretch[] {
  // What is hardly more than enough makes no two.
  const most = size.early ? size.enough * 2 : size.most
  const segments: Stretch[] = []
  let start = 0
  while (text.length - start > most) {
    const end = start + breakIn(text.slice(start, start + size.most), size)
    segments.push({ start, end })
    start = end
  }
  if (start < text.length || segments.length === 0) segments.push({ start, end: text.length })
  return segments
}

/** Length of the first segment of `window`. */
function breakIn(window: string, { early, enough }: Size): number {
  return (early && firstEnd(window, enough)) || lastEnd(window, enough)
}

/** Up to the first end of a sentence or line from `enough` on, with the blank lines after it. */
function firstEnd(window: string, enough: number): number | undefined {
  const found = SENTENCE_END.exec(window.slice(enough - 1))
  if (!found) return undefined
  let end = enough - 1 + found.index + found[0].length
  while (window[end] === '\n') end += 1
  return end
}

/** Up to the last paragraph end, else line, sentence, word. */
function lastEnd(window: string, enough: number): number {
  for (const boundary of ENDS) {
    const at = window.lastIndexOf(boundary)
    if (at >= enough) return at + boundary.length
  }
  return wholeCharacters(window, window.length)
}

/** `length`, or one less where that would part the halves of a surrogate pair. */
export function wholeCharacters(text: string, length: number): number {
  return length > 0 && text.charCodeAt(length - 1) >> 10 === 0x36 ? length - 1 : length
}
