import { oneLine } from '../core/quote.ts'

const CHARACTERS = 280

/** The start of a text on one line. */
export function excerptOf(body: string | null | undefined): string {
  const text = oneLine(body ?? '')
  if (text.length <= CHARACTERS) return text
  return `${text.slice(0, text.lastIndexOf(' ', CHARACTERS))} …`
}
