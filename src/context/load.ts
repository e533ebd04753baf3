import type { PastAnswers } from '../cache/past.ts'
import type { Loaded } from '../cache/request.ts'
import type { GitHub, Urgency } from '../core/github.ts'
import { type CallAnswer, noteAnswer } from '../core/meter.ts'
import { createParty, type Party } from '../core/party.ts'
import type { Answer, CachePolicy, FetchContext } from '../core/provider.ts'
import type { Span } from '../core/trace.ts'
import type { GitHubFor } from '../github/client.ts'
import type { Credential } from '../github/credentials.ts'
import type { Turns } from '../github/turns.ts'
import { buildAnswer } from './answer/answer.ts'
import { type Caller, type Fetched, scopeOf } from './caller.ts'
import { isOwn, noGitHub } from './common/ownData.ts'
import { ownerAccessTag, repositoryAccessTag } from './common/tags.ts'
import type { Publicity } from './publicity.ts'
import type { AllowedRepos } from './request/allowlist.ts'
import type { ContextRequest } from './request/request.ts'
import { createCleaner } from './safe/cleaner.ts'
import { cleanGitHub } from './safe/cleanGitHub.ts'

/** What must be told of an answer. */
export interface Coverable {
  readonly tags: readonly string[]
  readonly visibility: Answer['visibility']
}

export interface LoadOptions {
  readonly github: GitHubFor
  /** Whose answer is read next. Without it all are at once. */
  readonly turns?: Turns
  readonly webUrl: string
  readonly past: PastAnswers
  readonly publicity: Publicity
  /** Whether webhooks tell of every change of an answer; absent where none come. */
  readonly covers?: ((answer: Coverable) => Promise<boolean>) | undefined
}

/** What is read, for whom and how. */
export interface Reading {
  readonly request: ContextRequest
  readonly credential: Credential
  readonly caller: Caller
  /** What the caller may read. */
  readonly allowed: AllowedRepos
  readonly signal: AbortSignal
  readonly urgency: Urgency
  /** Of the data; an answer made of another one is not kept. */
  readonly version: string | undefined
  readonly span: Span | undefined
  /** All who wait for it. */
  readonly party: Party
}

const NOT_KEPT: CachePolicy = { freshFor: 0, staleFor: 0, keepFor: 0 }

/** Reads an answer, cleans and fits it, and tells how long it may be kept. @throws as the provider */
export function createLoad(options: LoadOptions): (reading: Reading) => Promise<Loaded> {
  const { covers, past, publicity, turns } = options

  return load

  async function load({ request, credential, caller, ...how }: Reading): Promise<Loaded> {
    const { allowed, signal, span, urgency, version } = how
    const { params, provider } = request
    const { meter } = caller
    const subject = `${version}:${request.subject}`
    const waits = urgency === 'interactive'
    // A refresh behind a stale answer is the service's own.
    const party = waits ? how.party : createParty('')
    // What that costs, nobody waited for.
    const onAnswer = waits ? (said: CallAnswer) => noteAnswer(meter, said) : undefined
    const known = caller.memo?.get(subject)
    // First of all: what waits should be little.
    const leave =
      known || isOwn(provider) ? undefined : await turns?.enter({ callers: party, signal })
    const reading = { credential, signal, urgency, span, onAnswer, caller: party }
    const reader = isOwn(provider) ? noGitHub : options.github(reading)
    try {
      const fetched =
        known ??
        (await fetch(request, reader, allowed, signal, credential.anonymous).finally(leave))
      caller.memo?.set(subject, fetched)
      const { answer } = fetched
      const built = await buildAnswer(request, fetched, waits ? caller.onBlock : undefined)
      void past.keep(scopeOf(credential, caller), built.contextId, built.body)
      const tags = [...tagsOf(request, answer.repository), ...(answer.tags ?? [])]
      const visibility = credential.anonymous ? 'public' : answer.visibility
      const policy = answer.cache?.() ?? provider.cache
      return {
        ...built,
        // What changed while it was read is told, but not as an answer of the state before.
        policy:
          (await provider.version?.(params as never, signal)) === version
            ? await toldPolicy(policy, credential, { tags, visibility })
            : NOT_KEPT,
        visibility,
        unchanged: reader.isUnchanged(),
        tags,
      }
    } finally {
      if (waits) meter.calls += reader.calls()
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
      removed: cleaner.removed,
    }
  }
}

/** What an answer says of repositories: that strangers may read the one it is of, or its own words. */
function wordsOf({ repository, said = [], visibility }: Answer, strangers: boolean) {
  return repository && (strangers || visibility === 'public')
    ? [...said, { ...repository, visibility: 'public' as const }]
    : said
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
