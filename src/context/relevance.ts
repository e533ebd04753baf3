import MiniSearch from 'minisearch'
import type { Piece } from '../core/provider.ts'

/** BM25+ scores of the pieces for what the caller asks; 0 for a piece that has none of its words. */
export function relevance(pieces: readonly Piece[], query: string): (piece: Piece) => number {
  const index = new MiniSearch({
    fields: ['heading', 'text'],
    searchOptions: {
      prefix: (term) => term.length > 3,
      fuzzy: (term) => (term.length > 5 ? 0.2 : false),
    },
  })
  index.addAll(pieces.map(({ heading, text }, id) => ({ id, heading: heading ?? '', text })))
  const scores = new Map(index.search(query).map(({ id, score }) => [pieces[id as number], score]))
  return (piece) => scores.get(piece) ?? 0
}
