import { Pool } from 'undici'

export interface UpstreamOptions {
  /** Base of GitHub's REST API, for example `https://api.github.com`. */
  readonly apiUrl: string
  /** Sockets at most. */
  readonly connections: number
  /** Milliseconds until the headers of an answer must be there. */
  readonly timeoutMs: number
}

/** GitHub as this process reaches it: one origin, one pool. */
export interface Upstream {
  readonly pool: Pool
  readonly origin: string
  /** Path before every API path: empty on github.com, `/api/v3` on GitHub Enterprise Server. */
  readonly basePath: string
}

/** Bytes. GitHub's largest JSON answers (trees, pull request files) stay below. */
export const MAX_RESPONSE_BYTES = 32 * 1024 * 1024

/**
 * The one pool through which every call to GitHub goes. undici's own defaults would wait five
 * minutes, read without end, and speak HTTP/2, whose GOAWAY handling has failed calls in flight.
 */
export function createUpstream({ apiUrl, connections, timeoutMs }: UpstreamOptions): Upstream {
  const { origin, pathname } = new URL(apiUrl)
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: 2_000 },
    headersTimeout: timeoutMs,
    bodyTimeout: 15_000,
    keepAliveTimeout: 30_000,
    maxResponseSize: MAX_RESPONSE_BYTES,
  })
  return { pool, origin, basePath: pathname.replace(/\/+$/, '') }
}
