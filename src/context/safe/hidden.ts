import { isSeen } from './joiners.ts'

/** A text of which all is seen, and how many characters were removed or replaced to make it so. */
export interface Revealed {
  readonly text: string
  readonly hidden: number
  readonly control: number
}

/** A new line, or what shows that there was one. */
export type LineEnd = '\n' | ' ' | '␤'

const ESCAPE = String.fromCharCode(0x1b)
/** Colours and cursor movements, whose parameters a terminal does not show (ECMA-48, section 5.4). */
const TERMINAL = `${ESCAPE}\\[[0-?]{0,64}[ -\\/]{0,8}[@-~]`
/** What is not printable ASCII, and what little of that lies between. */
const FOREIGN = `[^\\t\\n -~${ESCAPE}]+`
/** What needs a closer look; most texts have little of it. */
const UNUSUAL = new RegExp(
  `${TERMINAL}|${ESCAPE}|${FOREIGN}(?:[\\t\\n -~]{0,8}${FOREIGN}){0,500}`,
  'g',
)

/** Format characters that are seen: signs over numbers and the like (Unicode: Prepended_Concatenation_Mark). */
const SEEN = String.raw`\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}`
/** Blank glyphs that Unicode calls letters. */
const BLANK = String.raw`\u{13441}\u{13442}`
/** What shapes visible text in some places. */
const SHAPING = String.raw`\u200C\u200D\uFE0E\uFE0F\u{E0000}-\u{E007F}`
const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}${BLANK}]--[\t\n${SEEN}]`
const ANY = new RegExp(`[${UNSEEN}]`, 'v')
const REMOVED = new RegExp(String.raw`${TERMINAL}|\p{Co}+|[[${UNSEEN}]--[${SHAPING}]]`, 'gv')
/** Two may follow each other, in an emoji; more never shape anything. */
const SHAPERS = /[\u200C\u200D\uFE0E\uFE0F]{3,}|[\u200C\u200D\uFE0E\uFE0F]|[\u{E0000}-\u{E007F}]+/gv

const CONTROL = /^[\p{Cc}\p{Zl}\p{Zp}]/v
/** Which Unicode takes for the end of a line, besides `\n` (The Unicode Standard, section 5.8). */
const LINE_ENDS = new Set(['\r', '\v', '\f', '\x85', '\u2028', '\u2029'])
/** Halves of surrogate pairs, and private characters. */
const UNKNOWN = /^[\p{Cs}\p{Co}]/v
const REPLACEMENT = '\uFFFD'

/**
 * Removes what no reader sees and a model does: zero-width and other ignorable characters,
 * bidirectional controls, tags, variation selectors, control characters and terminal sequences.
 * What shapes the visible text stays where it does: joiners in Arabic and Indic words, emoji
 * sequences. Private characters and halves of surrogate pairs become U+FFFD, one for a run of
 * private ones. Nothing is normalised. Applied again it changes nothing. Takes linear time.
 * @param lineEnd what other ends of lines than `\n` and `\r\n` become
 */
export function reveal(source: string, lineEnd: LineEnd): Revealed {
  const unix = source.includes('\r') ? source.replaceAll('\r\n', '\n') : source
  let hidden = 0
  let control = 0
  let isShaped = false

  function replacementOf(match: string): string {
    if (CONTROL.test(match)) {
      control += 1
      return LINE_ENDS.has(match) ? lineEnd : ''
    }
    hidden += [...match].length
    return UNKNOWN.test(match) ? REPLACEMENT : ''
  }

  const shaped = unix.replace(UNUSUAL, (run) => {
    if (!ANY.test(run)) return run
    isShaped ||= run.search(SHAPERS) >= 0
    return run.replace(REMOVED, replacementOf)
  })
  if (!isShaped) return { text: shaped, hidden, control }
  // In a second step, so that the neighbours of what shapes them are all seen.
  const text = shaped.replace(UNUSUAL, (run, start: number) =>
    run.replace(SHAPERS, (match, at: number) => {
      if (isSeen(match, shaped, start + at)) return match
      hidden += [...match].length
      return ''
    }),
  )
  return { text, hidden, control }
}
