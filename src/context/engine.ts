import type { ContextCache } from '../cache/contextCache.ts'
import type { PastAnswers } from '../cache/past.ts'
import type { Cached, CacheRequest, Loaded } from '../cache/request.ts'
import type { GitHub, Urgency } from '../core/github.ts'
import { type CallAnswer, type Meter, noteAnswer } from '../core/meter.ts'
import { ownBytes } from '../core/ownBytes.ts'
import { createParty, type Party } from '../core/party.ts'
import type { Answer, CachePolicy, FetchContext } from '../core/provider.ts'
import { type Span, traced } from '../core/trace.ts'
import type { GitHubFor } from '../github/client.ts'
import type { CredentialFor } from '../github/credentialFor.ts'
import type { Credential } from '../github/credentials.ts'
import { type Block, buildAnswer } from './answer/answer.ts'
import { changesSince } from './answer/since.ts'
import { isOwn, noGitHub, ownCredential } from './common/ownData.ts'
import { ownerAccessTag, principalTag, repositoryAccessTag } from './common/tags.ts'
import type { Publicity } from './publicity.ts'
import type { AllowedRepos } from './request/allowlist.ts'
import type { Policy } from './request/policy.ts'
import type { ContextRequest } from './request/request.ts'
import { createCleaner } from './safe/cleaner.ts'
import { cleanGitHub } from './safe/cleanGitHub.ts'

/** One of those who share this service. */
export interface Who {
  /** By which it is counted. */
  readonly name: string
  /** What holds for this one alone. */
  readonly policy?: Policy | undefined
}

/** Who asks, and until when it is wanted. */
export interface Caller {
  /** `X-GitHub-Token`, as it was sent: then the only credential used for this caller. */
  readonly callerToken: string | undefined
  /** Absent where there is but one who asks. */
  readonly who?: Who | undefined
  readonly signal: () => AbortSignal
  /** Counts the calls to GitHub that are made for this caller, also where they fail. */
  readonly meter: Meter
  /** Told of each block that is ready before the whole answer is, where this caller's fetch makes it. */
  readonly onBlock?: (block: Block) => void
  /** Answers read for this caller a moment ago, by subject: fitted anew, not read anew. */
  readonly memo?: Map<string, Fetched>
}

/** An answer, and what it was read with. */
export interface Fetched {
  readonly answer: Answer
  readonly context: FetchContext
}

export interface Answered extends Cached {
  /** In whose name it was answered. */
  readonly principal: string
  /** Who else may have this very answer. */
  readonly scope: string
}

/** What must be told of an answer. */
export interface Coverable {
  readonly tags: readonly string[]
  readonly visibility: Answer['visibility']
}

