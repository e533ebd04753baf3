import type { ContextCache } from '../cache/contextCache.ts'
import type { Cached, CacheRequest } from '../cache/request.ts'
import { createParty, type Party } from '../core/party.ts'
import { type Span, traced } from '../core/trace.ts'
import type { CredentialFor } from '../github/credentialFor.ts'
import type { Credential } from '../github/credentials.ts'
import { changesSince } from './answer/since.ts'
import { type Caller, scopeOf } from './caller.ts'
import { isOwn, ownCredential } from './common/ownData.ts'
import { principalTag } from './common/tags.ts'
import { createLoad, type LoadOptions } from './load.ts'
import type { AllowedRepos } from './request/allowlist.ts'
import type { ContextRequest } from './request/request.ts'

export interface Answered extends Cached {
  /** In whose name it was answered. */
  readonly principal: string
  /** Who else may have this very answer. */
  readonly scope: string
}

export interface EngineOptions extends LoadOptions {
  readonly cache: ContextCache
  readonly credentialFor: CredentialFor
  readonly allowed: AllowedRepos
}

export interface Engine {
  /**
   * What this process holds and may serve at once; else undefined, and `get` finds it.
   * @throws ServiceError as `get`
   */
  atHand(request: ContextRequest, caller: Caller): Answered | undefined
  /**
   * The one way to a context, for every door.
   * @throws ServiceError `forbidden` by the allowlist, else as `CredentialFor` and the provider
   */
  get(request: ContextRequest, caller: Caller): Promise<Answered>
  /** What is new in an answer since the one that the request names; all of it where that is not kept. */
  changes(request: ContextRequest, answered: Answered): Promise<Buffer>
}

export function createEngine(options: EngineOptions): Engine {
  const { cache, credentialFor, past } = options
  const load = createLoad(options)

  function allowedFor({ who }: Caller): AllowedRepos {
    return who?.policy?.allowed ?? options.allowed
  }

  function credentialOf({ params, provider }: ContextRequest, caller: Caller) {
    if (isOwn(provider)) return ownCredential
    if (!provider.filtered) allowedFor(caller).check(params)
    return credentialFor({
      owner: provider.account?.(params as never) ?? ownerOf(params),
      callerToken: caller.callerToken,
      own: caller.who?.policy?.credential,
    })
  }

  /** @param version of the data, which an answer of another version is not an answer to */
  function inCache(
    request: ContextRequest,
    caller: Caller,
    credential: Credential,
    span: Span | undefined,
    version?: string,
  ): CacheRequest {
    const { principal } = credential
    const within =
      version === undefined
        ? scopeOf(credential, caller)
        : `${scopeOf(credential, caller)}:${version}`
    let party: Party | undefined
    const partyOf = () => {
      party ??= createParty(caller.who?.name ?? '')
      return party
    }
    return {
      key: keyWithin(within, request),
      subject: `${within}:${request.subject}`,
      principalTag: principalTag(principal),
      maxAge: request.maxAge,
      signal: caller.signal,
      span,
      party: partyOf,
      load(signal, urgency) {
        const allowed = allowedFor(caller)
        const how = { allowed, signal, urgency, version, span, party: partyOf() }
        return load({ request, credential, caller, ...how })
      },
    }
  }

  return {
    atHand(request, caller) {
      if (request.provider.version) return undefined
      const credential = credentialOf(request, caller)
      if (credential instanceof Promise) {
        // Its failure is for `get` to tell.
        credential.catch(() => {})
        return undefined
      }
      const cached = cache.atHand(inCache(request, caller, credential, caller.meter.span))
      return cached && { ...cached, ...namesOf(credential, caller) }
    },
    async get(request, caller) {
      const { params, provider } = request
      const credential = await credentialOf(request, caller)
      const version = await provider.version?.(params as never, caller.signal())
      const named = { context_type: provider.type }
      const cached = await traced(caller.meter.span, 'cache', named, async (span) => {
        const found = await cache.get(inCache(request, caller, credential, span, version))
        span?.set({ 'cache.outcome': found.outcome })
        return found
      })
      return { ...cached, ...namesOf(credential, caller) }
    },
    async changes({ since = '' }, { entry, scope }) {
      const known = await past.get(scope, since)
      return known ? changesSince(known, entry.body) : entry.body
    },
  }
}

function keyWithin(within: string, request: ContextRequest): string {
  const { key: of, lastKey: last } = request
  if (last?.within === within && last.of === of) return last.key
  // Joined: see the names in github/client.ts.
  const key = [within, of].join(':')
  request.lastKey = { within, of, key }
  return key
}

const namesOf = (credential: Credential, caller: Caller) => ({
  principal: credential.principal,
  scope: scopeOf(credential, caller),
})

function ownerOf({ owner }: ContextRequest['params']): string | undefined {
  return typeof owner === 'string' ? owner : undefined
}
