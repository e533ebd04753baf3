import type { Block } from '../../context/answer.ts'
import type { Contracts } from '../../context/contract.ts'
import type { Engine, Meter } from '../../context/engine.ts'
import { type ContextRequest, parseRequest } from '../../context/request.ts'
import { blockItems, type FetchedItem, listedIssues, singleIssue } from './items.ts'
import { type Kind, keptRequest, type Source } from './source.ts'

/** In whose name GitHub is asked, and until when. */
export interface Caller {
  /** `X-GitHub-Token`, as it was sent. */
  readonly callerToken: string | undefined
  readonly signal: AbortSignal
  readonly meter: Meter
}

export interface Fetched {
  readonly source: Source
  /** Undefined where the answer is the one that is known. */
  readonly items: readonly FetchedItem[] | undefined
}

const KINDS: Readonly<
  Record<Kind, (request: ContextRequest, blocks: readonly Block[]) => FetchedItem[]>
> = {
  blocks: blockItems,
  issues: listedIssues,
  issue: singleIssue,
}

/** Shares of a fresh answer's time that a kept one may be old: never so old that it is itself stale. */
const FRESH_SHARE = 0.8

export interface FetchOptions {
  readonly engine: Engine
  readonly contracts: Contracts
}

/** The items of one request, by the same engine and cache as every other answer. @throws as `Engine` */
export async function fetchItems(
  { engine }: FetchOptions,
  kind: Kind,
  request: ContextRequest,
  caller: Caller,
  knownId?: string,
): Promise<Fetched> {
  const { callerToken, meter, signal } = caller
  const { entry } = await engine.get(request, { callerToken, meter, signal: () => signal })
  const { asOf, contextId, freshUntil } = entry
  const source = { kind, request: keptRequest(request), contextId, asOf, freshUntil }
  if (contextId === knownId) return { source, items: undefined }
  const { context } = JSON.parse(entry.body.toString()) as { context: readonly Block[] }
  return { source, items: KINDS[kind](request, context) }
}

/** Looks again at where items came from; unchanged things cost GitHub's limit nothing. @throws as `Engine` */
export function refetch(options: FetchOptions, source: Source, caller: Caller): Promise<Fetched> {
  const { asOf, contextId, freshUntil, kind } = source
  const request = parseRequest(options.contracts, source.request)
  const maxAge = Math.floor(((freshUntil - asOf) / 1000) * FRESH_SHARE)
  return fetchItems(options, kind, { ...request, maxAge }, caller, contextId)
}
