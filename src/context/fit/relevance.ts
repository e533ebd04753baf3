import type { Pace } from '../../core/tokens.ts'
import { relatedTo } from './related.ts'
import { createWordIndex } from './wordIndex.ts'
import { stemOf, tellingWords, wordsOf } from './words.ts'

export interface Searchable {
  readonly heading: string
  readonly text: string
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
  const scores = new Float64Array(texts.length)
  const index = createWordIndex(2, rememberingStems())
  for (const { heading, text } of texts) {
    index.add([wordsOf(heading), wordsOf(text)])
    await (pace() ?? null)
  }
  const { vocabulary } = index
  const wanted = new Set(tellingWords(query).map(stemOf))
  /** By text, how much of what the words tell is in it. */
  const told = new Float64Array(texts.length)
  let tellable = 0
  // Word by word: among many texts one takes some milliseconds.
  for (const word of wanted) {
    const best = index.scoresOf(word, {
      prefix: word.length > 3,
      // Another spelling is looked for where nothing has this one.
      ...(!vocabulary.has(word) && word.length > 4 && { fuzzy: 0.25 }),
    })
    const worths = best.map((score) => (score > 0 ? 1 : 0))
    for (const [term, worth] of relatedTo(word, vocabulary)) {
      for (const [id, score] of index.scoresOf(term).entries()) {
        if (score * worth <= (best[id] as number)) continue
        best[id] = score * worth
        worths[id] = worth
      }
      await (pace() ?? null)
    }
    await (pace() ?? null)
    const found = best.reduce((count, score) => count + (score > 0 ? 1 : 0), 0)
    if (found === 0) continue
    const rarity = Math.log(1 + (texts.length - found + 0.5) / (found + 0.5))
    tellable += rarity
    for (let id = 0; id < texts.length; id += 1) {
      scores[id] = (scores[id] as number) + (best[id] as number)
      told[id] = (told[id] as number) + rarity * (worths[id] as number)
    }
  }
  return Array.from(scores, (score, id) => score * ((told[id] as number) / (tellable || 1)) ** 2)
}

/** Words come again and again. */
function rememberingStems(): (word: string) => string {
  const stems = new Map<string, string>()
  return (word) => {
    const known = stems.get(word) ?? stemOf(word)
    stems.set(word, known)
    return known
  }
}
