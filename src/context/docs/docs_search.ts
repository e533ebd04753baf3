import { Type } from '@sinclair/typebox'
import { defineProvider, type Piece, type Provider } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { blockFields, type Omission, type Removed } from '../../core/schemas.ts'
import { facts, lines } from '../common/render.ts'
import type { LineRange } from '../file/lines.ts'
import { DocsPath, segmentsOf } from './paths.ts'
import type { Passage, Sections, Unindexed } from './sections.ts'

const TYPE = 'docs_search'

/** A passage that was found, as it stands in the content. */
interface Hit extends Piece {
  readonly passage: Passage
}

/** @param q of the example */
export function docsSearch(index: Sections, q: string): Provider {
  return defineProvider({
    type: TYPE,
    blockType: TYPE,
    title: 'Search of documents',
    description:
      "Sections of the service's own documents that have the words, best first, with their lines.",
    uri: 'docs://search/{q}',
    params: Type.Object(
      {
        q: Type.String({ minLength: 1, maxLength: 300, description: 'Words to look for' }),
        path: Type.Optional({
          ...DocsPath,
          description: 'Only what is in this folder or document',
        }),
        limit: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 50, default: 10, description: 'Sections at most' }),
        ),
        offset: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: 100_000,
            default: 0,
            description: 'Sections to skip; take it from `omitted[].next`',
          }),
        ),
      },
      { additionalProperties: false },
    ),
    block: Type.Object({
      ...blockFields,
      q: Type.String(),
      found: Type.Integer({ description: 'Sections that have the words' }),
      sections: Type.Array(
        Type.Object({
          path: Type.String(),
          headings: Type.Array(Type.String(), { description: 'The outermost first' }),
          start_line: Type.Integer(),
          end_line: Type.Integer(),
          text: Type.String(),
          next: Type.Unknown({ description: 'The request for all of the section' }),
        }),
      ),
    }),
    example: { q },
    data: 'own',
    cache: { freshFor: 300, staleFor: 3_600, keepFor: 86_400 },
    tags: () => ['docs'],
    version: () => index.version(),
    async fetch(params) {
      const { q, path, limit = 10, offset = 0 } = params
      const within = segmentsOf(path ?? '').join('/')
      const { count, passages, unindexed } = await index.search({ words: q, within, offset, limit })
      const hits = passages.map(hitOf)
      const rest = count - offset - hits.length
      const next = {
        context_type: TYPE,
        params: { ...params, offset: offset + hits.length },
      }
      const removed = removedFrom(hits)
      return {
        visibility: 'private',
        omitted: [
          ...(rest > 0 && hits.length > 0
            ? [{ what: 'sections', count: rest, reason: 'limit', next }]
            : []),
          ...unindexedParts(unindexed),
        ],
        blocks: [
          {
            id: `${TYPE}:${within}?${q}`,
            title: `Sections on ${JSON.stringify(q)}`,
            url: `docs://search/${encodeURIComponent(q)}`,
            head: lines(
              `# Sections of the documents on ${JSON.stringify(q)}`,
              facts({ Found: count, In: within && JSON.stringify(within) }),
            ),
            by: 'service',
            pieces: hits,
            fields: (kept) => ({
              q,
              found: count,
              sections: kept.map(({ piece }) => sectionOf(piece as Hit)),
              ...(removed && { removed }),
            }),
            omit: (dropped, _cut, reason) =>
              dropped.map((piece) => {
                const { passage } = piece as Hit
                return {
                  what: 'sections',
                  count: 1,
                  reason,
                  next: pageRequest(passage, passage.piece.range),
                }
              }),
          },
        ],
      }
    },
  })
}

function hitOf(passage: Passage, rank: number): Hit {
  const { document, headings, piece } = passage
  const { start_line, end_line } = piece.range
  const place = `${document.path}, lines ${start_line}–${end_line}`
  return {
    ...piece,
    part: 'sections',
    heading: `## ${oneLine([place, headings.join(' › ')].filter(Boolean).join(': '))}`,
    rank,
    passage,
  }
}

function sectionOf({ passage }: Hit) {
  const { document, headings, piece, section } = passage
  return {
    path: document.path,
    headings,
    ...piece.range,
    text: piece.plain,
    next: pageRequest(passage, section),
  }
}

const pageRequest = ({ document }: Passage, range: LineRange) => ({
  context_type: 'docs_page',
  params: { path: document.path, ...range },
})

/** What was removed from the documents that the hits are from. */
function removedFrom(hits: readonly Hit[]): Removed | undefined {
  const documents = new Map(hits.map(({ passage: { document } }) => [document.path, document]))
  const sum: Record<string, number> = {}
  for (const { removed } of documents.values()) {
    for (const [kind, count] of Object.entries(removed)) sum[kind] = (sum[kind] ?? 0) + count
  }
  return Object.keys(sum).length > 0 ? sum : undefined
}

function unindexedParts({ documents, started, unreadable }: Unindexed): Omission[] {
  const part = (what: string, count: number | undefined, reason: string) =>
    count === 0 ? [] : [{ what, ...(count && { count }), reason }]
  return [
    ...part('documents', documents, 'index_limit'),
    ...part('ends of long documents', started, 'index_limit'),
    ...part('documents that are no text or cannot be read', unreadable, 'not_readable'),
  ]
}
