import { hash } from 'node:crypto'
import type { Credential } from '../../github/credentials.ts'
import { type AllowedRepos, createAllowedRepos } from './allowlist.ts'

/** What one caller may read, in whose name, and how often. */
export interface Policy {
  /** Within what the service itself is allowed. */
  readonly allowed: AllowedRepos
  /**
   * Stands in the keys of what is kept, as answers leave out what may not be read: only callers with
   * the same list share them. Undefined where the policy has no list of its own.
   */
  readonly scope: string | undefined
  /** In whose name GitHub is asked, where it is not the service's. */
  readonly credential: Credential | undefined
  readonly rateLimit: Window | undefined
}

export interface Window {
  /** Requests. */
  readonly max: number
  readonly windowMs: number
}

/** What is special about single callers. */
export interface Policies {
  /** @param caller name of an API key, or whom an access token speaks for */
  of(caller: string | undefined): Policy | undefined
  /**
   * Tells once when the caller may no longer read as `policy` has it, until it is told to stop: at
   * once where that is so already.
   */
  watch(caller: string | undefined, policy: Policy | undefined, onChange: () => void): () => void
}

/** Whether both permit the same in the same name. */
export function readAlike(one: Policy | undefined, other: Policy | undefined): boolean {
  const isSame = one?.scope === other?.scope
  return isSame && one?.credential?.principal === other?.credential?.principal
}

export interface PolicyOptions {
  /** `owner/*`, `owner/repo`; undefined: no list of its own. An empty list allows nothing. */
  readonly repositories: readonly string[] | undefined
  readonly credential: Credential | undefined
  readonly rateLimit: Window | undefined
}

const SCOPE_CHARACTERS = 16

/** @param service what the service is allowed, which no policy widens */
export function createPolicy(
  service: AllowedRepos,
  { credential, rateLimit, repositories }: PolicyOptions,
): Policy {
  if (!repositories) return { allowed: service, scope: undefined, credential, rateLimit }
  const entries = [...new Set(repositories.map((entry) => entry.toLowerCase()))].sort()
  return {
    allowed: within(service, createAllowedRepos(entries, 'caller')),
    scope: hash('sha256', entries.join(), 'base64url').slice(0, SCOPE_CHARACTERS),
    credential,
    rateLimit,
  }
}

function within(service: AllowedRepos, own: AllowedRepos): AllowedRepos {
  return {
    permits: (repository) => service.permits(repository) && own.permits(repository),
    check(repository) {
      service.check(repository)
      own.check(repository)
    },
  }
}
