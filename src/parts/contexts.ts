import { createContextCache } from '../cache/contextCache.ts'
import { createHearing, type Hearing } from '../cache/hearing.ts'
import type { Invalidations } from '../cache/invalidations.ts'
import { createLeases, noLeases } from '../cache/leases.ts'
import type { MemoryStore } from '../cache/memory.ts'
import { createPastAnswers } from '../cache/past.ts'
import { createRedisStore } from '../cache/redisStore.ts'
import { noStore } from '../cache/store.ts'
import { createSharedTimes } from '../cache/times.ts'
import { createEngine, type Engine } from '../context/engine.ts'
import { createPublicity, type Publicity } from '../context/publicity.ts'
import { type AllowedRepos, createAllowedRepos, everything } from '../context/request/allowlist.ts'
import { type Contracts, compileContracts } from '../context/request/contract.ts'
import { createLocator, type Locate, webHostOf } from '../context/request/url.ts'
import { type Coverage, createCoverage } from '../context/webhooks/coverage.ts'
import type { Provider } from '../core/provider.ts'
import type { Coalescing } from '../metrics/sources.ts'
import type { GitHubParts } from './github.ts'
import type { Ground } from './ground.ts'

/** What answers context requests, for every door. */
export interface ContextParts {
  readonly contracts: Contracts
  readonly engine: Engine
  readonly locate: Locate
  readonly allowed: AllowedRepos
  readonly publicity: Publicity
  /** What webhooks are relied on for; absent where none come, or not to every replica. */
  readonly coverage: Coverage | undefined
  /** For metrics. */
  readonly coalescing: () => Coalescing
  readonly pastBytes: () => number
}

export interface ContextPartsOptions {
  readonly providers: readonly Provider[]
  readonly github: GitHubParts
  readonly memory: MemoryStore
  readonly invalidations: Invalidations
  /** Bytes for answers of the last day, which callers ask what is new since. */
  readonly pastBytes: number
  readonly onRefreshFailure: () => void
}

export function createContextParts(ground: Ground, options: ContextPartsOptions): ContextParts {
  const { closing, config, logger, now, random, redis } = ground
  const { github, invalidations, memory, providers } = options
  const leases = redis ? createLeases(redis.commands, redis.bus) : noLeases
  const past = createPastAnswers(options.pastBytes, redis?.commands, now)
  const publicity = createPublicity(redis && createSharedTimes(redis.commands, 'public'), now)
  const webhooks = webhooksIn(ground, invalidations)
  const cache = createContextCache({
    publicity,
    told: webhooks && {
      isTold: webhooks.hearing.since,
      untold: webhooks.coverage.doubt,
    },
    memory,
    shared: redis ? createRedisStore(redis.commands, now) : noStore,
    leases,
    invalidations,
    now,
    random,
    closing,
    onRefreshFailure(error) {
      options.onRefreshFailure()
      logger.warn({ err: error }, 'refresh in the background failed')
    },
  })
  const webHost = webHostOf(config.GITHUB_API_URL)
  const allowed =
    config.ALLOWED_REPOS.length === 0
      ? everything
      : createAllowedRepos(config.ALLOWED_REPOS, 'service')
  return {
    contracts: compileContracts(providers),
    locate: createLocator(providers, webHost),
    allowed,
    publicity,
    coverage: webhooks?.coverage,
    coalescing: () => ({ ...cache.coalescing(), leases: leases.counts }),
    pastBytes: () => past.bytes,
    engine: createEngine({
      cache,
      github: github.reader,
      turns: github.turns.answers,
      credentialFor: github.credentialFor,
      allowed,
      webUrl: `https://${webHost}`,
      past,
      publicity,
      covers: webhooks?.coverage.covers,
    }),
  }
}

/** Without Redis a delivery reaches one process, and there may be others. */
function webhooksIn(
  { closing, config, now, redis }: Ground,
  invalidations: Invalidations,
): { readonly hearing: Hearing; readonly coverage: Coverage } | undefined {
  if (!redis || config.GITHUB_WEBHOOK_SECRET.length === 0) return undefined
  const ticks = () => performance.now()
  const hearing = createHearing({ bus: redis.bus, invalidations, ticks })
  closing.addEventListener('abort', hearing.close)
  const { commands } = redis
  return {
    hearing,
    coverage: createCoverage({
      came: createSharedTimes(commands, 'came'),
      lists: createSharedTimes(commands, 'hook'),
      invalidations,
      hearing,
      now,
      closing,
    }),
  }
}
