/**
 * Where an invisible character shapes what is seen, and may stay: after what, and before what. A
 * place holds one of them at most, so that they carry no more than a bit or two for each visible
 * character.
 */

const ZERO_WIDTH_NON_JOINER = '\u200C'
const ZERO_WIDTH_JOINER = '\u200D'
const TEXT_STYLE = '\uFE0E'
const EMOJI_STYLE = '\uFE0F'

const PICTOGRAPH_END = /\p{Extended_Pictographic}$/v
const EMOJI_END = /(?:\p{Extended_Pictographic}\uFE0F?|\p{Emoji_Modifier})$/v
/** © */
const FIRST_PICTOGRAPH = '\u00A9'
const EMOJI_START = /^\p{Extended_Pictographic}/v
/** Letters and digits of the scripts that join in Arabic's way: Persian, Urdu, Pashto, Uyghur … */
const ARABIC_END = /[\p{Script_Extensions=Arabic}&&[\p{L}\p{M}\p{Nd}]]$/v
const ARABIC_START = /^[\p{Script_Extensions=Arabic}&&\p{L}]/v
/** Signs that silence a consonant's vowel, of the scripts of India and Sri Lanka (Unicode: Canonical_Combining_Class=Virama). */
const VIRAMA = String.raw`[\u094D\u09CD\u0A4D\u0ACD\u0B4D\u0BCD\u0C4D\u0CCD\u0D4D\u0DCA]`
const VIRAMA_END = new RegExp(`[[\\p{L}\\p{M}]--[\\p{ASCII}\\uFE0E\\uFE0F]]${VIRAMA}$`, 'v')
const VIRAMA_START = new RegExp(`^${VIRAMA}`, 'v')
// No ASCII, which a secret may be made of that is masked later.
const LETTER_END = /[\p{L}--\p{ASCII}]$/v
const LETTER_START = /^[\p{L}--\p{ASCII}]/v
const KEYCAP_BASE_END = /(?:^|[^!-~\u200C\u200D\uFE0E\uFE0F\u{E0000}-\u{E007F}])[0-9#*]$/v
const KEYCAP_BASE = /[0-9#*]/
const KEYCAP = '\u20E3'
const BLACK_FLAG = '\u{1F3F4}'
/** England, Scotland, Wales: the only flags that Unicode recommends in tags (UTS #51, RGI_Emoji_Tag_Sequence). */
const FLAG_TAGS = new Set(['gbeng', 'gbsct', 'gbwls'].map((name) => `${tagged(name)}\u{E007F}`))

function tagged(name: string): string {
  return [...name].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('')
}

/** UTF-16 units of two code points. */
const CONTEXT = 4

/**
 * Whether an invisible character shapes what is seen. The contexts of joiners follow UAX #31
 * (section 2.3.1, "Limitations"), with Bengali's joiner before the virama, and emoji (UTS #51).
 * @param invisible a joiner, a variation selector, or a run of tags
 * @param at where it stands in `text`
 */
export function isSeen(invisible: string, text: string, at: number): boolean {
  const last = text.charAt(at - 1)
  // Most that is hidden stands in plain text, where nothing is shaped but keycaps.
  if (last < FIRST_PICTOGRAPH && !KEYCAP_BASE.test(last)) return false
  const before = text.slice(Math.max(0, at - CONTEXT), at)
  const end = at + invisible.length
  const after = text.slice(end, end + CONTEXT)
  switch (invisible) {
    case ZERO_WIDTH_JOINER:
      return (
        (EMOJI_END.test(before) && EMOJI_START.test(after)) ||
        VIRAMA_END.test(before) ||
        isBeforeVirama(before, after)
      )
    case ZERO_WIDTH_NON_JOINER:
      return (
        (ARABIC_END.test(before) && ARABIC_START.test(after)) ||
        (VIRAMA_END.test(before) && LETTER_START.test(after)) ||
        isBeforeVirama(before, after)
      )
    case EMOJI_STYLE:
      return (
        PICTOGRAPH_END.test(before) || (KEYCAP_BASE_END.test(before) && after.startsWith(KEYCAP))
      )
    case TEXT_STYLE:
      return PICTOGRAPH_END.test(before)
    default:
      return before.endsWith(BLACK_FLAG) && FLAG_TAGS.has(invisible)
  }
}

function isBeforeVirama(before: string, after: string): boolean {
  return LETTER_END.test(before) && VIRAMA_START.test(after)
}
