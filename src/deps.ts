import type { FastifyBaseLogger } from 'fastify'
import { createContextCache } from './cache/contextCache.ts'
import { createInvalidations, type Invalidations } from './cache/invalidations.ts'
import { createLeases, noLeases } from './cache/leases.ts'
import { createMemoryStore } from './cache/memory.ts'
import { createPastAnswers } from './cache/past.ts'
import { createRedisStore } from './cache/redisStore.ts'
import { noStore } from './cache/store.ts'
import { withMetricsOfAll } from './cluster/metrics.ts'
import { type Config, isLoopback } from './config.ts'
import { createAllowedRepos } from './context/allowlist.ts'
import { compileContracts } from './context/contract.ts'
import { createEngine } from './context/engine.ts'
import { createIssueWrites } from './context/issueWrites.ts'
import { ownerAccessTag } from './context/tags.ts'
import { createLocator, webHostOf } from './context/url.ts'
import type { Marks } from './context/webhookMarks.ts'
import { createGitHubApp, type GitHubApp } from './github/app.ts'
import { createRateGate } from './github/budget/gate.ts'
import { isLimited } from './github/budget/limits.ts'
import { createLocalLedger } from './github/budget/local.ts'
import { createSharedLedger } from './github/budget/shared.ts'
import type { CallOptions } from './github/call.ts'
import { createGitHub } from './github/client.ts'
import { createCredentialFor } from './github/credentialFor.ts'
import { createSharedResources } from './github/redisResources.ts'
import { createMemoryResources } from './github/resources.ts'
import { createUpstream } from './github/upstream.ts'
import { createTagDrift } from './github/validators.ts'
import { createWriteGitHub } from './github/write.ts'
import { type Check, createHealth } from './health.ts'
import { createAccessTokens } from './http/accessTokens.ts'
import type { AppOptions } from './http/app.ts'
import { createCallerLimit } from './http/callerLimit.ts'
import { createDeliveries } from './http/deliveries.ts'

import { createDoor, type DoorOptions } from './mcp/door.ts'
import type { McpServer } from './mcp/protocol/server.ts'
import { createMetrics } from './metrics.ts'
import { createModels } from './models/registry.ts'
import { NAME, VERSION } from './package.ts'
import { providersOf } from './providers.ts'
import { connectPatient } from './redis/connection.ts'
import { patientRedis } from './redis/patient.ts'
import { createRedisService, type RedisService } from './redis/redis.ts'
import { createSessions } from './sessions/sessions.ts'
import { createRedisSessions, redisProblem } from './sessions/store/redisStore.ts'
import { createSqliteFile } from './sessions/store/sqliteFile.ts'
import { createSqliteSessions } from './sessions/store/sqliteStore.ts'
import { LIMITS, type SessionStore } from './sessions/store/store.ts'
import { createRanker } from './sessions/turn/rank.ts'

/** Of the bytes for memory, what answers get; the rest keeps GitHub's bodies for revalidation. */
const ANSWERS_SHARE = 0.7
/** What answers of the last day get, for callers that ask what is new. */
const PAST_SHARE = 0.05
/** Milliseconds that the start waits for Redis. */
const REDIS_PATIENCE = 1_000

export interface Deps {
  readonly app: AppOptions
  /** The tools on a connection of its own, until `ending`. */
  readonly mcpByLines: (ending: AbortSignal) => McpServer
  /** Asks GitHub for something free in the service's own name. @throws ServiceError as GitHub answers */
  readonly askGitHub: () => Promise<unknown>
  readonly close: () => Promise<void>
}

