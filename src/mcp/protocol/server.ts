import { ServiceError } from '../../core/errors.ts'
import { type Era, LEGACY_VERSIONS, META, MODERN_VERSIONS } from './era.ts'
import {
  CODES,
  errorResponse,
  isObject,
  type Params,
  RpcError,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
} from './message.ts'
import {
  type Call,
  cacheable,
  isMembers,
  type Method,
  type Methods,
  type Result,
} from './methods.ts'

export interface ServerInfo {
  readonly name: string
  readonly title?: string
  readonly version: string
}

/** What is served to clients of one era. */
export interface Side {
  readonly capabilities: object
  readonly methods: Methods
}

export interface ServerOptions {
  readonly info: ServerInfo
  /** How to use what is offered, in words for a model. */
  readonly instructions?: string
  readonly sides: Readonly<Record<Era, Side>>
  /** Told of what needs no answer: what a client notifies of, and its answers to questions. */
  readonly onMessage?: (message: RpcNotification | RpcResponse) => void
  /** Told of what nobody foresaw. */
  readonly onError: (error: unknown) => void
}

/** An answer as it is sent. */
export interface Answer {
  /** HTTP status. */
  readonly status: number
  readonly body: Buffer
  /** The scope that the caller's access token lacks. */
  readonly scope?: string | undefined
  /** What kind of failure it tells of, as `error.type` names it in traces. */
  readonly failure?: string | undefined
}

/** Answers requests, over whichever transport they came. */
export interface McpServer {
  /** Never throws: what fails is answered as an error. */
  answer(request: RpcRequest, call: Omit<Call, 'id' | 'meta'>): Promise<Answer>
  /** Takes what needs no answer. */
  take(message: RpcNotification | RpcResponse): void
}

const END = Buffer.from('}}')
/** Milliseconds for which clients need not ask again what a server is. */
const DISCOVERED_FOR = 3_600_000

/** The protocol's own methods around those of `sides`. */
export function createMcpServer(options: ServerOptions): McpServer {
  const { info, instructions, sides, onError, onMessage = () => {} } = options
  const words = instructions === undefined ? {} : { instructions }
  const methods: Record<Era, Methods> = {
    legacy: {
      ...sides.legacy.methods,
      ping: () => ({}),
      initialize: ({ protocolVersion }) => ({
        protocolVersion: LEGACY_VERSIONS.find((v) => v === protocolVersion) ?? LEGACY_VERSIONS[0],
        capabilities: sides.legacy.capabilities,
        serverInfo: info,
        ...words,
      }),
    },
    modern: {
      ...sides.modern.methods,
      'server/discover': (_params, call) => {
        const { capabilities } = sides.modern
        const result = { supportedVersions: [...MODERN_VERSIONS], capabilities, ...words }
        return cacheable(call, result, { ttlMs: DISCOVERED_FOR, cacheScope: 'public' })
      },
    },
  }
  const stamp = { [META.serverInfo]: info }
  const opening = `"resultType":"complete","_meta":${JSON.stringify(stamp)},`

  function encode(era: Era, id: string, result: Result): Buffer {
    if (isMembers(result)) {
      const start = `{"jsonrpc":"2.0","id":${id},"result":{${era === 'modern' ? opening : ''}`
      return Buffer.concat([Buffer.from(start), result.members, END])
    }
    const whole = era === 'modern' ? stamped(result) : result
    return Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(whole)}}`)
  }

  function stamped(result: Params): object {
    const meta = isObject(result._meta) ? result._meta : {}
    return { resultType: 'complete', ...result, _meta: { ...stamp, ...meta } }
  }

  return {
    take: onMessage,
    async answer({ id, method, params }, call) {
      try {
        const run = methodOf(methods[call.era], method)
        const meta = isObject(params._meta) ? params._meta : {}
        const result = await run(params, { ...call, id, meta })
        const failure = isToolError(result) ? 'tool_error' : undefined
        return { status: 200, body: encode(call.era, JSON.stringify(id), result), failure }
      } catch (error) {
        const shown = toRpcError(error)
        if (error instanceof ServiceError) call.caller.failed?.(error)
        if (shown.code === CODES.internalError) onError(error)
        const { scope } = shown
        const status = call.era === 'modern' || scope !== undefined ? shown.status : 200
        const body = Buffer.from(JSON.stringify(errorResponse(id, shown)))
        return { status, scope, body, failure: String(shown.code) }
      }
    },
  }
}

const isToolError = (result: Result) => !isMembers(result) && result.isError === true

/** @throws RpcError `methodNotFound` */
function methodOf(methods: Methods, name: string): Method {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined
  if (method) return method
  const known = Object.keys(methods).join(', ')
  throw new RpcError(CODES.methodNotFound, `There is no such method here. There are ${known}.`, {
    status: 404,
  })
}

/** Any error as one of the protocol's. What nobody foresaw stays unexplained. */
function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error
  if (!(error instanceof ServiceError) || error.code === 'internal_error') {
    const detail = 'Something failed here. Report the request id to the operator.'
    return new RpcError(CODES.internalError, detail, { cause: error })
  }
  const { code, detail, errors, retryAfter, statusCode } = error
  const data = { code, status: statusCode, ...(errors ? { errors } : {}) }
  return new RpcError(statusCode === 400 ? CODES.invalidParams : CODES.transport, detail, {
    data: retryAfter === undefined ? data : { ...data, retry_after: retryAfter },
    cause: error,
  })
}
