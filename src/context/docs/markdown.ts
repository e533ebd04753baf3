import { oneLine } from '../../core/quote.ts'
import type { LineRange } from '../file/lines.ts'

export interface Heading {
  readonly level: number
  readonly text: string
  /** Counted from 1; the first of a heading that takes several. */
  readonly line: number
}

/** What stands under one heading, up to the next of any level. */
export interface Section {
  /** The headings that it stands under, the outermost first; none before the first heading. */
  readonly headings: readonly string[]
  readonly range: LineRange
}

export interface Outline {
  /** What the document calls itself, in its front matter or its first heading of the first level. */
  readonly title: string | undefined
  readonly headings: readonly Heading[]
}

const ATX = /^ {0,3}(#{1,6})(?=[ \t]|$)/
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/
/** An item of a list may begin with code. */
const FENCE = /^ {0,3}((?:[-+*]|\d{1,9}[.)])[ \t]+)?(`{3,}(?=[^`]*$)|~{3,})/
const FENCE_END = /^([ \t]*)(`{3,}|~{3,})[ \t]*$/
const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/
const CODE = /^(?: {4}|\t)/
/** Quotations, items of lists and blocks of HTML: a line of signs below them is a rule. */
const CONTAINER = /^ {0,3}(?:>|[-+*](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$)|<[A-Za-z/!?])/
/** Characters of a heading that are shown, and of a line that may be one. */
const LONGEST_HEADING = 300
const LONGEST_LINE = 2_000
/** Lines that front matter may have. */
const LONGEST_FRONT_MATTER = 500

/** The headings of a document, as CommonMark has them; front matter and code have none. */
export function outlineOf(lines: readonly string[]): Outline {
  const front = frontMatterOf(lines)
  const headings: Heading[] = []
  let code: Fence | undefined
  /** The first line of the paragraph that a line is in, or 0. */
  let paragraph = 0
  /** Whether a line is in a quotation, a list or HTML. */
  let contained = false
  for (let line = front.length + 1; line <= lines.length; line += 1) {
    const text = lines[line - 1] ?? ''
    if (code) {
      if (closes(code, text)) code = undefined
      continue
    }
    code = fenceOf(text)
    const level = levelOf(text, paragraph > 0)
    if (level) {
      const isBelow = UNDERLINE.test(text)
      const words = isBelow ? lines.slice(paragraph - 1, line - 1).join(' ') : wordsOf(text)
      headings.push({ level, text: plain(words), line: isBelow ? paragraph : line })
    }
    const ends = code || level || text.trim() === '' || RULE.test(text)
    contained = !ends && (contained || CONTAINER.test(text))
    if (ends || contained) paragraph = 0
    else if (paragraph === 0 && !CODE.test(text)) paragraph = line
  }
  const first = headings.find(({ level }) => level === 1)
  return { title: front.title ?? first?.text, headings }
}

interface Fence {
  readonly signs: string
  /** Spaces that its end may begin with. */
  readonly indent: number
}

function fenceOf(text: string): Fence | undefined {
  const [, item = '', signs] = FENCE.exec(text) ?? []
  return signs === undefined ? undefined : { signs, indent: item.length + 3 }
}

function closes({ indent, signs }: Fence, text: string): boolean {
  const [, space = '', end = ''] = FENCE_END.exec(text) ?? []
  return space.length <= indent && end[0] === signs[0] && end.length >= signs.length
}

/** The level of the heading that a line makes, of itself or of the paragraph above it; else 0. */
function levelOf(text: string, below: boolean): number {
  if (text.length > LONGEST_LINE) return 0
  const underline = below ? UNDERLINE.exec(text)?.[1] : undefined
  if (underline) return underline.startsWith('=') ? 1 : 2
  return ATX.exec(text)?.[1]?.length ?? 0
}

/** What stands between the signs of a heading. */
const wordsOf = (text: string) =>
  text
    .replace(ATX, '')
    .trim()
    .replace(/(?:^|[ \t])#+$/, '')

/** The metadata that a document may begin with, in lines and with what it says of the title. */
function frontMatterOf(lines: readonly string[]): { length: number; title: string | undefined } {
  const none = { length: 0, title: undefined }
  const opening = /^(---|\+\+\+)[ \t]*$/.exec(lines[0] ?? '')?.[1]
  if (!opening) return none
  const ends = opening === '---' ? /^(?:---|\.\.\.)[ \t]*$/ : /^\+\+\+[ \t]*$/
  const end = lines.slice(1, LONGEST_FRONT_MATTER).findIndex((line) => ends.test(line)) + 1
  if (end === 0) return none
  for (const line of lines.slice(1, end)) {
    const title = /^title[ \t]*[:=][ \t]*(.+)$/i.exec(line)?.[1]?.trim()
    if (title) return { length: end + 1, title: plain(title.replace(/^(["'])(.*)\1$/, '$2')) }
  }
  return { length: end + 1, title: undefined }
}

/** A heading's words without the signs of their form. */
function plain(markdown: string): string {
  const words = oneLine(markdown.slice(0, LONGEST_LINE))
    .replaceAll(/!?\[([^\][]*)\]\([^()]*\)/g, '$1')
    .replaceAll(/<\/?[A-Za-z][^<>]*>/g, '')
    .replace(/ ?\{#[^{}]*\}$/, '')
    .replaceAll(/(?<!\\)[*`]+|(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu, '')
    .replaceAll(/\\(?=[!-/:-@[-`{-~])/g, '')
  return oneLine(words).slice(0, LONGEST_HEADING)
}

/** The sections in reading order; together they are all lines. */
export function sectionsOf({ headings }: Outline, total: number): Section[] {
  const sections: Section[] = []
  const [first] = headings
  const before = (first?.line ?? total + 1) - 1
  if (before > 0) sections.push({ headings: [], range: { start_line: 1, end_line: before } })
  const above: Heading[] = []
  for (const [index, heading] of headings.entries()) {
    while ((above.at(-1)?.level ?? 0) >= heading.level) above.pop()
    above.push(heading)
    const end_line = (headings[index + 1]?.line ?? total + 1) - 1
    sections.push({
      headings: above.map(({ text }) => text),
      range: { start_line: heading.line, end_line },
    })
  }
  return sections
}

/**
 * The lines under a heading with all that it heads, found by its words or by its anchor as GitHub
 * makes it; undefined where there is none.
 */
export function rangeUnder(
  { headings }: Outline,
  wanted: string,
  total: number,
): LineRange | undefined {
  const words = oneLine(wanted.replace(/^#+[ \t]+/, '')).toLowerCase()
  const anchor = words.replace(/^#/, '')
  const anchors = anchorsOf(headings)
  const byWords = headings.findIndex(({ text }) => text.toLowerCase() === words)
  const found = byWords >= 0 ? byWords : anchors.indexOf(anchor)
  const heading = headings[found]
  if (!heading) return undefined
  const next = headings.slice(found + 1).find(({ level }) => level <= heading.level)
  return { start_line: heading.line, end_line: (next?.line ?? total + 1) - 1 }
}

function anchorsOf(headings: readonly Heading[]): string[] {
  const seen = new Map<string, number>()
  return headings.map(({ text }) => {
    const slug = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-')
    const times = seen.get(slug) ?? 0
    seen.set(slug, times + 1)
    return times === 0 ? slug : `${slug}-${times}`
  })
}
