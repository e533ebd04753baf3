import MiniSearch from 'minisearch'

export interface Searchable {
  readonly heading: string
  readonly text: string
}

/** Texts indexed before other work gets a turn. */
const CHUNK = 50

/** BM25+ scores of texts for what the caller asks; 0 for one that has none of its words. */
export async function relevance(
  texts: readonly Searchable[],
  query: string,
): Promise<readonly number[]> {
  const index = new MiniSearch({
    fields: ['heading', 'text'],
    searchOptions: {
      prefix: (term) => term.length > 3,
      fuzzy: (term) => (term.length > 5 ? 0.2 : false),
    },
  })
  await index.addAllAsync(
    texts.map((text, id) => ({ id, ...text })),
    { chunkSize: CHUNK },
  )
  const scores = new Array<number>(texts.length).fill(0)
  for (const { id, score } of index.search(query)) scores[id as number] = score
  return scores
}
