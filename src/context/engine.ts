import type { ContextCache } from '../cache/contextCache.ts'
import type { Cached, Loaded } from '../cache/request.ts'
import type { Urgency } from '../core/github.ts'
import type { Answer, FetchContext } from '../core/provider.ts'
import type { GitHubFor } from '../github/client.ts'
import type { CredentialFor } from '../github/credentialFor.ts'
import type { Credential } from '../github/credentials.ts'
import type { AllowedRepos } from './allowlist.ts'
import { type BuiltAnswer, buildAnswer } from './answer.ts'
import type { ContextRequest } from './request.ts'
import { ownerAccessTag, principalTag, repositoryAccessTag } from './tags.ts'

/** Who asks, and until when it is wanted. */
export interface Caller {
  /** `X-GitHub-Token`, as it was sent: then the only credential used for this caller. */
  readonly callerToken: string | undefined
  readonly signal: () => AbortSignal
  /** Counts the calls to GitHub that are made for this caller, also where they fail. */
  readonly meter: Meter
}

export interface Meter {
  calls: number
}

export interface Answered extends Cached {
  /** In whose name it was answered. */
  readonly principal: string
}

export interface EngineOptions {
  readonly cache: ContextCache
  readonly github: GitHubFor
  readonly credentialFor: CredentialFor
  readonly allowed: AllowedRepos
  readonly webUrl: string
}

export interface Engine {
  /**
   * The one way to a context, for every door.
   * @throws ServiceError `forbidden` by the allowlist, else as `CredentialFor` and the provider
   */
  get(request: ContextRequest, caller: Caller): Promise<Answered>
}

export function createEngine({
  cache,
  github,
  credentialFor,
  allowed,
  webUrl,
}: EngineOptions): Engine {
  async function load(
    request: ContextRequest,
    credential: Credential,
    meter: Meter,
    signal: AbortSignal,
    urgency: Urgency,
  ): Promise<Loaded> {
    const reader = github({ credential, signal, urgency })
    const context: FetchContext = {
      github: reader,
      webUrl,
      signal,
      allowed: allowed.permits,
      part: () => context,
    }
    let answer: Answer
    let built: BuiltAnswer
    try {
      answer = await request.provider.fetch(request.params as never, context)
      // A renamed repository answers under its old name too; what counts is the one it is now.
      if (answer.repository || !request.provider.filtered) allowed.check(answer.repository ?? {})
      built = await buildAnswer(request, answer)
    } finally {
      // What a refresh behind a stale answer costs, nobody waited for.
      if (urgency === 'interactive') meter.calls += reader.calls
    }
    return {
      ...built,
      policy: answer.cache?.() ?? request.provider.cache,
      visibility: credential.anonymous ? 'public' : answer.visibility,
      unchanged: reader.unchanged,
      tags: tagsOf(request, answer.repository),
    }
  }

  return {
    async get(request, caller) {
      const { callerToken, meter, signal } = caller
      const { provider } = request
      if (!provider.filtered) allowed.check(request.params)
      const owner = provider.account?.(request.params as never) ?? ownerOf(request.params)
      const credential = await credentialFor({ owner, callerToken })
      const cached = await cache.get({
        key: `${credential.principal}:${request.key}`,
        subject: `${credential.principal}:${request.subject}`,
        principalTag: principalTag(credential.principal),
        maxAge: request.maxAge,
        signal,
        load: (signal, urgency) => load(request, credential, meter, signal, urgency),
      })
      return { ...cached, principal: credential.principal }
    },
  }
}

function ownerOf({ owner }: ContextRequest['params']): string | undefined {
  return typeof owner === 'string' ? owner : undefined
}

/** The provider's own tags, and those by which access is taken away, under the repository's present name. */
function tagsOf({ provider, params }: ContextRequest, repository: Answer['repository']): string[] {
  if (!repository) return provider.tags(params as never)
  const owner = repository.owner.toLowerCase()
  const repo = repository.repo.toLowerCase()
  return [
    ...provider.tags({ ...params, owner, repo } as never),
    ownerAccessTag(owner),
    repositoryAccessTag(owner, repo),
  ]
}
