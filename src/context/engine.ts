import type { Cached, ContextCache, Loaded } from '../cache/contextCache.ts'
import type { GitHubFor } from '../github/client.ts'
import type { Credential } from '../github/credentials.ts'
import type { AllowedRepos } from './allowlist.ts'
import { buildAnswer } from './answer.ts'
import type { ContextRequest } from './request.ts'

/** In whose name a request is answered, and until when it is wanted. */
export interface Caller {
  readonly credential: Credential
  readonly signal: () => AbortSignal
}

export interface EngineOptions {
  readonly cache: ContextCache
  readonly github: GitHubFor
  readonly allowed: AllowedRepos
  readonly webUrl: string
}

export interface Engine {
  /**
   * The one way to a context, for every door.
   * @throws ServiceError `forbidden` by the allowlist, else as the provider
   */
  get(request: ContextRequest, caller: Caller): Promise<Cached>
}

export function createEngine({ cache, github, allowed, webUrl }: EngineOptions): Engine {
  async function load(
    request: ContextRequest,
    { credential }: Caller,
    signal: AbortSignal,
  ): Promise<Loaded> {
    const reader = github(credential, signal)
    const answer = await request.provider.fetch(request.params as never, { github: reader, webUrl })
    const { contextId, body } = buildAnswer(request, answer)
    return {
      contextId,
      body,
      visibility: credential.anonymous ? 'public' : answer.visibility,
      calls: reader.calls,
      unchanged: reader.unchanged,
    }
  }

  return {
    async get(request, caller) {
      allowed.check(request.params)
      return cache.get({
        key: `${caller.credential.principal}:${request.key}`,
        policy: request.provider.cache,
        maxAge: request.maxAge,
        signal: caller.signal,
        load: (signal) => load(request, caller, signal),
      })
    },
  }
}
