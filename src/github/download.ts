import { ServiceError } from '../core/errors.ts'
import type { Download } from '../core/github.ts'
import { asRead } from '../core/terminal.ts'
import { errorType } from '../core/trace.ts'
import { type CallOptions, call } from './call.ts'
import { closeCall, openDownload } from './callSpan.ts'
import { type Exchange, header } from './exchange.ts'
import { failureOf, failureOfTransport, nothingHere } from './failures.ts'
import { type Patience, patiently, type Reading, type Usage } from './patiently.ts'

/** Bytes that are read of one file at most, whatever is kept of them. */
const MOST_READ = 64 * 1024 * 1024

/**
 * The end of a file that GitHub leads to by a redirect. GitHub is asked with the credential, the store
 * without: the address itself is the permission, and holds for a minute, so both are one attempt.
 * @throws ServiceError as `GitHub.download`
 */
export function download(
  options: CallOptions & Patience,
  reading: Reading,
  usage: Usage,
  path: string,
  tail: number,
): Promise<Download> {
  usage.changed += 1
  return patiently(options, reading, async (attempt, authorization) => {
    const { caller, credential, onAnswer, signal, span, urgency } = attempt
    const answer = await call(options, {
      by: credential,
      method: 'GET',
      path,
      headers: authorization === undefined ? {} : { authorization },
      found: true,
      urgency,
      caller,
      signal,
      span,
      onAnswer,
      onSend: () => {
        usage.calls += 1
      },
    })
    if (answer.status !== 302) {
      const failure = failureOf(answer, options.now(), credential.from)
      if (failure) throw failure
      return lastOf([answer.body], tail, 0)
    }
    return fetchTail(options, addressIn(answer, options), tail, attempt)
  })
}

function addressIn({ headers }: Exchange, { upstream }: CallOptions): URL {
  const address = URL.parse(header(headers, 'location') ?? '', upstream.origin)
  if (address && upstream.stores.permits(address)) return address
  throw new ServiceError(
    'upstream_error',
    'GitHub keeps this file on a host that is not known to be its own, and it was not fetched. The operator can add the host to GITHUB_DOWNLOAD_HOSTS.',
    { upstreamStatus: 302 },
  )
}

async function fetchTail(
  { onCall, upstream, userAgent }: CallOptions,
  address: URL,
  tail: number,
  { signal, span: parent }: Pick<Reading, 'signal' | 'span'>,
): Promise<Download> {
  const started = performance.now()
  const span = openDownload(parent, address)
  let broken: string | undefined
  let status = 0
  try {
    const { agent } = upstream.stores
    const { body, headers, statusCode } = await agent.request({
      origin: address.origin,
      path: address.pathname + address.search,
      method: 'GET',
      headers: { 'user-agent': userAgent, 'accept-encoding': 'identity' },
      signal,
    })
    status = statusCode
    const failure = failureAt(statusCode, header(headers, 'content-encoding'))
    if (failure) {
      // What is thrown away unread says so as an error, which nobody else would hear.
      body.on('error', () => {}).destroy()
      throw failure
    }
    return await readTail(body, tail)
  } catch (cause) {
    broken = errorType(cause)
    throw failureOfTransport(cause)
  } finally {
    closeCall(span, status, {}, broken)
    onCall({ resource: 'download', status, duration: performance.now() - started })
  }
}

function failureAt(status: number, encoding: string | undefined): ServiceError | undefined {
  if (status === 404 || status === 410) return nothingHere(status)
  if (status === 200 && (encoding ?? 'identity') === 'identity') return undefined
  return new ServiceError(
    'upstream_error',
    'GitHub’s store does not give the file. Try again later.',
    { upstreamStatus: status },
  )
}

/** Keeps the last `tail` bytes while the rest flows by. */
async function readTail(body: AsyncIterable<Buffer>, tail: number): Promise<Download> {
  const kept: Buffer[] = []
  let size = 0
  let skipped = 0
  for await (const chunk of body) {
    kept.push(chunk)
    size += chunk.length
    for (let first = kept[0]; first && size - first.length >= tail; first = kept[0]) {
      kept.shift()
      size -= first.length
      skipped += first.length
    }
    if (size + skipped > MOST_READ) {
      throw new ServiceError('upstream_error', 'The file is too large to look for its end.', {
        upstreamStatus: 200,
      })
    }
  }
  return lastOf(kept, tail, skipped)
}

/** Whole lines, as far as there are any. */
function lastOf(chunks: readonly Buffer[], tail: number, before: number): Download {
  const all = Buffer.concat(chunks)
  const cut = Math.max(0, all.length - tail)
  if (cut + before === 0) return { text: asRead(all.toString()), skipped: 0 }
  const line = all.indexOf(10, cut) + 1
  const start = line > 0 && line < all.length ? line : cut
  return { text: asRead(all.subarray(start).toString()), skipped: before + start }
}
