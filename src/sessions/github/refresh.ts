import type { Invalidations } from '../../cache/invalidations.ts'
import { type ContextRequest, parseRequest } from '../../context/request/request.ts'
import { ServiceError } from '../../core/errors.ts'
import { createPace, measureTokens, type Pace } from '../../core/tokens.ts'
import { type Item, shownOf } from '../items/item.ts'
import { sideBySide } from '../sideBySide.ts'
import type { KeptItem, SessionState } from '../state.ts'
import {
  type Caller,
  type Fetched,
  type FetchOptions,
  fetchItems,
  pullRequest,
  refetch,
} from './fetch.ts'
import type { FetchedItem } from './items.ts'
import { isList, type Kind, type Source, sourceName } from './source.ts'

/** Sources that are looked at again at once. */
const AT_ONCE = 8
/** Milliseconds that a turn waits for GitHub at most. */
const PATIENCE = 5_000
/** Seconds: how old an issue may be that is looked up because it has left its list. */
const LOOKUP_AGE = 30

export interface RefreshOptions extends FetchOptions {
  readonly now: () => number
  /** What events since an answer was asked for mean for it. */
  readonly verdict: Invalidations['verdict']
  /** Told of failures that are not GitHub's. */
  readonly onFailure: (error: unknown) => void
}

/** An item that GitHub has no longer, or that may no longer be read. */
export interface Gone extends KeptItem {
  readonly why: ServiceError
}

/** A session's items as GitHub has them now, as far as it could be asked. */
export interface Refreshed {
  /** By key, in the session's order. */
  readonly items: ReadonlyMap<string, KeptItem>
  readonly changed: ReadonlySet<string>
  readonly gone: readonly Gone[]
  /** Items that could not be looked at, and why. */
  readonly unavailable: ReadonlyMap<string, ServiceError>
  /** All that changed; undefined for those that are of no more use. */
  readonly sources: ReadonlyMap<string, Source | undefined>
}

interface Draft extends Refreshed {
  readonly items: Map<string, KeptItem>
  readonly changed: Set<string>
  readonly gone: Gone[]
  readonly unavailable: Map<string, ServiceError>
  readonly sources: Map<string, Source | undefined>
}

type Attempt = (work: (caller: Caller) => Promise<Fetched>) => Promise<Fetched | ServiceError>

/**
 * Looks again at what is past its freshness. GitHub's failures are told of, never thrown.
 * @throws the caller's signal's reason
 */
export async function refresh(
  options: RefreshOptions,
  state: SessionState,
  caller: Caller,
): Promise<Refreshed> {
  const draft: Draft = {
    items: new Map(state.items.map((item) => [item.key, item])),
    changed: new Set(),
    gone: [],
    unavailable: new Map(),
    sources: new Map(),
  }
  const due = dueSources(state, options, caller)
  if (due.length === 0) return draft
  const attempt = createAttempt(options, caller)
  const found = await sideBySide(due, AT_ONCE, ([, source]) =>
    attempt((asker) => refetch(options, source, asker, draft.items)),
  )
  const pace = createPace()
  for (const [index, [name, source]] of due.entries()) {
    const outcome = found[index] as Fetched | ServiceError
    if (outcome instanceof ServiceError) applyFailure(draft, name, outcome)
    else await applyAnswer(draft, name, source, outcome, { options, attempt, pace })
  }
  return draft
}

/** What is past its freshness or was named by an event, unless nothing is left of it and it is no list. */
function dueSources(
  state: SessionState,
  { now, verdict }: RefreshOptions,
  { who }: Caller,
): [string, Source][] {
  if (state.sources.size === 0) return []
  const at = now()
  const used = new Set(state.items.map(({ item }) => item.source))
  const allowed = who?.policy?.allowed
  // What the caller may no longer read is found out now, not when it would be looked at anyway.
  const isForbidden = ({ request: { params } }: Source) =>
    params instanceof Object && 'repo' in params && allowed?.permits({ ...params }) === false
  const isDue = (source: Source) =>
    source.freshUntil <= at || verdict(source) !== undefined || isForbidden(source)
  return [...state.sources].filter(
    ([name, source]) => (isList(source.kind) || used.has(name)) && isDue(source),
  )
}

function createAttempt({ onFailure }: RefreshOptions, caller: Caller): Attempt {
  const late = AbortSignal.timeout(PATIENCE)
  const asker = { ...caller, signal: AbortSignal.any([caller.signal, late]) }
  return async (work) => {
    try {
      return await work(asker)
    } catch (error) {
      caller.signal.throwIfAborted()
      if (error instanceof ServiceError) return error
      if (late.aborted) return new ServiceError('upstream_timeout', 'GitHub took too long.')
      onFailure(error)
      return new ServiceError('internal_error', 'The service could not look at it.')
    }
  }
}

/** GitHub's word, or the operator's, that this caller may not have it: the copy goes too. */
function isFinal({ code }: ServiceError): boolean {
  return code === 'not_found' || code === 'upstream_forbidden' || code === 'forbidden'
}

