/** A place in a text. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** RFC 7468, RFC 4880 and OpenSSH's own. */
const BOUNDARY = /-----(BEGIN|END) (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g
/** Around the lines of a key: quotes, marks of comments, quotations and diffs, escaped line breaks. */
const SEPARATOR = /[\s"'`,;>#*|()\\-]/
const BASE64 = /[A-Za-z0-9+/=]/
/** `Proc-Type: 4,ENCRYPTED` and the like, between the first line and the key. */
const HEADER = /^[A-Za-z-]{3,30}: [^\n\\]*/
const LONGEST_HEADER = 200
/** Shorter runs may be words. */
const LEAST_LINE = 16
/** A part of a key has as many characters, and as many different ones; fewer stand for a key in an example. */
const LEAST_PART = 40
const LEAST_DIFFERENT = 12
/** An RSA key of 16,384 bits takes 13,000 characters. */
const LONGEST = 65_536

/**
 * Private keys in PEM's form, also where the text holds only their start or only their end, in
 * reading order. Takes linear time.
 */
export function findPrivateKeys(text: string): Span[] {
  const found: Span[] = []
  const boundaries = [...text.matchAll(BOUNDARY)].map((match) => ({
    begins: match[1] === 'BEGIN',
    start: match.index,
    end: match.index + match[0].length,
  }))
  let done = 0
  for (let i = 0; i < boundaries.length; i++) {
    const here = boundaries[i]
    const next = boundaries[i + 1]
    if (!here || here.start < done) continue
    const limit = Math.min(next?.start ?? text.length, here.end + LONGEST)
    const closes = here.begins && next && !next.begins && limit === next.start
    let span: Span | undefined
    if (here.begins) {
      const body = keyAfter(text, here.end, limit)
      const key = text.slice(body.start, body.end)
      if (closes && body.reached && key.trim() !== '') span = { start: here.start, end: next.end }
      else if (isPart(key)) span = { start: here.start, end: body.end }
    } else {
      const start = keyBefore(text, here.start, Math.max(done, here.start - LONGEST))
      if (isPart(text.slice(start, here.start))) span = { start, end: here.end }
    }
    if (span) found.push(span)
    done = span?.end ?? here.end
  }
  return found
}

interface Body extends Span {
  /** Whether nothing else comes before the limit. */
  readonly reached: boolean
}

/** The key's lines from `from` on. */
function keyAfter(text: string, from: number, limit: number): Body {
  const start = skipHeaders(text, from, limit)
  let end = start
  for (;;) {
    const next = skip(text, end, limit, SEPARATOR)
    if (next >= limit) return { start, end, reached: true }
    const stop = skip(text, next, limit, BASE64)
    // The last line may be short, and the letter of an escaped line break is a run of its own.
    const counts = stop - next >= LEAST_LINE || isEscape(text, next, stop)
    if (!counts && (stop === next || skip(text, stop, limit, SEPARATOR) < limit)) {
      return { start, end, reached: false }
    }
    end = stop
  }
}

function skipHeaders(text: string, from: number, limit: number): number {
  let end = from
  for (;;) {
    const start = skip(text, end, limit, SEPARATOR)
    const header = HEADER.exec(text.slice(start, Math.min(limit, start + LONGEST_HEADER)))
    if (!header) return end
    end = start + header[0].length
  }
}

/** Where the key's lines begin that end at `to`. */
function keyBefore(text: string, to: number, limit: number): number {
  let start = to
  for (let lines = 0; ; lines++) {
    const end = skipBack(text, start, limit, SEPARATOR)
    const from = skipBack(text, end, limit, BASE64)
    const counts = end - from >= LEAST_LINE || isEscape(text, from, end)
    if (from === end || (!counts && lines > 1)) return start
    start = from
  }
}

function isEscape(text: string, start: number, end: number): boolean {
  return end - start === 1 && text[start - 1] === '\\'
}

function skip(text: string, from: number, limit: number, what: RegExp): number {
  let position = from
  while (position < limit && what.test(text.charAt(position))) position += 1
  return position
}

function skipBack(text: string, from: number, limit: number, what: RegExp): number {
  let position = from
  while (position > limit && what.test(text.charAt(position - 1))) position -= 1
  return position
}

function isPart(key: string): boolean {
  const letters = key.replaceAll(/[^A-Za-z0-9+/]/g, '')
  return letters.length >= LEAST_PART && new Set(letters).size >= LEAST_DIFFERENT
}
