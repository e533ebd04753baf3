import { isSeen } from './joiners.ts'

/** A text of which all is seen, and how many characters were removed or replaced to make it so. */
export interface Revealed {
  readonly text: string
  readonly hidden: number
  readonly control: number
}

const ESCAPE = String.fromCharCode(0x1b)
const BELL = String.fromCharCode(0x07)
/** Terminal sequences (ECMA-48, section 5.4; xterm's operating system commands), with all that a terminal does not show of them. */
const TERMINAL = [
  `${ESCAPE}\\[[0-?]{0,64}[ -\\/]{0,8}[@-~]`,
  `${ESCAPE}\\][^${BELL}${ESCAPE}\\n]{0,2048}(?:${BELL}|${ESCAPE}\\\\)`,
].join('|')
/** Format characters that are seen: signs over numbers and the like (Unicode: Prepended_Concatenation_Mark). */
const SEEN = String.raw`\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}`
/** Blank glyphs that Unicode calls letters. */
const BLANK = String.raw`\u{13441}\u{13442}`
const TAGS = String.raw`[\u{E0000}-\u{E007F}]+`
const PRIVATE = String.raw`\p{Co}+`
const OTHERS = String.raw`[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}${BLANK}]--[\t\n${SEEN}]]`
const HIDDEN = new RegExp([TERMINAL, TAGS, PRIVATE, OTHERS].join('|'), 'gv')

/** Which Unicode takes for the end of a line, besides `\n` (The Unicode Standard, section 5.8). */
const LINE_ENDS = new Set(['\r', '\v', '\f', '\x85', '\u2028', '\u2029'])
const CONTROL = /^\p{Cc}/v
const PRIVATE_START = /^\p{Co}/v
const SURROGATE = /^\p{Cs}/v
const REPLACEMENT = '\uFFFD'
/** UTF-16 units that `isSeen` needs of what is before: two code points. */
const CONTEXT = 4

/**
 * Removes what no reader sees and a model does: zero-width and other ignorable characters,
 * bidirectional controls, tags, variation selectors, control characters and terminal sequences.
 * What shapes the visible text stays where it does: joiners in Arabic and Indic words, emoji
 * sequences. Private characters and halves of surrogate pairs become U+FFFD, one for a run of
 * private ones. Nothing is normalised. Applied again it changes nothing. Takes linear time.
 * @param lineEnd what other ends of lines than `\n` and `\r\n` become: a space keeps the number of lines
 */
export function reveal(source: string, lineEnd: '\n' | ' '): Revealed {
  const unix = source.includes('\r') ? source.replaceAll('\r\n', '\n') : source
  let hidden = 0
  let control = 0
  let position = 0
  let before = ''

  function replacementOf(match: string, at: number): string {
    if (match === '\u2028' || match === '\u2029' || CONTROL.test(match)) {
      control += 1
      return LINE_ENDS.has(match) ? lineEnd : ''
    }
    const end = at + match.length
    if (isSeen(match, before, unix.slice(end, end + 2))) return match
    const points = [...match].length
    hidden += points
    if (PRIVATE_START.test(match)) return REPLACEMENT
    return SURROGATE.test(match) ? REPLACEMENT : ''
  }

  const text = unix.replace(HIDDEN, (match: string, at: number) => {
    before = (before + unix.slice(Math.max(position, at - CONTEXT), at)).slice(-CONTEXT)
    position = at + match.length
    const kept = replacementOf(match, at)
    before += kept
    return kept
  })
  return { text, hidden, control }
}
