import { createBytePairCounter } from './encoding/bytePairs.ts'
import { createPieceCounter } from './encoding/pieceCounter.ts'
import { readO200k } from './encoding/vocabulary.ts'

/** A run without a break is one piece, in which there is no pause: texts with one so long are counted in slices. */
const LONG_RUN = 256
const SHORT_SLICE = 256
/**
 * Characters counted without a pause, or at most twice as many: 0.1 ms of prose; of what the encoder
 * has no long tokens for, as Chinese without spaces and random letters, up to some milliseconds.
 */
const SLICE = 1_024

/**
 * Where the encoding's own first step always splits, so that the counts of both sides add up: after
 * a line break before what is neither space nor `/` (`seamOf`), and before a single space between two words.
 */
const BETWEEN_WORDS = /[\p{L}\p{N}](?= \p{L})/u

/** What `\s` means beyond ASCII (ECMA-262, WhiteSpace and LineTerminator). */
const OTHER_SPACE: ReadonlySet<number> = new Set(
  Array.from(
    '\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff',
    (c) => c.charCodeAt(0),
  ),
)

// Text may hold `<|endoftext|>` and the like: it is text here, never a control token.
const countPieces = createPieceCounter(createBytePairCounter(readO200k()))

/** Lets other work run when it is time; undefined while it is not. */
export type Pace = () => Promise<void> | undefined

/** @param milliseconds that may pass between two pauses */
export function createPace(milliseconds = 4, now: () => number = () => performance.now()): Pace {
  let since = now()
  return () => {
    if (now() - since < milliseconds) return undefined
    return new Promise((resume) => {
      setImmediate(() => {
        since = now()
        resume()
      })
    })
  }
}

/**
 * Tokens of `text` in OpenAI's o200k_base encoding; for other models' tokenizers an estimate.
 * Texts with very long unbroken runs are counted slice by slice, with one token more for each cut, so
 * that the count is rather too high than too low. Blocks for about 0.5 ms per 1,000 tokens.
 */
export function countTokens(text: string): number {
  let total = 0
  for (const slice of slicesOf(text)) total += countSlice(slice)
  return total
}

/** The same count without blocking: pauses as `pace` says. */
export async function measureTokens(text: string, pace: Pace): Promise<number> {
  let total = 0
  for (const slice of slicesOf(text)) {
    total += countSlice(slice)
    const pause = pace()
    if (pause) await pause
  }
  return total
}

interface Slice {
  readonly text: string
  /** Tokens that the cut at its end may have hidden. */
  readonly slack: number
}

function* slicesOf(text: string): Generator<Slice> {
  let start = 0
  while (text.length - start > SLICE * 2) {
    const seam = seamOf(text, start + SLICE, start + SLICE * 2)
    const end = seam ?? wholeCharacters(text, start + SLICE)
    yield { text: text.slice(start, end), slack: seam === undefined ? 1 : 0 }
    start = end
  }
  yield { text: text.slice(start), slack: 0 }
}

/** A seam after `start`, and before `end`. */
function seamOf(text: string, start: number, end: number): number | undefined {
  const part = text.slice(start, end)
  // Most texts have lines, and to look for them takes a tenth of what the expression takes.
  for (let line = part.indexOf('\n'); line !== -1; line = part.indexOf('\n', line + 1)) {
    const next = part[line + 1] ?? ' '
    if (next !== '/' && next.trim() !== '') return start + line + 1
  }
  const words = BETWEEN_WORDS.exec(part)
  return words ? start + words.index + 1 : undefined
}

function countSlice({ text, slack }: Slice): number {
  if (!hasLongRun(text)) return slack + countPieces(text)
  let total = slack
  for (let start = 0; start < text.length; ) {
    const end = wholeCharacters(text, start + SHORT_SLICE)
    total += countPieces(text.slice(start, end)) + (end < text.length ? 1 : 0)
    start = end
  }
  return total
}

/** Whether so many characters on end are all space, or all none. Few are looked at: one in so many, and its run. */
function hasLongRun(text: string): boolean {
  let end = LONG_RUN - 1
  while (end < text.length) {
    const space = isSpace(text, end)
    let start = end
    while (start > end - LONG_RUN && isSpace(text, start) === space) start -= 1
    if (start === end - LONG_RUN) return true
    end = start + LONG_RUN
  }
  return false
}

function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code <= 0x7f ? code === 0x20 || (code >= 0x09 && code <= 0x0d) : OTHER_SPACE.has(code)
}

/** `end`, or one less where that would part the halves of a surrogate pair, whose tokens nobody knows. */
function wholeCharacters(text: string, end: number): number {
  return end < text.length && text.charCodeAt(end - 1) >> 10 === 0x36 ? end - 1 : end
}
