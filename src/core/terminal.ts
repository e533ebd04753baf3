const ESCAPE = String.fromCharCode(0x1b)
const BELL = String.fromCharCode(0x07)
/** Colours, cursor moves, titles (ECMA-48, sections 5.3 to 5.6; xterm's control sequences). */
const SEQUENCES = new RegExp(
  `${ESCAPE}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${BELL}${ESCAPE}\\n]*(?:${BELL}|${ESCAPE}\\\\)?|[ -/]*[0-~])`,
  'g',
)

/**
 * What was written for a terminal, as it is read there: without control sequences and byte order
 * mark, and of each line only what no carriage return overwrote.
 */
export function asRead(text: string): string {
  const shown = text
    .replace(/^\ufeff/, '')
    .replaceAll(SEQUENCES, '')
    .replaceAll('\r\n', '\n')
  if (!shown.includes('\r')) return shown
  return shown
    .split('\n')
    .map((line) => line.split('\r').findLast((part) => part !== '') ?? '')
    .join('\n')
}
