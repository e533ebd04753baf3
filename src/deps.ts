import type { FastifyBaseLogger } from 'fastify'
import { createInvalidations } from './cache/invalidations.ts'
import { createMemoryStore } from './cache/memory.ts'
import { withMetricsOfAll } from './cluster/metrics.ts'
import { type Config, variablesNow } from './config.ts'
import type { AllowedRepos } from './context/request/allowlist.ts'
import type { Window } from './context/request/policy.ts'
import { createFairLoop } from './core/fairLoop.ts'
import { type Check, createHealth } from './health.ts'
import { createAdmission } from './http/admission.ts'
import type { AppOptions } from './http/app.ts'
import { createCallerLimit } from './http/callerLimit.ts'
import { createIntake } from './http/intake.ts'
import type { McpServer } from './mcp/protocol/server.ts'
import { createMetrics } from './metrics/metrics.ts'
import { createModels } from './models/registry.ts'
import { NAME, VERSION } from './package.ts'
import { createContextParts } from './parts/contexts.ts'
import { accessTokensOf, createMcpParts, webhooksOf } from './parts/doors.ts'
import { createGitHubParts } from './parts/github.ts'
import { createGround, type Ground } from './parts/ground.ts'
import { createSessionParts, createSessionStore } from './parts/sessions.ts'
import { type WatchedPolicies, watchPolicies } from './policies.ts'
import { providersOf } from './providers.ts'
import type { SessionStore } from './sessions/store/store.ts'

/** Of the bytes for memory, what answers get; the rest keeps GitHub's bodies for revalidation. */
const ANSWERS_SHARE = 0.7
/** What answers of the last day get, for callers that ask what is new. */
const PAST_SHARE = 0.05
/** Milliseconds. Slow clients must not hold sockets; answers may take as long as GitHub does. */
const HEADERS_TIMEOUT = 10_000
const REQUEST_TIMEOUT = 15_000
const KEEP_ALIVE = 72_000
const READ_TIMEOUT = 30_000

export interface Deps {
  readonly app: AppOptions
  /** The tools on a connection of its own, until `ending`. */
  readonly mcpByLines: (ending: AbortSignal) => McpServer
  /** Asks GitHub for something free in the service's own name. @throws ServiceError as GitHub answers */
  readonly askGitHub: () => Promise<unknown>
  readonly close: () => Promise<void>
}

