import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Short, printable, and nothing that could break a log line or a header. */
const SANE = /^[\w.:@/+=-]{1,128}$/

/** The caller's `X-Request-Id` when it is sane, else a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && SANE.test(given) ? given : randomUUID()
}
