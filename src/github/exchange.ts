import { ServiceError } from '../core/errors.ts'
import { inflate } from './inflate.ts'
import { receive } from './receive.ts'
import type { Upstream } from './upstream.ts'

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
  /** The same as it came, where it came zipped. */
  readonly gzip?: Buffer
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

/** @throws zlib's errors for what is no gzip */
export async function unpack({ packed, ...answer }: Packed): Promise<Exchange> {
  const isZipped = header(answer.headers, 'content-encoding') === 'gzip' && packed.length > 0
  return isZipped
    ? { ...answer, body: await inflate(packed), gzip: packed }
    : { ...answer, body: packed }
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
