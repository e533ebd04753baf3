import { Type } from '@sinclair/typebox'

/** No `.` or `..`, nothing absolute, no separator of Windows, no drive, no control characters. */
const SAFE = '(?!/|[A-Za-z]:)(?!(?:.*/)?\\.{1,2}(?:/|$))[^\\\\\\x00-\\x1f\\x7f]+'

export const DocsPath = Type.String({
  minLength: 1,
  maxLength: 1_024,
  pattern: `^${SAFE}$`,
  description: 'Path in the folder of documents, for example `guide/install.md`',
  examples: ['README.md'],
})

const MARKDOWN = /\.(?:md|markdown|mdown|mdx|mkd|mkdn)$/i

/** Segments without the empty ones, which lead nowhere. */
export const segmentsOf = (path: string): string[] =>
  path.split('/').filter((segment) => segment !== '')

/** Separators of Windows, and characters that nobody sees: a name that holds some shows another. */
const UNPLAIN = /[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** Whether a segment names what may be served: nothing hidden, and nothing that packages brought. */
export const isServed = (segment: string): boolean =>
  !segment.startsWith('.') && segment !== 'node_modules' && !UNPLAIN.test(segment)

/** Whether the segments lead to a document, by their names alone. */
export function isDocument(segments: readonly string[]): boolean {
  return MARKDOWN.test(segments.at(-1) ?? '') && segments.every(isServed)
}
