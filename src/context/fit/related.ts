/** Words that may stand for another: by meaning, and as parts of each other. */
import { stemOf } from './words.ts'

/** What a text says in such a word counts for less than in the one that was asked for. */
const BY_MEANING = 0.4
const BY_PART = 0.5
/** Characters below which a part says nothing of the whole. */
const SHORTEST_PART = 4
/** Of the longer word, what the shorter must make up. */
const LEAST_SHARE = 0.5
/** Words looked for in place of one, at most. */
const MOST = 12

/** What people who report and write software use for each other: a group a line. */
const SYNONYMS = `
  error exception failure fault crash panic
  delete remove erase purge
  slow performance latency lag
  configuration settings options preferences
  login signin logon
  logout signout logoff
  hang freeze stuck
  upgrade update
  deprecate obsolete sunset
  create add insert
  fix repair resolve
  bug defect problem
  workaround mitigation
  documentation manual guide
  start launch boot
  stop shutdown terminate kill quit exit
  image picture photo
  email mail
  folder directory
  flaky intermittent unstable
  permission access authorization privilege
  memory heap
  rollback revert undo
  dependency library package module
  concurrent parallel simultaneous
  allow permit enable
  forbid deny refuse reject disable
  broken corrupt damaged
  encrypt cipher
  test spec
`

const groups = new Map<string, ReadonlySet<string>>(
  SYNONYMS.trim()
    .split('\n')
    .flatMap((line) => {
      const stems = new Set(line.trim().split(' ').map(stemOf))
      return [...stems].map((stem) => [stem, stems] as const)
    }),
)

/**
 * Of the words of some texts those that may stand for `word`, each with what it is worth from 0 to 1;
 * all of them stems, `word` itself not among them.
 */
export function relatedTo(word: string, vocabulary: ReadonlySet<string>): Map<string, number> {
  const related = new Map<string, number>()
  for (const synonym of groups.get(word) ?? []) {
    if (synonym !== word && vocabulary.has(synonym)) related.set(synonym, BY_MEANING)
  }
  for (const term of vocabulary) {
    if (related.size >= MOST) break
    const share = Math.min(term.length, word.length) / Math.max(term.length, word.length)
    if (share >= LEAST_SHARE && share < 1 && arePartOfEachOther(term, word)) {
      related.set(term, BY_PART * share)
    }
  }
  return related
}

/** `startup` and `start`, `redeploy` and `deploy`; what only goes on longer is looked for as a beginning. */
function arePartOfEachOther(term: string, word: string): boolean {
  const [short, long] = term.length < word.length ? [term, word] : [word, term]
  if (short.length < SHORTEST_PART) return false
  return long.endsWith(short) || (long === word && long.startsWith(short))
}
