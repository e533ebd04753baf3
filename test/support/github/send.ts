import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { etagOf, isNotModified } from './etag.ts'
import type { ApiVersion, Budget, Principal, Reply, Resource, World } from './types.ts'

const EXPOSED =
  'ETag, Link, Location, Retry-After, X-GitHub-OTP, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Used, X-RateLimit-Resource, X-RateLimit-Reset, X-OAuth-Scopes, X-Accepted-OAuth-Scopes, X-Poll-Interval, X-GitHub-Media-Type, X-GitHub-SSO, X-GitHub-Request-Id, Deprecation, Sunset'

/** As recorded, on every answer. */
const COMMON = [
  'Access-Control-Expose-Headers',
  EXPOSED,
  'Access-Control-Allow-Origin',
  '*',
  'Strict-Transport-Security',
  'max-age=31536000; includeSubdomains; preload',
  'X-Frame-Options',
  'deny',
  'X-Content-Type-Options',
  'nosniff',
  'X-XSS-Protection',
  '0',
  'Referrer-Policy',
  'origin-when-cross-origin, strict-origin-when-cross-origin',
  'Content-Security-Policy',
  "default-src 'none'",
]

export interface Envelope {
  version: ApiVersion
  principal: Principal
  resource: Resource
  budget: Budget
}

export interface Prepared {
  status: number
  headers: string[]
  body: Buffer
}

let lastRequest = 0

/** A reply as it goes out to this caller: validators, 304, compression, limits. */
export function prepare(
  world: World,
  request: IncomingMessage,
  reply: Reply,
  envelopeOf: (notModified: boolean) => Envelope,
): Prepared {
  const { headers: asked, method } = request
  const { status, contentType, mediaType, caching, lastModified } = reply
  const headers = ['Server', 'GitHub.com', 'Content-Type', contentType]
  const reading = method === 'GET' || method === 'HEAD'
  const compressed = status === 200 && (asked['accept-encoding'] ?? '').includes('gzip')
  const validated = caching === 'private' && reading && status === 200
  const etag = validated ? etagOf(world, reply, asked) : ''
  const notModified = validated && isNotModified(asked, etag, reply)
  const envelope = envelopeOf(notModified)
  if (validated) headers.push('ETag', compressed ? `W/${etag}` : etag)
  if (validated && lastModified) headers.push('Last-Modified', lastModified)
  if (status < 300) {
    const shared = envelope.principal.kind === 'anonymous' ? 'public' : 'private'
    const kept = `${shared}, max-age=60, s-maxage=60`
    headers.push('Cache-Control', caching === 'private' ? kept : 'no-cache')
    headers.push('Vary', 'Accept, Authorization, Cookie, X-GitHub-OTP')
  }
  headers.push('X-GitHub-Media-Type', mediaType)
  headers.push('x-github-api-version-selected', envelope.version)
  pushLimits(headers, envelope)
  headers.push(...COMMON, 'Vary', 'Accept-Encoding, Accept, X-Requested-With')
  headers.push('X-GitHub-Request-Id', requestId(), ...reply.headers)
  if (notModified) return { status: 304, headers, body: Buffer.alloc(0) }
  if (compressed) {
    reply.gzipped ??= gzipSync(reply.body)
    headers.push('Content-Encoding', 'gzip')
  }
  const body = compressed && reply.gzipped ? reply.gzipped : reply.body
  headers.push('Content-Length', String(body.length))
  return { status, headers, body }
}

function pushLimits(headers: string[], { principal, resource, budget }: Envelope): void {
  headers.push(
    'X-RateLimit-Limit',
    String(budget.limit),
    'X-RateLimit-Remaining',
    String(budget.remaining),
    'X-RateLimit-Reset',
    String(budget.reset),
    'X-RateLimit-Used',
    String(budget.used),
    'X-RateLimit-Resource',
    resource,
  )
  const classic = principal.kind === 'user' && !principal.token.permissions
  if (classic) headers.push('X-OAuth-Scopes', 'repo, user', 'X-Accepted-OAuth-Scopes', '')
}

/** Five groups of hexadecimal digits, unique in this process. */
function requestId(): string {
  const id = (++lastRequest).toString(16).toUpperCase().padStart(12, '0')
  return `${id.slice(0, 4)}:13C7:1074B74:${id.slice(4)}:62D63574`
}

/** Node leaves the body of an answer to HEAD out by itself. */
export function send(response: ServerResponse, { status, headers, body }: Prepared): void {
  response.writeHead(status, headers)
  response.end(body)
}

/** Half of what was promised, then nothing. */
export function sendTruncated(response: ServerResponse, { status, headers, body }: Prepared): void {
  response.writeHead(status, headers)
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy())
}

/** Spaces are legal before any JSON value: no parser can tell that nothing will come. */
export function sendEndless(response: ServerResponse, { headers }: Prepared): void {
  const chunk = Buffer.alloc(16_384, ' ')
  const lengths = [headers.indexOf('Content-Encoding'), headers.indexOf('Content-Length')]
  const kept = headers.slice(0, Math.min(headers.length, ...lengths.filter((at) => at >= 0)))
  response.writeHead(200, [...kept, 'Transfer-Encoding', 'chunked'])
  const pump = () => {
    if (response.destroyed) return
    // A turn of the event loop between chunks: a fast reader must not starve other connections.
    if (response.write(chunk)) setImmediate(pump)
    else response.once('drain', pump)
  }
  pump()
}
