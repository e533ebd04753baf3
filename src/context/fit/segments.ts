/** A stretch of a text, from `start` to before `end`. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

/** Characters of a segment: short enough to choose from, long enough to make sense. */
interface Size {
  readonly enough: number
  readonly most: number
}
export const PARAGRAPHS: Size = { enough: 600, most: 1_600 }
/** Where single words decide what is kept, more of what has them fits in smaller ones. */
export const SENTENCES: Size = { enough: 120, most: 500 }

/**
 * Splits a long text where a reader would: between paragraphs, else lines, sentences, words. The
 * segments follow each other without a gap.
 */
export function segmentsOf(text: string, { enough, most }: Size = PARAGRAPHS): Stretch[] {
  const segments: Stretch[] = []
  let start = 0
  while (text.length - start > most) {
    const end = start + breakIn(text.slice(start, start + most), enough)
    segments.push({ start, end })
    start = end
  }
  if (start < text.length || segments.length === 0) segments.push({ start, end: text.length })
  return segments
}

/** Length of the first segment of `window`: up to the last paragraph end, else line, sentence, word. */
function breakIn(window: string, enough: number): number {
  for (const boundary of ['\n\n', '\n', '. ', ' ']) {
    const at = window.lastIndexOf(boundary)
    if (at >= enough) return at + boundary.length
  }
  return wholeCharacters(window, window.length)
}

/** `length`, or one less where that would part the halves of a surrogate pair. */
export function wholeCharacters(text: string, length: number): number {
  return length > 0 && text.charCodeAt(length - 1) >> 10 === 0x36 ? length - 1 : length
}
