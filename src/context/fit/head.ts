import type { Draft } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { countTokens } from '../../core/tokens.ts'
import { lengthWithin } from './cut.ts'

/** Between facts of one line. */
const FACT = ' · '
const END = ' …'
/** Characters up to which a field is a fact of its own, such as a state or a sha, and no text. */
const SHORT = 40

export interface Head {
  readonly text: string
  /** Facts that are no longer in it. */
  readonly lost: number
}

/** The first lines of a block in at most `limit` tokens: from the end on fact by fact is left out. */
export function cutHead(head: string, limit: number): Head {
  if (countTokens(head) <= limit) return { text: head, lost: 0 }
  const start = head.slice(0, lengthWithin(head, limit - countTokens(END)))
  const end = Math.max(start.lastIndexOf('\n'), start.lastIndexOf(FACT))
  const text = end > head.indexOf('\n') ? start.slice(0, end) : start
  const lost = head
    .slice(text.length)
    .split(/\n| · /)
    .filter(Boolean).length
  return { text: text === '' ? '' : text + END, lost }
}

/**
 * Fields without what the content no longer has of a block's first lines: long texts, and entries of
 * lists. A title that was cut, or withheld, is the same in every field.
 * @param head as it is where nothing is cut
 */
export function fieldsWithin(
  fields: Record<string, unknown>,
  draft: Pick<Draft, 'title'>,
  head: string,
  { content, title }: { readonly content: string; readonly title: string },
): Record<string, unknown> {
  const whole = oneLine(draft.title)
  if (title === whole && content.startsWith(head)) return fields
  const isShown = (text: string) => content.includes(oneLine(text))
  const isLost = (text: string) => head.includes(oneLine(text)) && !isShown(text)
  const within = (name: string, value: unknown): unknown => {
    if (typeof value === 'string') {
      if (oneLine(value) === whole && !isShown(value)) return title
      return value.length > SHORT && name !== 'url' && isLost(value) ? '' : value
    }
    if (Array.isArray(value)) {
      return value.filter((one) => typeof one !== 'string' || !isLost(one))
    }
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, within(key, own)]))
  }
  return within('', fields) as Record<string, unknown>
}
