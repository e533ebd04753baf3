/** JSON-RPC 2.0 as the Model Context Protocol uses it (modelcontextprotocol.io/specification, "Base Protocol"). */

export type RequestId = string | number
export type Params = Readonly<Record<string, unknown>>

export interface RpcRequest {
  readonly kind: 'request'
  readonly id: RequestId
  readonly method: string
  readonly params: Params
}

export interface RpcNotification {
  readonly kind: 'notification'
  readonly method: string
  readonly params: Params
}

/** The other side's answer to a request of ours. */
export interface RpcResponse {
  readonly kind: 'response'
  readonly id: RequestId | null
  readonly result?: unknown
  readonly error?: unknown
}

export type Message = RpcRequest | RpcNotification | RpcResponse

export const CODES = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internalError: -32_603,
  /** Of the transport, before a message was looked at. */
  transport: -32_000,
  /** Of revisions before 2026-07-28. */
  resourceNotFound: -32_002,
  headerMismatch: -32_020,
  unsupportedVersion: -32_022,
} as const

export interface RpcErrorOptions {
  readonly data?: unknown
  /** HTTP status where the error is the whole answer. */
  readonly status?: number
  /** The scope that the caller's access token lacks. */
  readonly scope?: string
  readonly cause?: unknown
}

/** An error of the protocol's own, as opposed to a tool that fails. */
export class RpcError extends Error {
  readonly code: number
  readonly data: unknown
  readonly status: number
  readonly scope: string | undefined

  constructor(code: number, message: string, options: RpcErrorOptions = {}) {
    const { data, status = 200, scope, cause } = options
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'RpcError'
    this.code = code
    this.data = data
    this.status = status
    this.scope = scope
  }
}

export function isObject(value: unknown): value is Params {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws RpcError `parseError` */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RpcError(CODES.parseError, 'This is not JSON.', { status: 400, cause })
  }
}

const NONE: Params = Object.freeze({})

/**
 * One message out of parsed JSON.
 * @throws RpcError `invalidRequest` for anything else
 */
export function readMessage(value: unknown): Message {
  if (isObject(value) && value.jsonrpc === '2.0') {
    const { id, method, params = NONE, result, error } = value
    const hasId = typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id))
    if (typeof method === 'string' && isObject(params)) {
      if (hasId) return { kind: 'request', id, method, params }
      if (!('id' in value)) return { kind: 'notification', method, params }
    }
    if (method === undefined && (hasId || id === null) && (result ?? error) !== undefined)
      return { kind: 'response', id, result, error }
  }
  throw new RpcError(CODES.invalidRequest, 'This is not a JSON-RPC 2.0 message.', { status: 400 })
}

/** The id that an answer to a message must carry: null where none can be told. */
export function idOf(value: unknown): RequestId | null {
  if (!isObject(value) || typeof value.method !== 'string') return null
  return typeof value.id === 'string' || typeof value.id === 'number' ? value.id : null
}

export function errorResponse(id: RequestId | null, { code, message, data }: RpcError): object {
  return {
    jsonrpc: '2.0',
    id,
    error: { code, message, ...(data === undefined ? {} : { data }) },
  }
}