/** Builds the concrete parts from the configuration: the only place that knows them all. */
export async function createDeps(config: Config, logger: FastifyBaseLogger): Promise<Deps> {
  const providers = await providersOf(config, logger)
  const random = Math.random
  const closing = new AbortController()
  const redis = await connect(config, logger)
  const now = redis?.now ?? Date.now

  const upstream = createUpstream({
    apiUrl: config.GITHUB_API_URL,
    connections: config.GITHUB_CONNECTIONS,
    timeoutMs: config.GITHUB_TIMEOUT_MS,
    downloadHosts: config.GITHUB_DOWNLOAD_HOSTS,
  })
  const limits = {
    maxConcurrent: config.GITHUB_MAX_CONCURRENT,
    pointsPerMinute: config.GITHUB_POINTS_PER_MINUTE,
  }
  const gate = createRateGate({
    now,
    enforced: isLimited(config.GITHUB_API_URL, config.GITHUB_BUDGET),
    ledger: redis
      ? createSharedLedger({ redis: redis.commands, bus: redis.bus, limits, now })
      : createLocalLedger({ limits, now }),
  })
  const bytes = (share: number) => Math.max(1, Math.floor(config.CACHE_MAX_BYTES * share))
  const memory = createMemoryStore(bytes(ANSWERS_SHARE))
  const ownResources = createMemoryResources(bytes(1 - ANSWERS_SHARE - PAST_SHARE))
  const resources = redis ? createSharedResources(ownResources, redis.commands) : ownResources
  const sessionStore = sessionStoreOf(config, now)
  const ownMetrics = createMetrics({
    sessions: () => sessionStore.count(),
    pool: () => upstream.pool.stats,
    memory: () => ({ bytes: memory.bytes + ownResources.bytes, entries: memory.entries }),
    budgets: () => gate.budgets(),
    redis: () => redis?.commands.available,
  })
  const metrics = config.WORKERS > 1 ? withMetricsOfAll(ownMetrics) : ownMetrics
  const calls: CallOptions = {
    upstream,
    gate,
    userAgent: `${NAME}/${VERSION}`,
    now,
    onCall: metrics.callDone,
  }
  const models = createModels(config, {
    userAgent: calls.userAgent,
    now: Date.now,
    random,
    onReply: metrics.replyDone,
  })
  const github = createGitHub({
    ...calls,
    conditions: { resources, drift: createTagDrift(now) },
    timeoutMs: config.GITHUB_TIMEOUT_MS,
    random,
  })
  const invalidations = createInvalidations({
    now,
    shared: redis && { redis: redis.commands, bus: redis.bus },
  })
  const cache = createContextCache({
    memory,
    shared: redis ? createRedisStore(redis.commands, now) : noStore,
    leases: redis ? createLeases(redis.commands, redis.bus) : noLeases,
    invalidations,
    now,
    random,
    closing: closing.signal,
    onRefreshFailure(error) {
      metrics.refreshFailed()
      logger.warn({ err: error }, 'refresh in the background failed')
    },
  })
  const webHost = webHostOf(config.GITHUB_API_URL)
  const gitHubApp = appOf(config, calls, closing.signal, invalidations)
  const credentialFor = createCredentialFor({
    host: upstream.origin,
    token: config.GITHUB_TOKEN,
    app: gitHubApp,
    callerTokens: config.ALLOW_CALLER_TOKENS,
  })

  const contracts = compileContracts(providers)
  const locate = createLocator(providers, webHost)
  const allowed = createAllowedRepos(config.ALLOWED_REPOS)
  const engine = createEngine({
    cache,
    github,
    credentialFor,
    allowed,
    webUrl: `https://${webHost}`,
    past: createPastAnswers(bytes(PAST_SHARE), redis?.commands, now),
  })
  const sessions = createSessions({
    store: sessionStore,
    limits: LIMITS,
    engine,
    contracts,
    models,
    ranker: createRanker(),
    promptTokens: config.SESSION_PROMPT_TOKENS,
    running: new Set(),
    verdict: invalidations.verdict,
    onTurn: metrics.turnDone,
    now,
    onFailure: (error) => logger.error({ err: error }, 'an item of a session was not looked at'),
  })
  const health = createHealth({
    server: NAME,
    version: VERSION,
    checks: { redis: () => redisCheck(redis), sessions: () => sessionCheck(sessionStore) },
  })
  const door: Omit<DoorOptions, 'ending' | 'connected'> = {
    info: { name: NAME, version: VERSION },
    contracts,
    engine,
    locate,
    now,
    ownAccount: config.GITHUB_TOKEN !== undefined,
    toolsets: config.MCP_TOOLSETS,
    watch: invalidations.watch,
    writes: config.ENABLE_WRITES
      ? createIssueWrites({
          allowed,
          credentialFor,
          invalidations,
          write: createWriteGitHub({ ...calls, timeoutMs: config.GITHUB_TIMEOUT_MS }),
        })
      : undefined,
    onError: (error) => logger.error({ err: error }, 'unexpected error'),
  }

  return {
    mcpByLines: (ending) => createDoor({ ...door, ending, connected: true }),
    async askGitHub() {
      if (gitHubApp) return gitHubApp.check()
      const credential = await credentialFor({})
      // Costs nothing of the limit (docs.github.com/rest/rate-limit/rate-limit).
      const reading = { credential, signal: closing.signal, urgency: 'interactive' } as const
      return github(reading).get<{ rate: unknown }>('/rate_limit', 'rate')
    },
    app: {
      name: NAME,
      version: VERSION,
      config,
      callers: createCallerLimit({
        max: config.RATE_LIMIT_MAX,
        windowMs: config.RATE_LIMIT_WINDOW_MS,
        redis: redis?.commands,
        now,
      }),
      contracts,
      engine,
      locate,
      sessions,
      principalOf: async (callerToken) => (await credentialFor({ callerToken })).principal,
      rateLimitRemaining: (principal) => gate.remaining(principal, 'core'),
      now,
      health,
      webhooks:
        config.GITHUB_WEBHOOK_SECRET.length === 0
          ? undefined
          : {
              secrets: config.GITHUB_WEBHOOK_SECRET,
              deliveries: createDeliveries(redis?.commands, now),
              mark: (marks) => applyMarks(invalidations, marks),
              delivered: metrics.webhookDelivered,
            },
      mcp: {
        server: createDoor({ ...door, ending: health.draining, connected: false }),
        hosts: {
          loopback: isLoopback(config.HOST),
          hosts: config.ALLOWED_HOSTS,
          origins: config.CORS_ORIGINS,
        },
      },
      accessTokens: accessTokensOf(config, now, logger),
      metrics,
      logger,
    },
    async close() {
      closing.abort()
      gate.close()
      await models.close()
      await upstream.close()
      sessionStore.close()
      redis?.close()
    },
  }
}

