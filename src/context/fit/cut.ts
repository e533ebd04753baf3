import { countTokens } from '../../core/tokens.ts'
import { wholeCharacters } from './segments.ts'

const BOUNDARIES = ['\n\n', '\n', '. ', ' ']
/** Of the text that would fit, what a clean end may cost at most. */
const CLEAN_END_WORTH = 0.4

/** What stands where a text was cut. */
export const omissionMark = (tokens: number) => `[… ${tokens} tokens omitted]`

/**
 * Length of the longest start of `text` that has at most `limit` tokens by `count` and ends with a
 * paragraph, line, sentence or word; 0 where nothing fits.
 */
export function lengthWithin(
  text: string,
  limit: number,
  count: (text: string) => number = countTokens,
): number {
  if (limit <= 0) return 0
  let low = 0
  // A token holds seldom more than eight characters; runs of spaces and the like hold more.
  let high = Math.min(text.length, limit * 16)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (count(text.slice(0, middle)) <= limit) low = middle
    else high = middle - 1
  }
  return low === text.length ? low : cleanEnd(text.slice(0, wholeCharacters(text, low)))
}

function cleanEnd(text: string): number {
  for (const boundary of BOUNDARIES) {
    const at = text.lastIndexOf(boundary)
    if (at > text.length * (1 - CLEAN_END_WORTH)) return at + boundary.trimEnd().length
  }
  return text.length
}

/** The start of a single line in at most `limit` tokens, closed by an ellipsis where it was cut. */
export function cutLine(text: string, limit: number): string {
  if (countTokens(text) <= limit) return text
  return `${text.slice(0, lengthWithin(text, limit - 2)).trimEnd()} …`
}
