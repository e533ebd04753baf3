import { countTokens } from '../core/tokens.ts'

/** Room for the marker that says how much is missing. */
const MARKER_TOKENS = 12
const BOUNDARIES = ['\n\n', '\n', '. ', ' ']

/**
 * The start of `text` in at most `limit` tokens, cut at the end of a paragraph, line, sentence or
 * word and closed by a marker that says how many tokens are missing. Too small a limit gives ''.
 */
export function cutToTokens(text: string, limit: number): string {
  const total = countTokens(text)
  if (total <= limit) return text
  if (limit <= MARKER_TOKENS) return ''
  const start = atBoundary(text.slice(0, longestWithin(text, limit - MARKER_TOKENS)))
  return `${start}\n[… ${total - countTokens(start)} tokens omitted]`
}

/** Length of the longest start of `text` within `limit` tokens, found by halving. */
function longestWithin(text: string, limit: number): number {
  let low = 0
  // A token holds at least one UTF-8 byte and seldom more than eight characters.
  let high = Math.min(text.length, limit * 16)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (countTokens(text.slice(0, middle)) <= limit) low = middle
    else high = middle - 1
  }
  // Never between the halves of a surrogate pair.
  return low > 0 && text.charCodeAt(low - 1) >> 10 === 0x36 ? low - 1 : low
}

function atBoundary(text: string): string {
  for (const boundary of BOUNDARIES) {
    const end = text.lastIndexOf(boundary)
    if (end > text.length * 0.6) return text.slice(0, end + boundary.trimEnd().length)
  }
  return text
}
