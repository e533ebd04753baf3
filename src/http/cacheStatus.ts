import type { Cached } from '../cache/request.ts'

const NAME = 'github-context-service'

/** The `Cache-Status` of an answer (RFC 9211). */
export function cacheStatus({ entry, outcome, failure }: Cached, now: number): string {
  const { freshUntil, told = 0 } = entry
  const longer = freshUntil + told
  const ttl = Math.floor(((outcome === 'stale' && now < longer ? freshUntil : longer) - now) / 1000)
  switch (outcome) {
    case 'hit':
    case 'hit_shared':
    case 'stale':
      return `${NAME}; hit; ttl=${ttl}`
    case 'miss':
      return `${NAME}; fwd=uri-miss; stored`
    case 'collapsed':
      return `${NAME}; fwd=uri-miss; collapsed`
    case 'revalidated':
      return `${NAME}; fwd=stale; fwd-status=304`
    case 'requested':
      return `${NAME}; fwd=request; stored`
    case 'stale_if_error':
      return `${NAME}; fwd=stale; fwd-status=${failure?.upstreamStatus ?? failure?.statusCode}; detail=stale-if-error`
  }
}

/** `Age` in seconds (RFC 9111, section 5.1). */
export function ageOf({ entry }: Cached, now: number): number {
  return Math.max(0, Math.floor((now - entry.asOf) / 1000))
}
