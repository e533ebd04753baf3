/**
 * Marks what others wrote. Every line begins with `> `, so whatever a text holds, no line of it can
 * pass for one of the service's own: those never begin so. Unlike a closing fence, it cannot be
 * forged, and a cut does not lose it.
 */

/** All that any reader may take for the end of a line (Unicode Standard, section 5.8). */
const LINE_END = /\r\n|[\n\r\v\f\x85\u2028\u2029]/

export function quote(text: string): string {
  if (text !== '' && !LINE_END.test(text)) return `> ${text}`
  return text
    .split(LINE_END)
    .map((line) => (line === '' ? '>' : `> ${line}`))
    .join('\n')
}

/** What a line of a diff, or one with its number, begins with. */
const MARK = /^(?:[-+ @\\]|\d+\t|$)/

/** Texts whose lines have marks of their own; a line that has none after all gets one. */
export function keepMarks(text: string): string {
  return text
    .split(LINE_END)
    .map((line) => (MARK.test(line) ? line : `> ${line}`))
    .join('\n')
}

/** On one line, for headings and facts. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\s\x85]+/g, ' ').trim()
}
