import { Agent, Pool } from 'undici'
import { createStoreRule, type StoreRule } from './stores.ts'

export interface UpstreamOptions {
  /** Base of GitHub's REST API, for example `https://api.github.com`. */
  readonly apiUrl: string
  /** Sockets at most. */
  readonly connections: number
  /** Milliseconds until the headers of an answer must be there. */
  readonly timeoutMs: number
  /** Hosts of stores besides GitHub's own: `host`, `host:port`, `*.host`. */
  readonly downloadHosts?: readonly string[]
}

/** GitHub as this process reaches it: one origin, one pool. */
export interface Upstream {
  readonly pool: Pool
  readonly origin: string
  /** Path before every API path: empty on github.com, `/api/v3` on GitHub Enterprise Server. */
  readonly basePath: string
  /** Other hosts, where GitHub keeps files. No credential ever goes there. */
  readonly stores: { readonly agent: Agent; readonly permits: StoreRule }
  close(): Promise<void>
}

/** Bytes. GitHub's largest JSON answers (trees, pull request files) stay below. */
export const MAX_RESPONSE_BYTES = 32 * 1024 * 1024

/** Sockets to one store at most. */
const STORE_CONNECTIONS = 8

/**
 * The one pool through which every call to GitHub goes. undici's own defaults would wait five
 * minutes, read without end, and speak HTTP/2, whose GOAWAY handling has failed calls in flight.
 */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { apiUrl, connections, downloadHosts = [], timeoutMs } = options
  const { origin, pathname } = new URL(apiUrl)
  const patience = {
    pipelining: 1,
    allowH2: false,
    connect: { timeout: 2_000 },
    headersTimeout: timeoutMs,
    bodyTimeout: 15_000,
    keepAliveTimeout: 30_000,
  }
  const pool = new Pool(origin, {
    ...patience,
    connections,
    maxResponseSize: MAX_RESPONSE_BYTES,
  })
  // Reads no more of a file than is wanted, and says itself when that is enough.
  const agent = new Agent({ ...patience, connections: STORE_CONNECTIONS })
  return {
    pool,
    origin,
    basePath: pathname.replace(/\/+$/, ''),
    stores: { agent, permits: createStoreRule(apiUrl, downloadHosts) },
    async close() {
      await Promise.all([pool.close(), agent.close()])
    },
  }
}
