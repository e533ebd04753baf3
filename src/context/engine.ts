import type { Cached, ContextCache, Loaded } from '../cache/contextCache.ts'
import type { Urgency } from '../core/github.ts'
import type { Answer } from '../core/provider.ts'
import type { GitHubFor } from '../github/client.ts'
import type { Credential } from '../github/credentials.ts'
import type { AllowedRepos } from './allowlist.ts'
import { buildAnswer } from './answer.ts'
import type { ContextRequest } from './request.ts'
import { ownerAccessTag, principalTag, repositoryAccessTag } from './tags.ts'

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
    credential: Credential,
    signal: AbortSignal,
    urgency: Urgency,
  ): Promise<Loaded> {
    const reader = github({ credential, signal, urgency })
    const answer = await request.provider.fetch(request.params as never, { github: reader, webUrl })
    // A renamed repository answers under its old name too; what counts is the one it is now.
    allowed.check(answer.repository)
    const { contextId, body } = buildAnswer(request, answer)
    return {
      contextId,
      body,
      visibility: credential.anonymous ? 'public' : answer.visibility,
      calls: reader.calls,
      unchanged: reader.unchanged,
      tags: tagsOf(request, answer.repository),
    }
  }

  return {
    async get(request, { credential, signal }) {
      allowed.check(request.params)
      return cache.get({
        key: `${credential.principal}:${request.key}`,
        principalTag: principalTag(credential.principal),
        policy: request.provider.cache,
        maxAge: request.maxAge,
        signal,
        load: (signal, urgency) => load(request, credential, signal, urgency),
      })
    },
  }
}

/** The provider's own tags, and those by which access is taken away, under the repository's present name. */
function tagsOf({ provider, params }: ContextRequest, repository: Answer['repository']): string[] {
  const owner = repository.owner.toLowerCase()
  const repo = repository.repo.toLowerCase()
  return [
    ...provider.tags({ ...params, owner, repo } as never),
    ownerAccessTag(owner),
    repositoryAccessTag(owner, repo),
  ]
}
