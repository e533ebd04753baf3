import type { Caller } from '../caller.ts'
import type { Era } from './era.ts'
import type { Params, RequestId } from './message.ts'

/** One request while it is answered. */
export interface Call {
  readonly era: Era
  readonly id: RequestId
  /** `_meta` of the request. */
  readonly meta: Params
  readonly caller: Caller
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: () => AbortSignal
  /**
   * Sends a message that belongs to this request ahead of its answer, which over HTTP makes the
   * answer a stream. Absent where the client takes none.
   */
  readonly send: ((message: object) => void) | undefined
}

/** Members of a result that are serialised already: JSON without the braces around it. */
export interface Members {
  readonly members: Buffer
}

export type Result = Readonly<Record<string, unknown>> | Members

/**
 * Answers one method.
 * @throws RpcError, or a ServiceError, whose `detail` becomes the error's message
 */
export type Method = (params: Params, call: Call) => Result | Promise<Result>
export type Methods = Readonly<Record<string, Method>>

export function isMembers(result: Result): result is Members {
  return Buffer.isBuffer((result as Members).members)
}

/** A notification as it is sent. */
export function notification(method: string, params: object): object {
  return { jsonrpc: '2.0', method, params }
}

/** What may be kept by the client, and for how long (specification 2026-07-28, "Caching"). */
export interface CacheHint {
  /** Milliseconds. */
  readonly ttlMs: number
  /** `public`: the same for every caller. */
  readonly cacheScope: 'public' | 'private'
}

/** A result with its hint, which earlier revisions do not know. */
export function cacheable(call: Pick<Call, 'era'>, result: object, hint: CacheHint): Result {
  return call.era === 'modern' ? { ...result, ...hint } : { ...result }
}
