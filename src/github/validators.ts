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
/** Milliseconds for which a comparison may wait, and bytes of all that wait: as many are hashed in 2 ms. */
const LATER = 1_000
const MOST_WAITING = 2 * 1024 * 1024
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

/** A tag that GitHub sent, and what it would be by the recipe. */
export interface SentTag {
  readonly sent: string
  readonly input: TagInput
  readonly body: Buffer
}

/** Tells for each principal whether GitHub still makes its tags by the recipe. */
export interface TagDrift {
  /** Whether to trust computed tags now. */
  trusted(principal: string): boolean
  /** Compares the tag that GitHub sent with the computed one, before the next tag may be trusted. */
  compare(principal: string, tag: SentTag): void
}

/** Comparisons wait until somebody must know, or has time: nobody's answer waits for a digest of all its pages. */
export function createTagDrift(now: () => number): TagDrift {
  const drifts = new LRUCache<string, { mismatches: number[]; pausedUntil: number }>({
    max: MOST_PRINCIPALS,
  })
  const waiting: { principal: string; tag: SentTag; at: number }[] = []
  let bytes = 0
  let timer: NodeJS.Timeout | undefined

  function compareAll(): void {
    clearTimeout(timer)
    timer = undefined
    bytes = 0
    for (const { at, principal, tag } of waiting.splice(0)) {
      if (computeTag(tag.input, tag.body) !== opaque(tag.sent)) note(principal, at)
    }
  }

  function note(principal: string, at: number): void {
    const drift = drifts.get(principal) ?? { mismatches: [], pausedUntil: 0 }
    // What differs during the pause is no news, and must not put off the end of it.
    if (drift.pausedUntil > at) return
    drifts.set(principal, drift)
    drift.mismatches = [...drift.mismatches.filter((other) => other > at - WINDOW), at]
    if (drift.mismatches.length < MISMATCHES) return
    drift.mismatches = []
    drift.pausedUntil = at + PAUSE
  }

  return {
    trusted(principal) {
      if (waiting.length > 0) compareAll()
      return (drifts.get(principal)?.pausedUntil ?? 0) <= now()
    },
    compare(principal, tag) {
      waiting.push({ principal, tag, at: now() })
      bytes += tag.body.length
      if (bytes > MOST_WAITING) compareAll()
      else timer ??= setTimeout(compareAll, LATER).unref()
    },
  }
}

/** A tag without its quotes and its mark of weakness. */
export function opaque(tag: string): string {
  return tag.replace(/^W\//, '').replaceAll('"', '')
}
