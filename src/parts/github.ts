import type { Invalidations } from '../cache/invalidations.ts'
import { ownerAccessTag } from '../context/common/tags.ts'
import type { FairLoop } from '../core/fairLoop.ts'
import { createGitHubApp, type GitHubApp } from '../github/app.ts'
import { createRateGate } from '../github/budget/gate.ts'
import { isLimited } from '../github/budget/limits.ts'
import { createLocalLedger } from '../github/budget/local.ts'
import type { RateGate } from '../github/budget/rateGate.ts'
import { createSharedLedger } from '../github/budget/shared.ts'
import type { CallOptions } from '../github/call.ts'
import { createGitHub, type GitHubFor } from '../github/client.ts'
import { type CredentialFor, createCredentialFor } from '../github/credentialFor.ts'
import { createSharedResources } from '../github/redisResources.ts'
import { createMemoryResources } from '../github/resources.ts'
import { createTurns, type Turns } from '../github/turns.ts'
import { createUpstream, type Upstream } from '../github/upstream.ts'
import { createTagDrift } from '../github/validators.ts'
import type { Ground } from './ground.ts'

/** Everything that asks GitHub. */
export interface GitHubParts {
  readonly upstream: Upstream
  readonly gate: RateGate
  /** Who goes next: answers that are read, and calls for these. */
  readonly turns: Readonly<Record<'answers' | 'calls', Turns>>
  readonly calls: CallOptions
  readonly reader: GitHubFor
  readonly credentialFor: CredentialFor
  /** Bytes of the bodies that are kept in this process. */
  readonly keptBytes: () => number
  /** Asks for something free in the service's own name. @throws ServiceError as GitHub answers */
  readonly check: () => Promise<unknown>
  readonly close: () => Promise<void>
}

export interface GitHubPartsOptions {
  readonly invalidations: Invalidations
  /** Bytes that kept bodies may have in this process. */
  readonly maxBytes: number
  readonly onCall: CallOptions['onCall']
  readonly fairLoop: FairLoop
}

export function createGitHubParts(
  ground: Ground,
  { fairLoop, invalidations, maxBytes, onCall }: GitHubPartsOptions,
): GitHubParts {
  const { closing, config, now, random, redis, tracer, userAgent } = ground
  const timeoutMs = config.GITHUB_TIMEOUT_MS
  const upstream = createUpstream({
    apiUrl: config.GITHUB_API_URL,
    connections: config.GITHUB_CONNECTIONS,
    timeoutMs,
    downloadHosts: config.GITHUB_DOWNLOAD_HOSTS,
  })
  const gate = gateOf(ground)
  const turns = turnsOf(config.GITHUB_CONNECTIONS)
  const calls: CallOptions = {
    upstream,
    gate,
    turns: turns.calls,
    fairLoop,
    userAgent,
    now,
    onCall,
    tracer,
  }
  const own = createMemoryResources(maxBytes)
  const resources = redis ? createSharedResources(own, redis.commands) : own
  const conditions = { resources, drift: createTagDrift(now) }
  const reader = createGitHub({ ...calls, conditions, timeoutMs, random })
  const app = appOf(ground, calls, invalidations)
  const credentialFor = createCredentialFor({
    host: upstream.origin,
    token: config.GITHUB_TOKEN,
    app,
    callerTokens: config.ALLOW_CALLER_TOKENS,
  })
  return {
    upstream,
    gate,
    turns,
    calls,
    reader,
    credentialFor,
    keptBytes: () => own.bytes,
    async check() {
      if (app) return app.check()
      const credential = await credentialFor({})
      // Costs nothing of the limit (docs.github.com/rest/rate-limit/rate-limit).
      const reading = { credential, signal: closing, urgency: 'interactive' } as const
      return reader(reading).get<{ rate: unknown }>('/rate_limit', 'rate')
    },
    async close() {
      gate.close()
      await upstream.close()
    },
  }
}

/** What has begun is not given up for want of a connection. */
function turnsOf(connections: number): GitHubParts['turns'] {
  const options = { places: connections, now: () => performance.now() }
  return {
    answers: createTurns({ ...options, foresight: true }),
    calls: createTurns({ ...options, foresight: false }),
  }
}

function gateOf({ config, now, redis }: Ground) {
  const limits = {
    maxConcurrent: config.GITHUB_MAX_CONCURRENT,
    pointsPerMinute: config.GITHUB_POINTS_PER_MINUTE,
  }
  return createRateGate({
    now,
    enforced: isLimited(config.GITHUB_API_URL, config.GITHUB_BUDGET),
    ledger: redis
      ? createSharedLedger({ redis: redis.commands, bus: redis.bus, limits, now })
      : createLocalLedger({ limits, now }),
  })
}

/** The GitHub App, where one is configured. What webhooks say of an account makes it look there anew. */
function appOf(
  { closing, config }: Ground,
  calls: CallOptions,
  invalidations: Invalidations,
): GitHubApp | undefined {
  const { GITHUB_APP_ID: id, GITHUB_APP_PRIVATE_KEY: privateKey } = config
  if (id === undefined || privateKey === undefined) return undefined
  return createGitHubApp({
    ...calls,
    identity: { id, privateKey },
    timeoutMs: config.GITHUB_TIMEOUT_MS,
    closing,
    changedSince: (owner, asOf) =>
      invalidations.verdict({ asOf, tags: [ownerAccessTag(owner)] }) !== undefined,
  })
}
