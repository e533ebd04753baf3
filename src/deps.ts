import type { FastifyBaseLogger } from 'fastify'
import { createContextCache } from './cache/contextCache.ts'
import { createMemoryStore } from './cache/memory.ts'
import { noStore } from './cache/store.ts'
import type { Config } from './config.ts'
import { createAllowedRepos } from './context/allowlist.ts'
import { compileContracts } from './context/contract.ts'
import { createEngine } from './context/engine.ts'
import { providers } from './context/registry.ts'
import { createLocator, webHostOf } from './context/url.ts'
import type { GitHub } from './core/github.ts'
import { createGitHub } from './github/client.ts'
import { anonymous, tokenCredential } from './github/credentials.ts'
import { createRateGate } from './github/gate.ts'
import { createUpstream } from './github/upstream.ts'
import { createHealth } from './health.ts'
import type { AppOptions } from './http/app.ts'
import { createMetrics } from './metrics.ts'
import { NAME, VERSION } from './package.ts'

export interface Deps {
  readonly app: AppOptions
  /** GitHub in the service's own name. */
  readonly github: GitHub
  readonly close: () => Promise<void>
}

/** Builds the concrete parts from the configuration: the only place that knows them all. */
export function createDeps(config: Config, logger: FastifyBaseLogger): Deps {
  const now = Date.now
  const random = Math.random
  const closing = new AbortController()
  const upstream = createUpstream({
    apiUrl: config.GITHUB_API_URL,
    connections: config.GITHUB_CONNECTIONS,
    timeoutMs: config.GITHUB_TIMEOUT_MS,
  })
  const gate = createRateGate(now)
  const memory = createMemoryStore(config.CACHE_MAX_BYTES)
  const metrics = createMetrics({
    pool: () => upstream.pool.stats,
    memory: () => ({ bytes: memory.bytes, entries: memory.entries }),
    budgets: () => gate.budgets(),
  })
  const github = createGitHub({
    upstream,
    gate,
    timeoutMs: config.GITHUB_TIMEOUT_MS,
    userAgent: `${NAME}/${VERSION}`,
    now,
    random,
    onCall: metrics.callDone,
  })
  const cache = createContextCache({
    memory,
    shared: noStore,
    now,
    random,
    closing: closing.signal,
    onRefreshFailure(error) {
      metrics.refreshFailed()
      logger.warn({ err: error }, 'refresh in the background failed')
    },
  })
  const webHost = webHostOf(config.GITHUB_API_URL)
  const contracts = compileContracts(providers)
  const engine = createEngine({
    cache,
    github,
    allowed: createAllowedRepos(config.ALLOWED_REPOS),
    webUrl: `https://${webHost}`,
  })
  const credential = config.GITHUB_TOKEN
    ? tokenCredential(upstream.origin, config.GITHUB_TOKEN)
    : anonymous(upstream.origin)

  return {
    github: github(credential, closing.signal),
    app: {
      name: NAME,
      version: VERSION,
      config,
      rateLimit: { max: config.RATE_LIMIT_MAX, windowMs: config.RATE_LIMIT_WINDOW_MS },
      contracts,
      engine,
      credential,
      locate: createLocator(providers, webHost),
      rateLimitRemaining: (principal) => gate.remaining(principal, 'core'),
      now,
      health: createHealth({ server: NAME, version: VERSION, checks: {} }),
      metrics,
      logger,
    },
    async close() {
      closing.abort()
      await upstream.pool.close()
    },
  }
}
