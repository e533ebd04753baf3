import { endianness } from 'node:os'

/**
 * Where o200k_base's first step parts a text, before each piece is encoded by itself: `pat_str` of
 * github.com/openai/tiktoken, `tiktoken_ext/openai_public.py`. Read by hand it takes a tenth of the time
 * that the expression takes, and no memory; the expression is for what is hard to read by hand.
 */
const SMALL_END = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`
const CAPITALS = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*`
const CONTRACTION = "(?:'(?:[sStTmMdD]|[rRvV][eE]|[lL][lL]))?"
const PIECE = new RegExp(
  [
    String.raw`[^\r\n\p{L}\p{N}]?${SMALL_END}${CONTRACTION}`,
    String.raw`[^\r\n\p{L}\p{N}]?${CAPITALS}${CONTRACTION}`,
    String.raw`\p{N}{1,3}`,
    String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*`,
    String.raw`\s*[\r\n]+`,
    String.raw`\s+(?!\S)`,
    String.raw`\s+`,
  ].join('|'),
  'gu',
)

/** The pieces of any text. */
export function piecesOf(text: string): readonly string[] {
  return text.match(PIECE) ?? []
}

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
const known = new Uint8Array(0x10000).fill(HARD, 0xd800, 0xe000)

/** A text unit by unit, with what each unit is: arrays are read faster than a part of a long text. */
export interface Units {
  /** UTF-16 units; behind the last one there are zeros. */
  readonly codes: Uint16Array
  readonly kinds: Uint8Array
  readonly length: number
}

/** Looked at behind the end. */
const BEYOND = 3
const IS_LITTLE_ENDIAN = endianness() === 'LE'

interface Room extends Omit<Units, 'length'> {
  /** Of `codes`. */
  readonly bytes: Buffer
}

/** Units of one text after another, each valid until the next is read. */
export function createUnitReader(): (text: string) => Units | undefined {
  let room = roomFor(0)

  /** Undefined for marks and rare scripts, where pieces cannot be told by hand. */
  return (text) => {
    const { length } = text
    if (room.codes.length < length + BEYOND) room = roomFor(2 * length + BEYOND)
    const { bytes, codes, kinds } = room
    // Asking the text for one unit after the other takes three times as long.
    bytes.write(text, 'utf16le')
    if (!IS_LITTLE_ENDIAN) bytes.subarray(0, 2 * length).swap16()
    codes.fill(0, length, length + BEYOND)
    kinds.fill(0, length, length + BEYOND)
    return tellKinds(codes, kinds, length) ? { codes, kinds, length } : undefined
  }
}

function roomFor(length: number): Room {
  const codes = new Uint16Array(length)
  return { codes, bytes: Buffer.from(codes.buffer), kinds: new Uint8Array(length) }
}

function tellKinds(codes: Uint16Array, kinds: Uint8Array, length: number): boolean {
  for (let at = 0; at < length; at += 1) {
    const code = codes[at] as number
    const kind = known[code] || meet(code)
    kinds[at] = kind
    if (kind !== HARD) continue
    const point = String.fromCharCode(code, codes[at + 1] as number).codePointAt(0) ?? 0
    if (point < 0x10000 || kindOf(point) !== OTHER) return false
    // Of what is readable, only signs beyond the basic plane have two units.
    kinds[at] = OTHER
    kinds[at + 1] = OTHER
    at += 1
  }
  return true
}

/** Where the piece ends that begins at `start`, before the end of the text. */
export function endOfPiece(units: Units, start: number): number {
  const { codes, kinds } = units
  const kind = kinds[start] as number
  if (kind & LETTER) return endOfWord(units, start)
  if (kind === NUMBER) return endOfNumber(kinds, start)
  if (kind !== BREAK) {
    const next = start + ((codes[start] as number) >> 10 === HIGH ? 2 : 1)
    if ((kinds[next] as number) & LETTER) return endOfWord(units, next)
  }
  const sign = codes[start] === 0x20 ? start + 1 : start
  return kinds[sign] === OTHER ? endOfSigns(units, sign) : endOfSpace(units, start)
}

function endOfWord(units: Units, start: number): number {
  const { kinds } = units
  let at = start
  let both = -1
  for (let kind = kinds[at] as number; kind & CAPITAL; kind = kinds[at] as number) {
    if (kind === LETTER) both = at
    at += 1
  }
  if (kinds[at] === SMALL) while ((kinds[at] as number) & SMALL) at += 1
  // Capitals alone are a word only where none before them could end one.
  else if (both !== -1) at = both + 1
  return endOfContraction(units, at)
}

function endOfContraction({ codes }: Units, at: number): number {
  if (codes[at] !== QUOTE) return at
  const letters = String.fromCharCode(codes[at + 1] as number, codes[at + 2] as number)
  if (/^[sdmt]/i.test(letters)) return at + 2
  return /^(?:ll|ve|re)$/i.test(letters) ? at + 3 : at
}

function endOfNumber(kinds: Uint8Array, start: number): number {
  let at = start
  while (at < start + 3 && kinds[at] === NUMBER) at += 1
  return at
}

function endOfSigns({ codes, kinds }: Units, start: number): number {
  let at = start
  while (kinds[at] === OTHER) at += 1
  while (kinds[at] === BREAK || codes[at] === SLASH) at += 1
  return at
}

function endOfSpace({ kinds, length }: Units, start: number): number {
  let at = start
  let afterBreak = -1
  for (let kind = kinds[at] as number; kind & (SPACE | BREAK); kind = kinds[at] as number) {
    at += 1
    if (kind === BREAK) afterBreak = at
  }
  if (afterBreak !== -1) return afterBreak
  // The last space of several goes with what comes after it.
  return at === length || at === start + 1 ? at : at - 1
}

function meet(code: number): number {
  const kind = kindOf(code)
  known[code] = kind
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
