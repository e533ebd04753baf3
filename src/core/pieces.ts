/**
 * Where o200k_base's first step parts a text, before each piece is encoded by itself. Its pattern, with
 * `word` for `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`, or all of it capitals:
 * `[^\r\n\p{L}\p{N}]?word('s|'d|'m|'t|'ll|'ve|'re)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|
 * \s+(?!\S)|\s+` (github.com/openai/tiktoken, `tiktoken_ext/openai_public.py`). Read by hand it takes a
 * tenth of the time that the expression takes, and no memory.
 */

/** What a character can be; a letter may be both. */
const CAPITAL = 1
const SMALL = 2
const LETTER = CAPITAL | SMALL
const NUMBER = 4
const SPACE = 8
const BREAK = 16
const OTHER = 32
/** Marks belong to words and stand before them, and letters beyond the basic plane are two units long. */
const HARD = 64

const QUOTE = 0x27
const SLASH = 0x2f
const HIGH = 0x36

/** Kinds by UTF-16 unit, as they have been met; 0 where they have not. */
const kinds = new Uint8Array(0x10000).fill(HARD, 0xd800, 0xe000)

/** Whether `endOfPiece` can be asked about this text: all but marks and rare scripts. */
export function isReadable(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    const kind = kinds[code] || meet(code)
    if (kind !== HARD) continue
    const point = text.codePointAt(at) ?? 0
    if (point < 0x10000 || kindOf(point) !== OTHER) return false
    at += 1
  }
  return true
}

/** Where the piece ends that begins at `start`; the text is readable, and `start` before its end. */
export function endOfPiece(text: string, start: number): number {
  const kind = kindAt(text, start)
  if (kind & LETTER) return endOfWord(text, start)
  if (kind === NUMBER) return endOfNumber(text, start)
  if (kind !== BREAK) {
    const next = start + (text.charCodeAt(start) >> 10 === HIGH ? 2 : 1)
    if (kindAt(text, next) & LETTER) return endOfWord(text, next)
  }
  const sign = text.charCodeAt(start) === 0x20 ? start + 1 : start
  return kindAt(text, sign) === OTHER ? endOfSigns(text, sign) : endOfSpace(text, start)
}

function endOfWord(text: string, start: number): number {
  let at = start
  let both = -1
  for (let kind = kindAt(text, at); kind & CAPITAL; kind = kindAt(text, at)) {
    if (kind === LETTER) both = at
    at += 1
  }
  if (kindAt(text, at) === SMALL) while (kindAt(text, at) & SMALL) at += 1
  // Capitals alone are a word only where none before them could end one.
  else if (both !== -1) at = both + 1
  return endOfContraction(text, at)
}

function endOfContraction(text: string, at: number): number {
  if (text.charCodeAt(at) !== QUOTE) return at
  if (/[sdmt]/i.test(text.charAt(at + 1))) return at + 2
  return /^(?:ll|ve|re)$/i.test(text.slice(at + 1, at + 3)) ? at + 3 : at
}

function endOfNumber(text: string, start: number): number {
  let at = start
  while (at < start + 3 && kindAt(text, at) === NUMBER) at += 1
  return at
}

function endOfSigns(text: string, start: number): number {
  let at = start
  while (kindAt(text, at) === OTHER) at += 1
  while (kindAt(text, at) === BREAK || text.charCodeAt(at) === SLASH) at += 1
  return at
}

function endOfSpace(text: string, start: number): number {
  let at = start
  let afterBreak = -1
  for (let kind = kindAt(text, at); kind & (SPACE | BREAK); kind = kindAt(text, at)) {
    at += 1
    if (kind === BREAK) afterBreak = at
  }
  if (afterBreak !== -1) return afterBreak
  // The last space of several goes with what comes after it.
  return at === text.length || at === start + 1 ? at : at - 1
}

/** 0 beyond the end. */
function kindAt(text: string, at: number): number {
  if (at >= text.length) return 0
  const kind = kinds[text.charCodeAt(at)] as number
  // Of what is readable, only signs beyond the basic plane have two units.
  return kind === HARD ? OTHER : kind
}

function meet(code: number): number {
  const kind = kindOf(code)
  kinds[code] = kind
  return kind
}

function kindOf(point: number): number {
  const character = String.fromCodePoint(point)
  if (/[\r\n]/.test(character)) return BREAK
  if (/\s/.test(character)) return SPACE
  if (/\p{N}/u.test(character)) return NUMBER
  if (/[\p{Lu}\p{Lt}]/u.test(character)) return CAPITAL
  if (/\p{Ll}/u.test(character)) return SMALL
  if (/[\p{Lm}\p{Lo}]/u.test(character)) return LETTER
  return /\p{M}/u.test(character) ? HARD : OTHER
}
