import { CODES, isObject, type Message, type Params, RpcError } from './message.ts'

/**
 * `modern`: each request says for itself which revision it is of (2026-07-28 and later). `legacy`:
 * the client opened with `initialize` (2025-11-25 and before).
 */
export type Era = 'legacy' | 'modern'

/** The latest first. */
export const MODERN_VERSIONS = ['2026-07-28'] as const
export const LEGACY_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const

/** Keys of `_meta` that the protocol has reserved. */
export const META = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
  logLevel: 'io.modelcontextprotocol/logLevel',
} as const

/** What the transport says of a message beside the message: HTTP's headers. */
export interface Envelope {
  readonly version: string | undefined
  readonly method: string | undefined
  readonly name: string | undefined
}

/** `_meta` of a message's params. */
function metaOf({ _meta: meta }: Params): Params {
  return isObject(meta) ? meta : {}
}

/**
 * The era of a message, by what it says itself; headers must agree with it
 * (specification 2026-07-28, "Streamable HTTP", "Standard Request Headers").
 * @param headers undefined where the transport has none
 * @throws RpcError with the HTTP status to answer with
 */
export function eraOf(message: Message, headers?: Envelope): Era {
  if (message.kind === 'response') return 'legacy'
  const meta = metaOf(message.params)
  const claimed = meta[META.protocolVersion]
  const claims = META.protocolVersion in meta
  const headerIsModern = headers?.version !== undefined && isModern(headers.version)
  const opens = message.kind === 'request' && message.method === 'initialize'
  if (opens && !(typeof claimed === 'string' && isModern(claimed))) {
    if (headerIsModern) throw mismatch('initialize belongs to revisions before 2026-07-28')
    return 'legacy'
  }
  if (!claims) {
    if (message.kind === 'request' && headerIsModern) throw faultyEnvelope(message.params, meta)
    if (!headerIsModern) return legacy(headers?.version)
    return 'modern'
  }
  if (message.kind === 'request') checkEnvelope(message.params, meta)
  if (typeof claimed !== 'string') throw faultyEnvelope(message.params, meta)
  checkVersions(claimed, headers)
  if (headers && message.kind === 'request') checkHeaders(message.method, message.params, headers)
  return 'modern'
}

/** Revisions are dates, so that their order is that of their names. */
const isModern = (version: string) => version >= MODERN_VERSIONS[0]

const includes = (versions: readonly string[], version: string) => versions.includes(version)

function legacy(version: string | undefined): Era {
  if (version !== undefined && !includes(LEGACY_VERSIONS, version)) {
    throw new RpcError(CODES.transport, `Unsupported protocol version ${quote(version)}.`, {
      status: 400,
      data: { supported: [...MODERN_VERSIONS, ...LEGACY_VERSIONS] },
    })
  }
  return 'legacy'
}

/** @throws RpcError `invalidParams` naming the key that is missing or wrong */
function checkEnvelope(params: Params, meta: Params): void {
  const { [META.clientCapabilities]: capabilities, [META.clientInfo]: info } = meta
  const named = isObject(info) && typeof info.name === 'string' && typeof info.version === 'string'
  if (!isObject(capabilities) || (info !== undefined && !named)) throw faultyEnvelope(params, meta)
}

function faultyEnvelope(params: Params, meta: Params): RpcError {
  const wanted = isObject(params._meta)
    ? [META.protocolVersion, META.clientCapabilities]
    : ['_meta']
  const missing = wanted.filter((key) => key === '_meta' || !(key in meta))
  const fault =
    missing.length > 0
      ? `lacks ${missing.join(' and ')}`
      : `has a ${META.protocolVersion}, ${META.clientCapabilities} or ${META.clientInfo} of the wrong form`
  return new RpcError(CODES.invalidParams, `The request ${fault}.`, {
    status: 400,
    ...(missing.length > 0 ? { data: { missing } } : {}),
  })
}

function checkVersions(claimed: string, headers: Envelope | undefined): void {
  if (headers?.version !== undefined && headers.version !== claimed)
    throw mismatch(`MCP-Protocol-Version is not the request's ${quote(claimed)}`)
  if (!includes(MODERN_VERSIONS, claimed)) {
    throw new RpcError(
      CODES.unsupportedVersion,
      `Unsupported protocol version ${quote(claimed)}.`,
      {
        status: 400,
        data: { supported: [...MODERN_VERSIONS], requested: claimed },
      },
    )
  }
}

/** Which of its params a method's `Mcp-Name` repeats. */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
}

function checkHeaders(method: string, params: Params, headers: Envelope): void {
  if (headers.version === undefined) throw mismatch('MCP-Protocol-Version is missing')
  if (headers.method === undefined) throw mismatch('Mcp-Method is missing')
  if (headers.method !== method) throw mismatch(`Mcp-Method is not ${quote(method)}`)
  const name = Object.hasOwn(NAMED_BY, method) ? params[NAMED_BY[method] as string] : undefined
  if (typeof name !== 'string') return
  if (headers.name === undefined) throw mismatch('Mcp-Name is missing')
  if (headers.name !== name && decoded(headers.name) !== name)
    throw mismatch(`Mcp-Name is not ${quote(name)}`)
}

/** What a header cannot hold as it is comes in base64. */
function decoded(value: string): string | undefined {
  const [, base64] = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/.exec(value) ?? []
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString()
}

function mismatch(what: string): RpcError {
  return new RpcError(CODES.headerMismatch, `Headers and body disagree: ${what}.`, { status: 400 })
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