/** Who is taken at the word of an issuer, where one is configured. */
function accessTokensOf(
  { AUTH_AUDIENCE: audience, AUTH_ISSUER: issuer, AUTH_JWKS_URL: jwksUrl }: Config,
  now: () => number,
  logger: FastifyBaseLogger,
): AppOptions['accessTokens'] {
  if (audience === undefined || issuer === undefined || jwksUrl === undefined) return undefined
  const onUnavailable = (error: unknown) =>
    logger.warn({ err: error }, 'keys of the issuer of access tokens cannot be read')
  const tokens = createAccessTokens({ audience, issuer, jwksUrl, now, onUnavailable })
  return { audience, issuer, tokens }
}

/** Side by side, so that this process knows of both before it waits for Redis. */
async function applyMarks(invalidations: Invalidations, marks: Marks): Promise<void> {
  await Promise.all([
    marks.revoked.length > 0 && invalidations.mark('revoked', marks.revoked),
    marks.changed.length > 0 && invalidations.mark('changed', marks.changed),
  ])
}

/** The GitHub App, where one is configured. What webhooks say of an account makes it look there anew. */
function appOf(
  { GITHUB_APP_ID: id, GITHUB_APP_PRIVATE_KEY: privateKey, GITHUB_TIMEOUT_MS: timeoutMs }: Config,
  calls: CallOptions,
  closing: AbortSignal,
  invalidations: Invalidations,
): GitHubApp | undefined {
  if (id === undefined || privateKey === undefined) return undefined
  return createGitHubApp({
    ...calls,
    identity: { id, privateKey },
    timeoutMs,
    closing,
    changedSince: (owner, asOf) =>
      invalidations.verdict({ asOf, tags: [ownerAccessTag(owner)] }) !== undefined,
  })
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

/** Where sessions are kept: never now here, now there. */
function sessionStoreOf(
  { DATA_DIR, REDIS_URL, SESSION_TTL_SECONDS }: Config,
  now: () => number,
): SessionStore {
  const options = { now, ttl: SESSION_TTL_SECONDS * 1000, limits: LIMITS }
  if (REDIS_URL === undefined) return createSqliteSessions(createSqliteFile(DATA_DIR), options)
  const redis = patientRedis(connectPatient(REDIS_URL), { problem: redisProblem })
  return createRedisSessions(redis, options)
}

function sessionCheck(store: SessionStore): Check {
  const detail = store.trouble()
  return detail === undefined ? { status: 'ok' } : { status: 'degraded', detail }
}

function redisCheck(redis: RedisService | undefined): Check {
  if (!redis)
    return { status: 'off', detail: 'REDIS_URL is not set: the cache is in this process only' }
  return redis.commands.available
    ? { status: 'ok' }
    : { status: 'degraded', detail: 'Redis does not answer: the cache is in this process only' }
}
