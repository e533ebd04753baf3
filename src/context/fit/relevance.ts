import MiniSearch from 'minisearch'
import type { Pace } from '../../core/tokens.ts'
import { stemOf, tellingWords, wordsOf } from './words.ts'

export interface Searchable {
  readonly heading: string
  readonly text: string
}

/**
 * BM25+ scores of texts for what the caller asks; 0 for one that has none of its words. A text that
 * has several of the words goes before one that has a single one often. Pauses as `pace` says.
 */
export async function relevance(
  texts: readonly Searchable[],
  query: string,
  pace: Pace,
): Promise<readonly number[]> {
  const scores = new Array<number>(texts.length).fill(0)
  const stems = new Map<string, string>()
  const stem = (word: string) => {
    const known = stems.get(word) ?? stemOf(word)
    stems.set(word, known)
    return known
  }
  const index = new MiniSearch({
    fields: ['heading', 'text'],
    tokenize: wordsOf,
    processTerm: stem,
  })
  for (const [id, { heading, text }] of texts.entries()) {
    index.add({ id, heading, text })
    await (pace() ?? null)
  }
  const indexed = new Set(stems.values())
  const wanted = new Set(tellingWords(query).map(stemOf))
  const found = index.search([...wanted].join(' '), {
    tokenize: (words) => words.split(' '),
    processTerm: (word) => word,
    prefix: (word) => word.length > 3,
    // Another spelling is looked for where nothing has this one.
    fuzzy: (word) => !indexed.has(word) && word.length > 4 && 0.25,
  })
  for (const { id, queryTerms, score } of found) {
    scores[id as number] = score * (queryTerms.length / wanted.size)
  }
  return scores
}