function ofSource({ items }: Draft, name: string): KeptItem[] {
  return [...items.values()].filter(({ item }) => item.source === name)
}

function applyFailure(draft: Draft, name: string, why: ServiceError): void {
  for (const item of ofSource(draft, name)) fail(draft, item, why)
  if (isFinal(why)) draft.sources.set(name, undefined)
}

function fail(draft: Draft, item: KeptItem, why: ServiceError): void {
  if (!isFinal(why)) draft.unavailable.set(item.key, why)
  else {
    draft.items.delete(item.key)
    draft.gone.push({ ...item, why })
  }
}

interface Means {
  readonly options: RefreshOptions
  readonly attempt: Attempt
  readonly pace: Pace
}

async function applyAnswer(
  draft: Draft,
  name: string,
  { kind }: Source,
  { source, items }: Fetched,
  means: Means,
): Promise<void> {
  draft.sources.set(name, source)
  if (!items) return
  const found = kind === 'blocks' ? underOldKeys(ofSource(draft, name), items) : items
  const present = new Set(found.map(({ key }) => key))
  for (const { key, item } of found) {
    const known = draft.items.get(key)
    // Somebody else's by now: another request's, or one that the caller sent.
    if (known && known.item.source !== name) continue
    await put(draft, key, { ...item, source: name }, means.pace)
  }
  const left = ofSource(draft, name).filter(({ key }) => !present.has(key))
  if (isList(kind)) await lookUp(draft, left, means)
  else for (const item of left) fail(draft, item, notThere())
}

/**
 * A block may change its id with its content: a window that has grown, an issue that was moved. What
 * no longer has its old id is the same thing as what there was in its place.
 */
function underOldKeys(
  known: readonly KeptItem[],
  found: readonly FetchedItem[],
): readonly FetchedItem[] {
  const keys = new Set(found.map(({ key }) => key))
  const left = known.filter(({ key }) => !keys.has(key))
  const old = new Set(known.map(({ key }) => key))
  return found.map((each) => {
    if (old.has(each.key)) return each
    const at = left.findIndex(({ item }) => item.type === each.item.type)
    const [same] = at === -1 ? [] : left.splice(at, 1)
    return same ? { key: same.key, item: each.item } : each
  })
}

function notThere(): ServiceError {
  return new ServiceError('not_found', 'It is no longer there.')
}

/** What has left its list is looked up by itself: it may have been closed, or pushed out by others. */
async function lookUp(draft: Draft, left: readonly KeptItem[], means: Means): Promise<void> {
  const { attempt, options, pace } = means
  const lookups = left.map(({ item }) => lookupOf(options, item))
  const found = await sideBySide(lookups, AT_ONCE, ({ kind, request }) =>
    attempt((caller) => fetchItems(options, kind, request, caller)),
  )
  for (const [index, item] of left.entries()) {
    const outcome = found[index] as Fetched | ServiceError
    if (outcome instanceof ServiceError) {
      fail(draft, item, outcome)
      continue
    }
    const { kind, request } = lookups[index] as (typeof lookups)[number]
    const name = sourceName(kind, request)
    draft.sources.set(name, outcome.source)
    for (const fetched of outcome.items ?? []) {
      await put(draft, fetched.key, { ...fetched.item, source: name }, pace)
      // Transferred to another repository.
      if (fetched.key !== item.key) fail(draft, item, notThere())
    }
  }
}

/** What asks for an item of a list by itself. */
function lookupOf(
  options: RefreshOptions,
  { issue_id, metadata, pr_id }: Item,
): { kind: Kind; request: ContextRequest } {
  const [owner, repo] = String(metadata?.repository).split('/')
  if (pr_id != null) {
    const request = pullRequest(options, { owner, repo, pull_number: pr_id })
    return { kind: 'pull', request: { ...request, maxAge: LOOKUP_AGE } }
  }
  const params = { owner, repo, issue_number: issue_id, max_comments: 0 }
  const request = parseRequest(options.contracts, { context_type: 'github_issue', params })
  return { kind: 'issue', request: { ...request, maxAge: LOOKUP_AGE } }
}

/** An item is replaced where it says something else than before, in the place that it has. */
async function put(
  draft: Draft,
  key: string,
  fetched: Omit<Item, 'tokens'>,
  pace: Pace,
): Promise<void> {
  const known = draft.items.get(key)
  if (known && isSame(known.item, fetched)) return
  const item: Item = { ...fetched, tokens: await measureTokens(shownOf(fetched), pace) }
  draft.items.set(key, { key, item, version: known?.version, before: beforeOf(known) })
  draft.changed.add(key)
}

/** What the last turn knew: the first version that was replaced since, not the latest. */
function beforeOf(known: KeptItem | undefined): KeptItem['before'] {
  if (!known) return null
  return known.before === undefined ? known.item : known.before
}

function isSame({ tokens: _, ...known }: Item, fetched: Omit<Item, 'tokens'>): boolean {
  return JSON.stringify(known) === JSON.stringify(fetched)
}
