import type { AnswerEntry } from '../../cache/entry.ts'
import { ServiceError } from '../../core/errors.ts'
import { type FetchOptions, fetchContext, textOf } from '../fetchContext.ts'
import { CODES, RpcError } from '../protocol/message.ts'
import { type Call, cacheable, type Methods } from '../protocol/methods.ts'
import { MARKDOWN, type RequestOf } from './templates.ts'

export interface ReadOptions extends FetchOptions {
  readonly requestOf: RequestOf
  readonly now: () => number
}

/** What of a caller's problems means that there is no such resource for it. */
const MISSING = new Set(['not_found', 'invalid_request', 'unknown_context_type'])

/** `resources/read`: the text of a context. */
export function readMethods(options: ReadOptions): Methods {
  return {
    async 'resources/read'({ uri }, call) {
      if (typeof uri !== 'string') throw new RpcError(CODES.invalidParams, 'uri must be a string.')
      const { body, freshUntil } = await readResource(options, uri, call)
      const text = textOf(body)
      const ttlMs = Math.max(0, Math.floor(freshUntil - options.now()))
      // Answers are kept apart by credential: no cache may hand one caller's to another.
      const hint = { ttlMs, cacheScope: 'private' } as const
      return cacheable(call, { contents: [{ uri, mimeType: MARKDOWN, text }] }, hint)
    },
  }
}

/** @throws RpcError where there is no such resource; ServiceError where GitHub cannot say */
export async function readResource(
  options: Omit<ReadOptions, 'now'>,
  uri: string,
  call: Call,
): Promise<AnswerEntry> {
  try {
    const request = options.requestOf(uri, call)
    if (!request) throw new ServiceError('not_found', 'No context type has such an address.')
    return (await fetchContext(options, request, call)).entry
  } catch (error) {
    if (error instanceof ServiceError && MISSING.has(error.code)) throw missing(uri, error, call)
    throw error
  }
}

/** The protocol's error for it, which is another one in each era (specification, "Resources", "Error Handling"). */
function missing(uri: string, { detail }: ServiceError, { era }: Call): RpcError {
  const code = era === 'modern' ? CODES.invalidParams : CODES.resourceNotFound
  return new RpcError(code, `Resource not found. ${detail}`, { data: { uri } })
}
