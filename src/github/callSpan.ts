import type { Span } from '../core/trace.ts'
import { type Headers, header } from './exchange.ts'
import type { Upstream } from './upstream.ts'

/** Characters of GitHub's name of a call; those seen have at most 44. */
const LONGEST_ID = 64

/**
 * One call to GitHub as part of a trace (opentelemetry.io/docs/specs/semconv/http/http-spans), without
 * the query, which has what callers look for. The trace ends here: GitHub is sent no `traceparent`,
 * as what belongs together here is nobody's business there.
 */
export function openCall(
  parent: Span | undefined,
  method: string,
  { basePath, origin }: Upstream,
  path: string,
): Span | undefined {
  return parent?.child(method, 'client', {
    'http.request.method': method,
    'server.address': hostOf(origin),
    'url.full': origin + basePath + path.split('?', 1)[0],
  })
}

/** The same for a store of files, whose addresses are permissions: they are not told. */
export function openDownload(parent: Span | undefined, { origin }: URL): Span | undefined {
  return parent?.child('GET', 'client', {
    'http.request.method': 'GET',
    'server.address': hostOf(origin),
  })
}

/** @param failure name of the error, where there is no status */
export function closeCall(
  span: Span | undefined,
  status: number,
  headers: Headers,
  failure?: string,
): void {
  if (!span) return
  if (status > 0) span.set({ 'http.response.status_code': status })
  span.set({
    'github.ratelimit_resource': header(headers, 'x-ratelimit-resource'),
    'github.request_id': callId(headers),
  })
  const type = failure ?? (status >= 400 ? String(status) : undefined)
  if (type !== undefined) span.fail(type)
  span.end()
}

/** GitHub's own name of a call. */
export function callId(headers: Headers): string | undefined {
  return header(headers, 'x-github-request-id')?.slice(0, LONGEST_ID)
}

const hostOf = (origin: string) => new URL(origin).host
