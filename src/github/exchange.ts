import { promisify } from 'node:util'
import { gunzip, gunzipSync } from 'node:zlib'
import { ServiceError } from '../core/errors.ts'
import { receive } from './receive.ts'
import { MAX_RESPONSE_BYTES, type Upstream } from './upstream.ts'

const gunzipAsync = promisify(gunzip)
/**
 * Bytes that are inflated at once: with the default, 16 KiB, a page takes ten turns, and of a short
 * answer most of that is in vain, and taken until V8 looks through the whole heap.
 */
const LEAST_CHUNK = 1_024
const LARGEST_CHUNK = 1_048_576
/** Bytes up to which a text is inflated on this thread, in half a millisecond: another must be waited for. */
const SHORT = 262_144
/** Bytes of a gzip's end that tell how long the text is (RFC 1952, section 2.3.1, ISIZE). */
const TOLD = 4
const REDIRECTS = new Set([301, 302, 307, 308])
const MAX_REDIRECTS = 3

export type Headers = Readonly<Record<string, string | string[] | undefined>>

/** An answer without its body. */
export interface Head {
  readonly status: number
  readonly headers: Headers
}

/** An answer as it came. */
export interface Packed extends Head {
  /** As `content-encoding` says. */
  readonly packed: Buffer
  /** Redirects that were followed: calls of their own. */
  readonly redirects: number
}

export interface Exchange extends Omit<Packed, 'packed'> {
  /** Uncompressed. */
  readonly body: Buffer
}

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST'
  /** Origin-relative, with query. */
  readonly path: string
  readonly headers: Record<string, string>
  readonly body?: string
  readonly signal: AbortSignal
  /** A 302 is the answer, not a way to it: by these GitHub tells where a file is. */
  readonly found?: boolean
  /** Told of each redirect that is followed. */
  readonly onRedirect?: (head: Head) => void
  /** Told of the answer before its body has come. */
  readonly onHead?: ((head: Head) => void) | undefined
}

/** One header's value; of a repeated header all values, joined as RFC 9110 section 5.3 says. */
export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/**
 * One call to GitHub and its whole answer. Redirects of a GET are followed on the API's own origin
 * only (a renamed repository answers 301), so the credential never reaches another host.
 * @throws undici's errors for a broken exchange; ServiceError `upstream_error` for a redirect that leads away
 */
export async function exchange(
  upstream: Upstream,
  { found = false, onHead, onRedirect, ...request }: ExchangeRequest,
): Promise<Packed> {
  const targetOf = ({ headers, status }: Head) =>
    request.method === 'GET' && REDIRECTS.has(status) && !(found && status === 302)
      ? header(headers, 'location')
      : undefined
  let path = request.path
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const { bytes, ...head } = await receive(upstream.pool, {
      ...request,
      path,
      onHead(head) {
        if (targetOf(head) === undefined) onHead?.(head)
      },
    })
    const target = targetOf(head)
    if (target === undefined) return { ...head, packed: bytes, redirects: hop }
    onRedirect?.(head)
    path = pathOnOrigin(target, path, upstream.origin)
  }
  throw new ServiceError('upstream_error', 'GitHub redirected too often. Try again later.')
}

/** Takes the loop's time, unlike what came before. @throws zlib's errors for what is no gzip */
export async function unpack({ packed, ...answer }: Packed): Promise<Exchange> {
  return { ...answer, body: await inflate(packed, answer.headers) }
}

async function inflate(bytes: Buffer, headers: Headers): Promise<Buffer> {
  if (header(headers, 'content-encoding') !== 'gzip' || bytes.length === 0) return bytes
  const told = bytes.length < TOLD ? 0 : bytes.readUInt32LE(bytes.length - TOLD)
  // One more byte than the text has: only then its end is seen at once.
  const chunkSize = Math.min(LARGEST_CHUNK, Math.max(LEAST_CHUNK, told + 1))
  const short = told > SHORT ? undefined : inflateShort(bytes, chunkSize)
  return short ?? gunzipAsync(bytes, { maxOutputLength: MAX_RESPONSE_BYTES, chunkSize })
}

/** Undefined where the text is longer than it tells, as one of several parts. */
function inflateShort(bytes: Buffer, chunkSize: number): Buffer | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: SHORT, chunkSize })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined
    throw cause
  }
}

function pathOnOrigin(location: string, from: string, origin: string): string {
  const target = URL.parse(location, new URL(from, origin).href)
  if (target?.origin !== origin) {
    throw new ServiceError(
      'upstream_error',
      'GitHub redirected to another host, which is not followed.',
    )
  }
  return target.pathname + target.search
}
