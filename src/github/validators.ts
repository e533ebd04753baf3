import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** What of a request goes into GitHub's ETag. */
export interface TagInput {
  readonly accept: string
  readonly authorization: string | undefined
}

/** Mismatches within `WINDOW` milliseconds after which the recipe is given up for `PAUSE` milliseconds. */
const MISMATCHES = 10
const WINDOW = 60_000
const PAUSE = 3_600_000
/** Principals with mismatches that are remembered. */
const MOST_PRINCIPALS = 10_000

/**
 * The entity tag that GitHub gives to a body: SHA-256 over each header that is present, followed by
 * a colon, and the uncompressed body. Found by github.com/bored-engineer/github-conditional-http-transport;
 * undocumented, so only cost may depend on it: a wrong tag gives a 200.
 */
export function computeTag({ accept, authorization }: TagInput, body: Buffer): string {
  const hash = createHash('sha256').update(`${accept}:`)
  if (authorization !== undefined) hash.update(`${authorization}:`)
  return hash.update(body).digest('hex')
}

/** Tells for each principal whether GitHub still makes its tags by the recipe. */
export interface TagDrift {
  /** Whether to trust computed tags now. */
  trusted(principal: string): boolean
  /** Compares a computed tag with the one that GitHub sent. */
  compare(principal: string, computed: string, sent: string): void
}

export function createTagDrift(now: () => number): TagDrift {
  const drifts = new LRUCache<string, { mismatches: number[]; pausedUntil: number }>({
    max: MOST_PRINCIPALS,
  })
  const trusted = (principal: string) => (drifts.get(principal)?.pausedUntil ?? 0) <= now()
  return {
    trusted,
    compare(principal, computed, sent) {
      // What differs during the pause is no news, and must not put off the end of it.
      if (computed === opaque(sent) || !trusted(principal)) return
      const drift = drifts.get(principal) ?? { mismatches: [], pausedUntil: 0 }
      drifts.set(principal, drift)
      drift.mismatches = [...drift.mismatches.filter((at) => at > now() - WINDOW), now()]
      if (drift.mismatches.length < MISMATCHES) return
      drift.mismatches = []
      drift.pausedUntil = now() + PAUSE
    },
  }
}

/** A tag without its quotes and its mark of weakness. */
export function opaque(tag: string): string {
  return tag.replace(/^W\//, '').replaceAll('"', '')
}