/** Builds the concrete parts from the configuration, and closes them: the only place that knows them all. */
export async function createDeps(config: Config, logger: FastifyBaseLogger): Promise<Deps> {
  const closing = new AbortController()
  const { providers, close: closeProviders } = await providersOf(config, logger)
  const ground = await createGround(config, logger, closing.signal)
  const { now, random, redis, tracer, userAgent } = ground
  const fairLoop = createFairLoop()

  const bytes = (share: number) => Math.max(1, Math.floor(config.CACHE_MAX_BYTES * share))
  const caps = {
    answers: bytes(ANSWERS_SHARE),
    resources: bytes(1 - ANSWERS_SHARE - PAST_SHARE),
    past: bytes(PAST_SHARE),
  }
  const memory = createMemoryStore(caps.answers)
  const invalidations = createInvalidations({
    now,
    shared: redis && { redis: redis.commands, bus: redis.bus },
  })
  const github = createGitHubParts(ground, {
    invalidations,
    maxBytes: caps.resources,
    onCall: (report) => metrics.callDone(report),
    fairLoop,
  })
  const intake = createIntake({
    isShared: () => fairLoop.shared,
    isDraining: () => health.draining.aborted,
    begun: (caller) => admission.workOf(caller) + fairLoop.waitingOf(caller),
  })
  const admission = createAdmission({
    queues: [intake, fairLoop],
    maxConcurrent: config.MAX_CONCURRENT_REQUESTS,
    maxDelay: config.MAX_EVENT_LOOP_DELAY_MS,
    maxWaiting: config.MAX_CONNECTIONS,
    maxStreams: config.MAX_STREAMS_PER_CALLER,
  })
  const sessionStore = createSessionStore(ground)
  const ownMetrics = createMetrics({
    sessions: () => sessionStore.count(),
    sessionsAvailable: () => sessionStore.trouble() === undefined,
    pool: () => github.upstream.pool.stats,
    memory: () => ({
      answers: { bytes: memory.bytes, entries: memory.entries, maxBytes: caps.answers },
      resources: { bytes: github.keptBytes(), maxBytes: caps.resources },
      past: { bytes: contexts.pastBytes(), maxBytes: caps.past },
    }),
    coalescing: () => contexts.coalescing(),
    budgets: () => github.gate.budgets(),
    load() {
      const { inWork, shed, streams } = admission.stats()
      const { answers, calls } = github.turns
      const [reading, calling] = [answers.stats(), calls.stats()]
      return {
        inWork,
        streams,
        waiting: {
          loop: fairLoop.waiting,
          door: intake.waiting,
          github: reading.waiting + calling.waiting,
        },
        shed: { ...shed, github: reading.refused + calling.refused },
      }
    },
    redis: () => redis && { ...redis.commands.counts, available: redis.commands.available },
    spansLost: () => tracer?.lost,
  })
  const metrics = config.WORKERS > 1 ? withMetricsOfAll(ownMetrics) : ownMetrics
  const contexts = createContextParts(ground, {
    providers,
    github,
    memory,
    invalidations,
    pastBytes: caps.past,
    onRefreshFailure: metrics.refreshFailed,
  })
  const models = createModels(config, {
    userAgent,
    now: Date.now,
    random,
    onReply: metrics.replyDone,
  })
  const health = createHealth({
    server: NAME,
    version: VERSION,
    checks: { redis: () => redisCheck(ground), sessions: () => sessionCheck(sessionStore) },
  })
  const policies = policiesOf(ground, contexts.allowed, github.upstream.origin)
  const limitOf = (window: Window) => createCallerLimit({ ...window, redis: redis?.commands, now })
  const mcp = createMcpParts(ground, contexts, github, invalidations)

  return {
    mcpByLines: mcp.byLines,
    askGitHub: github.check,
    app: {
      name: NAME,
      version: VERSION,
      config,
      logger,
      metrics,
      health,
      tracer,
      now,
      contracts: contexts.contracts,
      engine: contexts.engine,
      locate: contexts.locate,
      sessions: createSessionParts(ground, {
        contexts,
        store: sessionStore,
        models,
        invalidations,
        onTurn: metrics.turnDone,
      }),
      fairLoop,
      intake,
      admission,
      connections: {
        maxConnections: config.MAX_CONNECTIONS,
        headersTimeout: HEADERS_TIMEOUT,
        requestTimeout: REQUEST_TIMEOUT,
        keepAliveTimeout: KEEP_ALIVE,
        readTimeout: READ_TIMEOUT,
      },
      policies,
      limitOf,
      callers: limitOf({ max: config.RATE_LIMIT_MAX, windowMs: config.RATE_LIMIT_WINDOW_MS }),
      principalOf: async (callerToken) => (await github.credentialFor({ callerToken })).principal,
      rateLimitRemaining: (principal) => github.gate.remaining(principal, 'core'),
      webhooks: webhooksOf(ground, contexts, invalidations, metrics),
      mcp: mcp.overHttp(health),
      accessTokens: accessTokensOf(ground),
    },
    async close() {
      closing.abort()
      policies?.close()
      await closeProviders()
      await models.close()
      await github.close()
      sessionStore.close()
      redis?.close()
      await tracer?.close()
    },
  }
}

/** @throws ConfigError for a file that cannot be used */
function policiesOf(
  { config, logger }: Ground,
  allowed: AllowedRepos,
  host: string,
): WatchedPolicies | undefined {
  const { API_KEYS: keys, AUTH_ISSUER: issuer, POLICIES_FILE: path } = config
  if (path === undefined) return undefined
  const names = issuer === undefined ? keys.map(({ name }) => name) : undefined
  return watchPolicies({ path, host, allowed, names, variables: variablesNow, logger })
}

function sessionCheck(store: SessionStore): Check {
  const detail = store.trouble()
  return detail === undefined ? { status: 'ok' } : { status: 'degraded', detail }
}

function redisCheck({ redis }: Ground): Check {
  if (!redis)
    return { status: 'off', detail: 'REDIS_URL is not set: the cache is in this process only' }
  return redis.commands.available
    ? { status: 'ok' }
    : { status: 'degraded', detail: 'Redis does not answer: the cache is in this process only' }
}
