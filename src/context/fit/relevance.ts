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
  const matched = new Array<number>(texts.length).fill(0)
  // Word by word: among many texts one takes some milliseconds.
  for (const word of wanted) {
    const found = index.search(word, {
      tokenize: (whole) => [whole],
      processTerm: (whole) => whole,
      prefix: word.length > 3,
      // Another spelling is looked for where nothing has this one.
      fuzzy: !indexed.has(word) && word.length > 4 && 0.25,
    })
    for (const { id, score } of found) {
      scores[id] = (scores[id] ?? 0) + score
      matched[id] = (matched[id] ?? 0) + 1
    }
    await (pace() ?? null)
  }
  return scores.map((score, id) => (score * (matched[id] ?? 0) ** 2) / wanted.size)
}
