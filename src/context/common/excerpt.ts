import { oneLine } from '../../core/quote.ts'
import { wholeCharacters } from '../fit/segments.ts'

const CHARACTERS = 280

/** The start of a text on one line, up to a space where there is one near the end. */
export function excerptOf(body: string | null | undefined): string {
  const text = oneLine(body ?? '')
  if (text.length <= CHARACTERS) return text
  const space = text.lastIndexOf(' ', CHARACTERS)
  const end = space > CHARACTERS / 2 ? space : wholeCharacters(text, CHARACTERS)
  return `${text.slice(0, end)} …`
}
