import { Type } from '@sinclair/typebox'
import { invalid, ServiceError } from '../../core/errors.ts'
import { type Draft, defineProvider, type Piece, type Provider } from '../../core/provider.ts'
import { blockFields, Nullable, type Omission } from '../../core/schemas.ts'
import { facts, lines } from '../common/render.ts'
import {
  joinRanges,
  type LineRange,
  type LinesPiece,
  linePieces,
  shownRanges,
} from '../file/lines.ts'
import type { Document } from './document.ts'
import { rangeUnder } from './markdown.ts'
import type { Pages } from './pages.ts'
import { DocsPath, segmentsOf } from './paths.ts'

const TYPE = 'docs_page'
/** Characters of one answer at most, whatever the budget: about 300,000 tokens. */
const MOST_CHARACTERS = 1024 * 1024

interface Wanted {
  readonly start_line?: number | undefined
  readonly end_line?: number | undefined
  readonly heading?: string | undefined
}

const Line = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000, description }))

/** @param example a path that is there */
export function docsPage(pages: Pages, example: string): Provider {
  return defineProvider({
    type: TYPE,
    blockType: TYPE,
    title: 'Document',
    description:
      "One of the service's own documents as text with line numbers: all of it, some lines, or what is under a heading.",
    uri: 'docs://pages/{+path}',
    params: Type.Object(
      {
        path: DocsPath,
        start_line: Line('First line wanted, counted from 1'),
        end_line: Line('Last line wanted'),
        heading: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 300,
            description: 'What stands under this heading, by its words or its anchor',
          }),
        ),
      },
      { additionalProperties: false },
    ),
    block: Type.Object({
      ...blockFields,
      path: Type.String(),
      size: Type.Integer({ description: 'Bytes of the file' }),
      lines: Nullable(Type.Integer({ description: 'Lines that it has; null where it is no text' })),
      encoding: Nullable(Type.String()),
      ranges: Type.Array(
        Type.Object({
          start_line: Type.Integer(),
          end_line: Type.Integer(),
          text: Type.String({ description: 'The lines as they are, without numbers' }),
        }),
        { description: 'What is shown, in order' },
      ),
    }),
    example: { path: example },
    data: 'own',
    cache: { freshFor: 300, staleFor: 3_600, keepFor: 86_400 },
    tags: ({ path }) => [`docs:${plainPath(path)}`],
    version: async ({ path }) => (await pages.document(plainPath(path)))?.hash ?? 'none',
    async fetch({ path, ...wanted }) {
      const document = await pages.document(plainPath(path))
      if (!document) throw await notFound(pages, plainPath(path))
      const { shown, rest } = windowOf(document, wanted)
      return {
        visibility: 'private',
        omitted: [
          ...rest.map((range) => lineOmission(document, range, 'answer_limit')),
          ...unread(document),
        ],
        blocks: [draftOf(document, shown)],
      }
    },
  })
}

const plainPath = (path: string) => segmentsOf(path).join('/')

async function notFound(pages: Pages, path: string): Promise<ServiceError> {
  const name = path.split('/').at(-1)?.toLowerCase()
  const paths = await pages.paths()
  const near = paths.filter((one) => one.toLowerCase().split('/').at(-1) === name).slice(0, 3)
  const hint = near.length > 0 ? `Is it ${near.join(' or ')}?` : 'docs_search finds what there is.'
  return new ServiceError('not_found', `There is no document ${JSON.stringify(path)}. ${hint}`)
}

/** The lines that are wanted, and of those the ones past the most that an answer may hold. */
function windowOf(
  { encoding, lines: all, outline }: Document,
  { end_line, heading, start_line }: Wanted,
): { shown: LineRange; rest: LineRange[] } {
  let wanted: LineRange = { start_line: start_line ?? 1, end_line: end_line ?? all.length }
  if (heading !== undefined) {
    if (start_line !== undefined || end_line !== undefined)
      throw invalid('/params/heading', 'cannot go together with lines: give either.')
    const found = rangeUnder(outline, heading, all.length)
    if (!found)
      throw invalid('/params/heading', noHeading(outline.headings.map(({ text }) => text)))
    wanted = found
  }
  if (encoding === undefined || all.length === 0)
    return { shown: { start_line: 1, end_line: 0 }, rest: [] }
  if (wanted.start_line > all.length)
    throw invalid('/params/start_line', `the document has ${all.length} lines.`)
  if (wanted.end_line < wanted.start_line)
    throw invalid('/params/end_line', 'must not be less than start_line.')
  const last = Math.min(wanted.end_line, all.length)
  let line = wanted.start_line
  for (let left = MOST_CHARACTERS; line <= last && left > 0; line += 1) {
    left -= (all[line - 1]?.length ?? 0) + 1
  }
  return {
    shown: { start_line: wanted.start_line, end_line: line - 1 },
    rest: line <= last ? [{ start_line: line, end_line: last }] : [],
  }
}

function noHeading(headings: readonly string[]): string {
  if (headings.length === 0) return 'the document has no headings.'
  const shown = headings.slice(0, 10).map((text) => JSON.stringify(text))
  return `the document has no such heading. It has ${shown.join(', ')}${headings.length > 10 ? ' and others' : ''}.`
}

function draftOf(document: Document, shown: LineRange): Draft {
  const { encoding, lines: all, path, removed, size, title } = document
  const pieces: Piece[] = linePieces(all, shown)
  const note: Piece = {
    part: 'document',
    text: encoding ? 'The document is empty.' : 'The document is no text.',
    by: 'service',
    rank: 0,
    whole: true,
  }
  return {
    id: `${TYPE}:${path}`,
    title,
    url: `docs://pages/${path.split('/').map(encodeURIComponent).join('/')}`,
    head: lines(
      '# Document',
      facts({
        Path: JSON.stringify(path),
        Lines: pieces.length > 0 && `${nameOf(shown)} of ${all.length}`,
        Encoding: encoding !== 'utf-8' && encoding,
      }),
    ),
    by: 'repository',
    pieces: pieces.length > 0 ? pieces : [note],
    fields: (kept) => ({
      path,
      size,
      lines: encoding ? all.length : null,
      encoding: encoding ?? null,
      ranges: shownRanges(
        kept.flatMap(({ piece }) => ('range' in piece ? [piece as LinesPiece] : [])),
      ),
      ...(Object.keys(removed).length > 0 && { removed }),
    }),
    omit: (dropped, _cut, reason) =>
      joinRanges(
        dropped.flatMap((piece) => ('range' in piece ? [(piece as LinesPiece).range] : [])),
      ).map((range) => lineOmission(document, range, reason)),
  }
}

const nameOf = ({ start_line, end_line }: LineRange) =>
  start_line === end_line ? `${start_line}` : `${start_line}–${end_line}`

function lineOmission({ path }: Document, range: LineRange, reason: string): Omission {
  return {
    what: `lines ${nameOf(range)}`,
    count: range.end_line - range.start_line + 1,
    reason,
    next: { context_type: TYPE, params: { path, ...range } },
  }
}

/** What is past the most that is read of one file can be had nowhere. */
const unread = ({ encoding, unread: count }: Document): Omission[] =>
  encoding && count > 0 ? [{ what: 'bytes at the end', count, reason: 'file_limit' }] : []
