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
/** Milliseconds for which a comparison may wait, and bytes of all that wait: more than one answer reads. */
const LATER = 1_000
const MOST_WAITING = 16 * 1024 * 1024
/** Comparisons of one principal that wait: more tell no more, and hold what nobody needs. */
const ENOUGH = 4 * MISMATCHES
/** Bytes that are hashed at once, in 2 ms, and milliseconds from then to the next. */
const STEP = 2 * 1024 * 1024
const PAUSE_OF_STEPS = 1
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
  /** Compares the tag that GitHub sent with the computed one, soon: one that is trusted before costs a 200. */
  compare(principal: string, tag: SentTag): void
}

/** Comparisons wait until somebody must know, or has time: nobody's answer waits for a digest of all its pages. */
export function createTagDrift(now: () => number): TagDrift {
  const drifts = new LRUCache<string, { mismatches: number[]; pausedUntil: number }>({
    max: MOST_PRINCIPALS,
  })
  const waiting: { principal: string; tag: SentTag; at: number }[] = []
  let bytes = 0
  let isTimed = false

  function countOf(principal: string): number {
    let count = 0
    for (const { principal: other } of waiting) if (other === principal) count += 1
    return count
  }

  function compareNext(): void {
    const next = waiting.shift()
    if (!next) return
    const { at, principal, tag } = next
    bytes -= tag.body.length
    if (computeTag(tag.input, tag.body) !== opaque(tag.sent)) note(principal, at)
  }

  function compareSome(): void {
    const enough = bytes - STEP
    while (waiting.length > 0 && bytes > enough) compareNext()
  }

  function compareLater(milliseconds: number): void {
    if (isTimed) return
    isTimed = true
    setTimeout(() => {
      isTimed = false
      compareSome()
      if (waiting.length > 0) compareLater(PAUSE_OF_STEPS)
    }, milliseconds).unref()
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
      compareSome()
      return (drifts.get(principal)?.pausedUntil ?? 0) <= now()
    },
    compare(principal, tag) {
      if (countOf(principal) >= ENOUGH) return
      waiting.push({ principal, tag, at: now() })
      bytes += tag.body.length
      while (bytes > MOST_WAITING) compareNext()
      compareLater(LATER)
    },
  }
}

/** A tag without its quotes and its mark of weakness. */
export function opaque(tag: string): string {
  return tag.replace(/^W\//, '').replaceAll('"', '')
}
