import type { Invalidations } from '../cache/invalidations.ts'
import { isLoopback } from '../config.ts'
import { createIssueWrites } from '../context/issue/writes.ts'
import { hearPublicity } from '../context/webhooks/heard.ts'
import type { Marks } from '../context/webhooks/marks.ts'
import { createWriteGitHub } from '../github/write.ts'
import type { Health } from '../health.ts'
import { createAccessTokens } from '../http/accessTokens.ts'
import type { AppOptions } from '../http/app.ts'
import { createDeliveries } from '../http/deliveries.ts'
import { createDoor, type DoorOptions } from '../mcp/door.ts'
import type { McpServer } from '../mcp/protocol/server.ts'
import { traced } from '../mcp/traced.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { NAME, VERSION } from '../package.ts'
import type { ContextParts } from './contexts.ts'
import type { GitHubParts } from './github.ts'
import type { Ground } from './ground.ts'

export interface McpParts {
  /** At `/mcp`. */
  readonly overHttp: (health: Health) => AppOptions['mcp']
  /** The tools on a connection of its own, until `ending`. */
  readonly byLines: (ending: AbortSignal) => McpServer
}

export function createMcpParts(
  { config, logger, now, tracer }: Ground,
  { allowed, ...contexts }: ContextParts,
  { calls, credentialFor }: GitHubParts,
  invalidations: Invalidations,
): McpParts {
  const door: Omit<DoorOptions, 'ending' | 'connected'> = {
    info: { name: NAME, version: VERSION },
    ...contexts,
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
  const open = (options: DoorOptions) => {
    const server = createDoor(options)
    return tracer ? traced(server, tracer) : server
  }
  return {
    byLines: (ending) => open({ ...door, ending, connected: true }),
    overHttp: (health) => ({
      server: open({ ...door, ending: health.draining, connected: false }),
      hosts: {
        loopback: isLoopback(config.HOST),
        hosts: config.ALLOWED_HOSTS,
        origins: config.CORS_ORIGINS,
      },
    }),
  }
}

/** The route for webhooks, where a secret is configured. */
export function webhooksOf(
  { config, now, redis }: Ground,
  { coverage, publicity }: ContextParts,
  invalidations: Invalidations,
  metrics: Metrics,
): AppOptions['webhooks'] {
  if (config.GITHUB_WEBHOOK_SECRET.length === 0) return undefined
  return {
    secrets: config.GITHUB_WEBHOOK_SECRET,
    deliveries: createDeliveries(redis?.commands, now),
    mark: (marks) => applyMarks(invalidations, marks),
    async heard(event, payload, hook) {
      hearPublicity(publicity, event, payload, now())
      await coverage?.delivered(event, payload, hook)
    },
    delivered: metrics.webhookDelivered,
  }
}

/** Side by side, so that this process knows of both before it waits for Redis. */
async function applyMarks(invalidations: Invalidations, marks: Marks): Promise<void> {
  await Promise.all([
    marks.revoked.length > 0 && invalidations.mark('revoked', marks.revoked),
    marks.changed.length > 0 && invalidations.mark('changed', marks.changed),
  ])
}

/** Who is taken at the word of an issuer, where one is configured. */
export function accessTokensOf({ config, logger, now }: Ground): AppOptions['accessTokens'] {
  const { AUTH_AUDIENCE: audience, AUTH_ISSUER: issuer, AUTH_JWKS_URL: jwksUrl } = config
  if (audience === undefined || issuer === undefined || jwksUrl === undefined) return undefined
  const onUnavailable = (error: unknown) =>
    logger.warn({ err: error }, 'keys of the issuer of access tokens cannot be read')
  const tokens = createAccessTokens({ audience, issuer, jwksUrl, now, onUnavailable })
  return { audience, issuer, tokens }
}
