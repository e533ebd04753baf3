import type { ContextRequest } from '../../context/request/request.ts'
import { keyOf } from '../items/item.ts'

/**
 * How items are made of an answer: one for each of its blocks; one for each issue or pull request of
 * a list; or one for a single issue or pull request, as if it were in a list.
 */
export type Kind = 'blocks' | 'issues' | 'issue' | 'pulls' | 'pull'

/** Lists may get new entries at any time, and what leaves them need not be gone. */
export const isList = (kind: Kind) => kind === 'issues' || kind === 'pulls'

/** Where items came from, so that they can be looked at again. Times are epoch milliseconds. */
export interface Source {
  readonly kind: Kind
  /** A context request as a caller would send it. */
  readonly request: Readonly<Record<string, unknown>>
  readonly contextId: string
  readonly asOf: number
  readonly freshUntil: number
  /** Names of what the answer depends on: events that name one make it stale at once. */
  readonly tags: readonly string[]
}

/** Equal requests of one kind are one source. */
export function sourceName(kind: Kind, request: ContextRequest): string {
  return keyOf(kind, request.key)
}

/** The request in a form that can be kept. */
export function keptRequest(request: ContextRequest): Record<string, unknown> {
  const { provider, params, maxTokens, query, minTrust } = request
  return {
    context_type: provider.type,
    params,
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(query === undefined ? {} : { query }),
    ...(minTrust === undefined ? {} : { min_trust: minTrust }),
  }
}
