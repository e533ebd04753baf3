import { createServer } from 'node:http'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Config } from '../config.ts'
import type { Contracts } from '../context/request/contract.ts'
import type { Policies, Window } from '../context/request/policy.ts'
import type { FairLoop } from '../core/fairLoop.ts'
import type { Tracer } from '../core/trace.ts'
import type { Health } from '../health.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { AccessTokens } from './accessTokens.ts'
import type { Admission } from './admission.ts'
import type { CallerLimit } from './callerLimit.ts'
import { decorate } from './decorations.ts'
import { createDoorNames } from './doorNames.ts'
import type { Intake } from './intake.ts'
import { admissionPlugin } from './plugins/admission.ts'
import { authPlugin, guardPlugin } from './plugins/auth.ts'
import { docsPlugin } from './plugins/docs.ts'
import { observePlugin } from './plugins/observe.ts'
import { policiesPlugin } from './plugins/policies.ts'
import { problemsPlugin } from './plugins/problems.ts'
import { rateLimitPlugin } from './plugins/rateLimit.ts'
import { securityPlugin } from './plugins/security.ts'
import { requestIdOf } from './requestId.ts'
import { createResponses } from './response.ts'
import { batchRoute } from './routes/batch.ts'
import { catalogueRoute } from './routes/catalogue.ts'
import { type ContextRoutesOptions, contextRoutes } from './routes/context.ts'
import { healthRoutes } from './routes/health.ts'
import { type McpRouteOptions, mcpRoute } from './routes/mcp.ts'
import { metricsRoute } from './routes/metrics.ts'
import {
  type ProtectedResourceOptions,
  protectedResourceRoutes,
} from './routes/protectedResource.ts'
import { type SessionRoutesOptions, sessionRoutes } from './routes/sessions.ts'
import { type WebhookOptions, webhookRoute } from './routes/webhooks.ts'
import { contextSchemas } from './schemas.ts'
import { createDoor, limitConnections, type ServerLimits, timeoutsOf } from './server.ts'
import { sessionSchemas } from './sessionSchemas.ts'
import { refuseAddress, refuseBytes } from './unreadable.ts'

/** Bytes. */
const BODY_LIMIT = 256 * 1024
/** Milliseconds for a part of the app to start: Fastify's 10 s are too few where many start on a busy machine. */
const START_TIMEOUT = 60_000

export interface AppOptions
  extends Omit<ContextRoutesOptions, 'schemas'>,
    Omit<SessionRoutesOptions, 'schemas'> {
  readonly name: string
  readonly version: string
  readonly config: Pick<Config, 'ALLOW_CALLER_TOKENS' | 'API_KEYS' | 'CORS_ORIGINS' | 'TRUST_PROXY'>
  /** Absent where no secret is configured. */
  readonly webhooks: WebhookOptions | undefined
  readonly mcp: McpRouteOptions
  /** Absent where no issuer is configured. */
  readonly accessTokens:
    | (Omit<ProtectedResourceOptions, 'name'> & { readonly tokens: AccessTokens })
    | undefined
  /** What is let in at all. */
  readonly admission: Admission
  readonly fairLoop: FairLoop
  readonly intake: Intake
  readonly connections: ServerLimits
  /** Absent where none are configured. */
  readonly policies: Policies | undefined
  /** A limit of another size, for callers whose policy says so. */
  readonly limitOf: (window: Window) => CallerLimit
  /** The service's own limit. */
  readonly callers: CallerLimit
  readonly contracts: Contracts
  readonly health: Health
  readonly metrics: Metrics
  /** Absent where traces go nowhere. */
  readonly tracer: Tracer | undefined
  readonly logger: FastifyBaseLogger
}

/** The one place where the HTTP server is made: the same for production and for tests. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { config, contracts, health, logger, metrics, name, tracer, version } = options
  const names = createDoorNames(config.TRUST_PROXY)
  const app = Fastify({
    // A logger for each request costs more than its line: the lines name the request themselves.
    loggerInstance: childless(logger),
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'request_id',
    }),
    genReqId: requestIdOf,
    frameworkErrors: refuseAddress,
    clientErrorHandler: refuseBytes,
    bodyLimit: BODY_LIMIT,
    pluginTimeout: START_TIMEOUT,
    trustProxy: config.TRUST_PROXY,
    serverFactory: (handler) => {
      const { connections, fairLoop } = options
      const door = createDoor(handler, { ...options, names })
      const ServerResponse = createResponses(() => server)
      const server = createServer({ ...timeoutsOf(connections), ServerResponse }, door)
      return limitConnections(server, connections, fairLoop)
    },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  })
  // Bodies are JSON, or they are refused.
  app.removeContentTypeParser('text/plain')
  decorate(app)
  // Answers are sent as bytes or written by JSON.stringify; schemas are there for the document.
  app.setSerializerCompiler(() => JSON.stringify)

  await app.register(securityPlugin, { origins: config.CORS_ORIGINS })
  await app.register(observePlugin, { logger, metrics, tracer })
  const auth = { apiKeys: config.API_KEYS, tokens: options.accessTokens?.tokens }
  await app.register(authPlugin, auth)
  await app.register(policiesPlugin, options)
  await app.register(admissionPlugin, { ...options, names })
  await app.register(rateLimitPlugin, options)
  await app.register(guardPlugin, auth)
  await app.register(problemsPlugin)
  await app.register(docsPlugin, {
    name,
    version,
    authenticated: config.API_KEYS.length > 0 || auth.tokens !== undefined,
    callerTokens: config.ALLOW_CALLER_TOKENS,
    webhooks: options.webhooks !== undefined,
  })

  const schemas = contextSchemas(contracts)
  for (const schema of [...schemas.shared, ...sessionSchemas]) app.addSchema(schema)
  await app.register(contextRoutes, { ...options, schemas })
  await app.register(batchRoute, { ...options, schemas })
  await app.register(catalogueRoute, { contracts })
  await app.register(sessionRoutes, { ...options, schemas })
  await app.register(mcpRoute, { ...options.mcp, policies: options.policies })
  if (options.accessTokens)
    await app.register(protectedResourceRoutes, { name, ...options.accessTokens })
  await app.register(healthRoutes, { health })
  await app.register(metricsRoute, { metrics })
  if (options.webhooks) await app.register(webhookRoute, options.webhooks)
  return app
}

function childless(logger: FastifyBaseLogger): FastifyBaseLogger {
  const only: FastifyBaseLogger = Object.create(logger, { child: { value: () => only } })
  return only
}