export interface EngineOptions {
  readonly cache: ContextCache
  readonly github: GitHubFor
  readonly credentialFor: CredentialFor
  readonly allowed: AllowedRepos
  readonly webUrl: string
  readonly past: PastAnswers
  readonly publicity: Publicity
  /** Whether webhooks tell of every change of an answer; absent where none come. */
  readonly covers?: ((answer: Coverable) => Promise<boolean>) | undefined
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

const NOT_KEPT: CachePolicy = { freshFor: 0, staleFor: 0, keepFor: 0 }

export function createEngine(options: EngineOptions): Engine {
  const { cache, covers, credentialFor, past, publicity } = options
  /** Keys of requests as they were last made: callers ask the same again and again. */
  const keys = new WeakMap<ContextRequest, { readonly within: string; readonly key: string }>()

  async function load(
    request: ContextRequest,
    credential: Credential,
    caller: Caller,
    signal: AbortSignal,
    urgency: Urgency,
    version: string | undefined,
    span: Span | undefined,
    party: Party,
  ): Promise<Loaded> {
    const { params, provider } = request
    const { meter } = caller
    const subject = `${version}:${request.subject}`
    const waits = urgency === 'interactive'
    // What a refresh behind a stale answer costs, nobody waited for: nor is anybody's turn used up by it.
    const onAnswer = waits ? (said: CallAnswer) => noteAnswer(meter, said) : undefined
    const name = waits ? party : undefined
    const reading = { credential, signal, urgency, span, onAnswer, caller: name }
    const reader = isOwn(provider) ? noGitHub : options.github(reading)
    try {
      const fetched =
        caller.memo?.get(subject) ??
        (await fetch(request, reader, allowedFor(caller), signal, credential.anonymous))
      caller.memo?.set(subject, fetched)
      const { answer } = fetched
      const built = await buildAnswer(request, fetched, waits ? caller.onBlock : undefined)
      const body = ownBytes(built.body)
      void past.keep(scopeOf(credential, caller), built.contextId, body)
      const tags = [...tagsOf(request, answer.repository), ...(answer.tags ?? [])]
      const visibility = credential.anonymous ? 'public' : answer.visibility
      const policy = answer.cache?.() ?? provider.cache
      return {
        ...built,
        body,
        // What changed while it was read is told, but not as an answer of the state before.
        policy:
          (await provider.version?.(params as never, signal)) === version
            ? await toldPolicy(policy, credential, { tags, visibility })
            : NOT_KEPT,
        visibility,
        unchanged: reader.unchanged,
        tags,
      }
    } finally {
      if (waits) meter.calls += reader.calls
    }
  }

  async function fetch(
    { params, provider }: ContextRequest,
    github: GitHub,
    allowed: AllowedRepos,
    signal: AbortSignal,
    strangers: boolean,
  ): Promise<Fetched> {
    const context = contextOf(github, allowed, signal)
    const hear = publicity.listen()
    const answer = await provider.fetch(params as never, context)
    hear(wordsOf(answer, strangers))
    // A renamed repository answers under its old name too; what counts is the one it is now.
    if (!isOwn(provider) && (answer.repository || !provider.filtered)) {
      allowed.check(answer.repository ?? {})
    }
    return { answer, context }
  }

  /** Webhooks are relied on where they tell all, and no caller's token is at stake: of that none tells. */
  async function toldPolicy(
    policy: CachePolicy,
    { from }: Credential,
    answer: Coverable,
  ): Promise<CachePolicy> {
    if (policy.toldFor === undefined) return policy
    const { toldFor: _none, ...untold } = policy
    return from === 'service' && (await covers?.(answer)) ? policy : untold
  }

  function contextOf(github: GitHub, allowed: AllowedRepos, signal: AbortSignal): FetchContext {
    const cleaner = createCleaner()
    return {
      github: cleanGitHub(github, cleaner),
      webUrl: options.webUrl,
      signal,
      allowed: allowed.permits,
      part: () => contextOf(github, allowed, signal),
      clean: cleaner.text,
      get removed() {
        return cleaner.removed
      },
    }
  }

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

  function keyWithin(within: string, request: ContextRequest): string {
    const known = keys.get(request)
    if (known?.within === within) return known.key
    const key = `${within}:${request.key}`
    keys.set(request, { within, key })
    return key
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
      load: (signal, urgency) =>
        load(request, credential, caller, signal, urgency, version, span, partyOf()),
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

/** The principal, and what of its answers is left out: whoever shares both shares what is kept. */
function scopeOf({ principal }: Credential, { who }: Caller): string {
  const scope = who?.policy?.scope
  return scope === undefined || principal === ownCredential.principal
    ? principal
    : `${principal}~${scope}`
}

const namesOf = (credential: Credential, caller: Caller) => ({
  principal: credential.principal,
  scope: scopeOf(credential, caller),
})

/** What an answer says of repositories: that strangers may read the one it is of, or its own words. */
function wordsOf({ repository, said = [], visibility }: Answer, strangers: boolean) {
  return repository && (strangers || visibility === 'public')
    ? [...said, { ...repository, visibility: 'public' as const }]
    : said
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
