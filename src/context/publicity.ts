import { LRUCache } from 'lru-cache'
import type { Publicity as ForAnswers } from '../cache/fills.ts'
import type { SharedTimes } from '../cache/times.ts'
import type { RepositoryWord } from '../core/provider.ts'
import { accessTagOf, repositoryAccessTag } from './common/tags.ts'

export interface Publicity extends ForAnswers {
  /** What is said to the function that it gives is as of now, the time at which GitHub is asked. */
  listen(): (words: readonly RepositoryWord[]) => void
  /** @param at epoch milliseconds; the latest time at which it is known to have been true */
  heard(word: RepositoryWord, at: number): void
}

/** Epoch milliseconds of the last word of each kind. */
type Words = Record<RepositoryWord['visibility'], number>

/** Milliseconds: as long as an answer may stand in for GitHub. */
const KEPT = 86_400_000
/**
 * Milliseconds by which GitHub's word may be older than the answer it is used for: as long as it is
 * trusted, without a word, that a principal may still read what is private.
 */
const BEFORE = 900_000
/** Milliseconds after which the same word is told to the other replicas again. */
const RENEWED = 60_000
/** Repositories that this process knows of. */
const MOST = 10_000
const NOTHING: Words = { public: -1, private: -1 }

/**
 * GitHub's last word on who may read a repository, whoever it was said to. It lengthens the time for
 * which a principal's own answers stand in for a GitHub that fails, and nothing else: who may have an
 * answer is not decided by it. On doubt a repository is private.
 */
export function createPublicity(shared: SharedTimes | undefined, now: () => number): Publicity {
  const known = new LRUCache<string, Words>({ max: MOST })
  /** What other replicas know, as far as this one told them. */
  const told = new LRUCache<string, Words>({ max: MOST })

  function note(tag: string, kind: keyof Words, at: number): void {
    const words = known.get(tag) ?? NOTHING
    if (words[kind] >= at) return
    known.set(tag, { ...words, [kind]: at })
    const last = told.get(tag) ?? NOTHING
    const isNews = last[kind] <= last[kind === 'public' ? 'private' : 'public']
    if (isNews || last[kind] < at - RENEWED) void tell(tag)
  }

  async function tell(tag: string): Promise<void> {
    const words = known.get(tag)
    if (!shared || !words) return
    told.set(tag, words)
    if (!(await shared.raise(tag, Object.entries(words), KEPT))) told.delete(tag)
  }

  /** Undefined where other replicas cannot be asked. */
  async function sharedWords(tag: string): Promise<Words | undefined> {
    if (!shared) return NOTHING
    // What could not be told when it was heard.
    if (known.has(tag) && !told.has(tag)) await tell(tag)
    const at = await shared.read(tag)
    return at && { public: at.get('public') ?? -1, private: at.get('private') ?? -1 }
  }

  const heard: Publicity['heard'] = ({ owner, repo, visibility }, at) =>
    note(repositoryAccessTag(owner.toLowerCase(), repo.toLowerCase()), visibility, at)

  return {
    heard,
    listen() {
      const at = now()
      return (words) => {
        for (const word of words) heard(word, at)
      }
    },
    lost({ tags }) {
      const tag = accessTagOf(tags)
      if (tag !== undefined) note(tag, 'private', now())
    },
    async permits({ asOf, tags }, needed) {
      const tag = accessTagOf(tags)
      if (tag === undefined) return needed === 'unless_private'
      const others = await sharedWords(tag)
      const own = known.get(tag) ?? NOTHING
      const last = (kind: keyof Words) => Math.max(own[kind], others?.[kind] ?? -1)
      const isPublic = last('public') > last('private')
      if (needed === 'unless_private') return isPublic || last('private') < asOf
      return others !== undefined && isPublic && last('public') >= asOf - BEFORE
    },
  }
}
