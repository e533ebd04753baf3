import type { FastifyBaseLogger } from 'fastify'
import { createContextCache } from './cache/contextCache.ts'
import { createInvalidations } from './cache/invalidations.ts'
import { createLeases, noLeases } from './cache/leases.ts'
import { createMemoryStore } from './cache/memory.ts'
import { createRedisStore } from './cache/redisStore.ts'
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
import { createSharedResources } from './github/redisResources.ts'
import { createMemoryResources } from './github/resources.ts'
import { createUpstream } from './github/upstream.ts'
import { createTagDrift } from './github/validators.ts'
import { type Check, createHealth } from './health.ts'
import type { AppOptions } from './http/app.ts'
import { rateLimitStore } from './http/rateLimitStore.ts'
import { createMetrics } from './metrics.ts'
import { NAME, VERSION } from './package.ts'
import { createRedisService, type RedisService } from './redis/redis.ts'

/** Of the bytes for memory, what answers get; the rest keeps GitHub's bodies for revalidation. */
const ANSWERS_SHARE = 0.75
/** Milliseconds that the start waits for Redis. */
const REDIS_PATIENCE = 1_000

export interface Deps {
  readonly app: AppOptions
  /** GitHub in the service's own name. */
  readonly github: GitHub
  readonly close: () => Promise<void>
}

/** Builds the concrete parts from the configuration: the only place that knows them all. */
export async function createDeps(config: Config, logger: FastifyBaseLogger): Promise<Deps> {
  const random = Math.random
  const closing = new AbortController()
  const redis = await connect(config, logger)
  const now = redis?.now ?? Date.now

  const upstream = createUpstream({
    apiUrl: config.GITHUB_API_URL,
    connections: config.GITHUB_CONNECTIONS,
    timeoutMs: config.GITHUB_TIMEOUT_MS,
  })
  const gate = createRateGate(now)
  const memory = createMemoryStore(config.CACHE_MAX_BYTES * ANSWERS_SHARE)
  const ownResources = createMemoryResources(config.CACHE_MAX_BYTES * (1 - ANSWERS_SHARE))
  const resources = redis ? createSharedResources(ownResources, redis.commands) : ownResources
  const metrics = createMetrics({
    pool: () => upstream.pool.stats,
    memory: () => ({ bytes: memory.bytes + ownResources.bytes, entries: memory.entries }),
    budgets: () => gate.budgets(),
    redis: () => redis?.commands.available,
  })
  const github = createGitHub({
    upstream,
    gate,
    conditions: { resources, drift: createTagDrift(now) },
    timeoutMs: config.GITHUB_TIMEOUT_MS,
    userAgent: `${NAME}/${VERSION}`,
    now,
    random,
    onCall: metrics.callDone,
  })
  const cache = createContextCache({
    memory,
    shared: redis ? createRedisStore(redis.commands, now) : noStore,
    leases: redis ? createLeases(redis.commands, redis.bus) : noLeases,
    invalidations: createInvalidations({
      now,
      shared: redis && { redis: redis.commands, bus: redis.bus },
    }),
    now,
    random,
    closing: closing.signal,
    onRefreshFailure(error) {
      metrics.refreshFailed()
      logger.warn({ err: error }, 'refresh in the background failed')
    },
  })
  const webHost = webHostOf(config.GITHUB_API_URL)
  const credential = config.GITHUB_TOKEN
    ? tokenCredential(upstream.origin, config.GITHUB_TOKEN)
    : anonymous(upstream.origin)

  return {
    github: github({ credential, signal: closing.signal, urgency: 'interactive' }),
    app: {
      name: NAME,
      version: VERSION,
      config,
      rateLimit: {
        max: config.RATE_LIMIT_MAX,
        windowMs: config.RATE_LIMIT_WINDOW_MS,
        store: rateLimitStore(redis?.commands, now),
      },
      contracts: compileContracts(providers),
      engine: createEngine({
        cache,
        github,
        allowed: createAllowedRepos(config.ALLOWED_REPOS),
        webUrl: `https://${webHost}`,
      }),
      credential,
      locate: createLocator(providers, webHost),
      rateLimitRemaining: (principal) => gate.remaining(principal, 'core'),
      now,
      health: createHealth({
        server: NAME,
        version: VERSION,
        checks: { redis: () => redisCheck(redis) },
      }),
      metrics,
      logger,
    },
    async close() {
      closing.abort()
      gate.close()
      await upstream.pool.close()
      redis?.close()
    },
  }
}

async function connect(
  config: Config,
  logger: FastifyBaseLogger,
): Promise<RedisService | undefined> {
  if (!config.REDIS_URL) return undefined
  const redis = createRedisService({
    url: config.REDIS_URL,
    now: Date.now,
    onChange: (available) =>
      logger.warn(available ? 'Redis is back' : 'Redis is left alone until it answers again'),
  })
  await redis.ready(REDIS_PATIENCE)
  return redis
}

function redisCheck(redis: RedisService | undefined): Check {
  if (!redis)
    return { status: 'off', detail: 'REDIS_URL is not set: the cache is in this process only' }
  return redis.commands.available
    ? { status: 'ok' }
    : { status: 'degraded', detail: 'Redis does not answer: the cache is in this process only' }
}
