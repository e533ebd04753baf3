import { LRUCache } from 'lru-cache'
import MiniSearch from 'minisearch'
import { createPace } from '../../core/tokens.ts'
import { labelOf, textOf } from '../items/item.ts'
import type { KeptItem } from '../state.ts'

/** Characters of an item that are searched: what it is about is said at its start. */
const SEARCHED = 16_384
/** Characters of all indexes that are kept. */
const MOST_KEPT = 32 * 1024 * 1024

/** How much each item has to do with what the user says. */
export interface Ranker {
  /** BM25+ scores by key; an item without any of the words has none. */
  rank(
    session: string,
    items: Iterable<KeptItem>,
    query: string,
  ): Promise<ReadonlyMap<string, number>>
}

interface Index {
  readonly search: MiniSearch
  /** What is in it, by key. */
  readonly texts: Map<string, string>
}

/**
 * Ranks as the context types do. An index is kept from turn to turn, as most items stay what they
 * are; only one turn of a session may run at a time.
 */
export function createRanker(): Ranker {
  const indexes = new LRUCache<string, Index>({
    maxSize: MOST_KEPT,
    sizeCalculation: ({ texts }) =>
      [...texts.values()].reduce((size, text) => size + text.length, 1),
  })
  return {
    async rank(session, items, query) {
      const index = indexes.get(session) ?? { search: createSearch(), texts: new Map() }
      // While it is being changed nobody else may find it.
      indexes.delete(session)
      await update(index, items)
      indexes.set(session, index)
      return new Map(index.search.search(query).map(({ id, score }) => [id as string, score]))
    },
  }
}

function createSearch(): MiniSearch {
  return new MiniSearch({
    idField: 'key',
    fields: ['heading', 'text'],
    searchOptions: {
      prefix: (term) => term.length > 3,
      fuzzy: (term) => (term.length > 5 ? 0.2 : false),
    },
  })
}

async function update({ search, texts }: Index, items: Iterable<KeptItem>): Promise<void> {
  const pace = createPace()
  const present = new Set<string>()
  for (const { key, item } of items) {
    present.add(key)
    const text = textOf(item).slice(0, SEARCHED)
    if (texts.get(key) === text) continue
    if (texts.has(key)) search.discard(key)
    search.add({ key, heading: labelOf(item), text })
    texts.set(key, text)
    await (pace() ?? null)
  }
  for (const key of texts.keys()) {
    if (present.has(key)) continue
    search.discard(key)
    texts.delete(key)
  }
}
