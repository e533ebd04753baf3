import type { Block } from '../../context/answer/answer.ts'
import type { Who } from '../../context/caller.ts'
import type { Engine } from '../../context/engine.ts'
import type { Contracts } from '../../context/request/contract.ts'
import { type ContextRequest, parseRequest } from '../../context/request/request.ts'
import type { Meter } from '../../core/meter.ts'
import { sideBySide } from '../sideBySide.ts'
import type { KeptItem } from '../state.ts'
import {
  blockItems,
  type FetchedItem,
  listedIssues,
  listedPulls,
  pullKey,
  singleIssue,
  singlePull,
} from './items.ts'
import { type Kind, keptRequest, type Source } from './source.ts'

/** In whose name GitHub is asked, and until when. */
export interface Caller {
  /** `X-GitHub-Token`, as it was sent. */
  readonly callerToken: string | undefined
  readonly who?: Who | undefined
  readonly signal: AbortSignal
  readonly meter: Meter
}

export interface Fetched {
  readonly source: Source
  /** Undefined where the answer is the one that is known. */
  readonly items: readonly FetchedItem[] | undefined
}

/** What one answer alone is made into. */
const ALONE = {
  blocks: blockItems,
  issues: listedIssues,
  issue: singleIssue,
  pull: singlePull,
} as const

/** Pull requests of one list that are read at once. */
const AT_ONCE = 8

/** Shares of a fresh answer's time that a kept one may be old: never so old that it is itself stale. */
const FRESH_SHARE = 0.8

export interface FetchOptions {
  readonly engine: Engine
  readonly contracts: Contracts
}

/** What is known of an answer's items. */
interface Known {
  readonly contextId: string
  readonly items: ReadonlyMap<string, KeptItem>
}

/** The items of one request, by the same engine and cache as every other answer. @throws as `Engine` */
export async function fetchItems(
  options: FetchOptions,
  kind: Kind,
  request: ContextRequest,
  caller: Caller,
  known?: Known,
): Promise<Fetched> {
  const { entry } = await get(options, request, caller)
  const { asOf, contextId, freshUntil, tags } = entry
  const source = { kind, request: keptRequest(request), contextId, asOf, freshUntil, tags }
  if (contextId === known?.contextId) return { source, items: undefined }
  const blocks = blocksOf(entry.body)
  const items =
    kind === 'pulls'
      ? await pullsOf(options, request, blocks, caller, known)
      : ALONE[kind](request, blocks)
  return { source, items }
}

/** Looks again at where items came from; unchanged things cost GitHub's limit nothing. @throws as `Engine` */
export function refetch(
  options: FetchOptions,
  source: Source,
  caller: Caller,
  items: ReadonlyMap<string, KeptItem>,
): Promise<Fetched> {
  const { asOf, contextId, freshUntil, kind } = source
  const request = parseRequest(options.contracts, source.request)
  const maxAge = Math.floor(((freshUntil - asOf) / 1000) * FRESH_SHARE)
  return fetchItems(options, kind, { ...request, maxAge }, caller, { contextId, items })
}

/** One pull request, with the files that it changes and nothing else. */
export function pullRequest({ contracts }: FetchOptions, place: object): ContextRequest {
  const params = { ...place, include: ['files'] }
  return parseRequest(contracts, { context_type: 'github_pull_request', params })
}

/**
 * Pull requests of a list, each with its files. Those that the list says are as they were are not
 * read again.
 */
async function pullsOf(
  options: FetchOptions,
  { maxAge, params }: ContextRequest,
  blocks: readonly Block[],
  caller: Caller,
  known: Known | undefined,
): Promise<readonly FetchedItem[]> {
  const { owner, repo } = params
  const read = await sideBySide(listedPulls(blocks), AT_ONCE, async (pull) => {
    const key = pullKey(blocks, pull)
    const kept = known?.items.get(key)?.item
    if (kept?.metadata?.updated_at === pull.updated_at) {
      const { source: _source, tokens: _tokens, ...item } = kept
      return [{ key, item }]
    }
    const request = pullRequest(options, { owner, repo, pull_number: pull.number })
    const { entry } = await get(options, { ...request, maxAge }, caller)
    return singlePull(request, blocksOf(entry.body))
  })
  return read.flat()
}

function get({ engine }: FetchOptions, request: ContextRequest, caller: Caller) {
  const { callerToken, meter, signal, who } = caller
  return engine.get(request, { callerToken, who, meter, signal: () => signal })
}

function blocksOf(body: Buffer): readonly Block[] {
  return (JSON.parse(body.toString()) as { context: readonly Block[] }).context
}
