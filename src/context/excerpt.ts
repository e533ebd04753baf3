const CHARACTERS = 280

/** The start of a text on one line. */
export function excerptOf(body: string | null | undefined): string {
  const text = (body ?? '').replaceAll(/\s+/g, ' ').trim()
  if (text.length <= CHARACTERS) return text
  return `${text.slice(0, text.lastIndexOf(' ', CHARACTERS))} …`
}
