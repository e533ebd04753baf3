import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { problems, ServiceError } from '../core/errors.ts'
import { SECURITY_HEADERS } from './plugins/security.ts'
import { sendProblem } from './problem.ts'

/** What the framework cannot route, before any hook: an address that is badly encoded or far too long. */
export function answerUnroutable(
  _error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  reply.headers(SECURITY_HEADERS).header('x-request-id', request.id)
  const detail = 'The address cannot be read. Check its length and its percent-encoding.'
  void sendProblem(request, reply, new ServiceError('invalid_request', detail))
}

const CODE = 'invalid_request'

/** What is no HTTP, or too slow to be read: [status, what to do next] by Node's code. */
const FAULTS: Readonly<Record<string, readonly [number, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive. Send it at once.'],
  HPE_HEADER_OVERFLOW: [431, 'The headers are larger than 16 KiB. Send fewer.'],
}
const MALFORMED = [400, 'This is not a request of HTTP/1.1.'] as const

/** Answers what never became a request, and closes its connection. */
export function answerClientError({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
  // A reset leaves nobody to tell.
  if (code !== 'ECONNRESET' && socket.writable) socket.write(answerOf(FAULTS[code] ?? MALFORMED))
  socket.destroy()
}

function answerOf([status, detail]: readonly [number, string]): string {
  const id = randomUUID()
  const body = JSON.stringify({
    type: `urn:github-context-service:problem:${CODE}`,
    title: problems[CODE].title,
    status,
    detail,
    code: CODE,
    request_id: id,
  })
  const headers = {
    ...SECURITY_HEADERS,
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
    'content-length': body.length,
    'x-request-id': id,
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`
}
