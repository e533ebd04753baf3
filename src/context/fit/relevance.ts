import MiniSearch, { type SearchOptions } from 'minisearch'
import type { Pace } from '../../core/tokens.ts'
import { relatedTo } from './related.ts'
import { stemOf, tellingWords, wordsOf } from './words.ts'

export interface Searchable {
  readonly heading: string
  readonly text: string
}

/** Stems are looked for, which are what was indexed. */
const AS_IT_IS: SearchOptions = {
  tokenize: (whole) => [whole],
  processTerm: (whole) => whole,
}

/**
 * BM25+ scores of texts for what the caller asks; 0 for one that has none of its words, nor of those
 * that may stand for them. A text that has several of the words, or the rare ones, goes before one
 * that has a single one often. Pauses as `pace` says.
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
  const vocabulary = new Set(stems.values())
  const wanted = new Set(tellingWords(query).map(stemOf))
  /** By text, how much of what the words tell is in it. */
  const told = new Array<number>(texts.length).fill(0)
  let tellable = 0
  // Word by word: among many texts one takes some milliseconds.
  for (const word of wanted) {
    const found = new Map<number, { score: number; worth: number }>()
    const look = (term: string, worth: number, options: SearchOptions) => {
      for (const { id, score } of index.search(term, { ...AS_IT_IS, ...options })) {
        const known = found.get(id)
        if (!known || known.score < score * worth) found.set(id, { score: score * worth, worth })
      }
    }
    look(word, 1, {
      prefix: word.length > 3,
      // Another spelling is looked for where nothing has this one.
      fuzzy: !vocabulary.has(word) && word.length > 4 && 0.25,
    })
    for (const [term, worth] of relatedTo(word, vocabulary)) {
      look(term, worth, {})
      await (pace() ?? null)
    }
    await (pace() ?? null)
    if (found.size === 0) continue
    const rarity = Math.log(1 + (texts.length - found.size + 0.5) / (found.size + 0.5))
    tellable += rarity
    for (const [id, { score, worth }] of found) {
      scores[id] = (scores[id] ?? 0) + score
      told[id] = (told[id] ?? 0) + rarity * worth
    }
  }
  return scores.map((score, id) => score * ((told[id] ?? 0) / (tellable || 1)) ** 2)
}
