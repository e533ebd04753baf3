import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { problems, ServiceError } from '../core/errors.ts'
import { closeSoon } from './closing.ts'
import { SECURITY_HEADERS } from './plugins/security.ts'
import { sendProblem, toServiceError } from './problem.ts'

/** Answers what has no route because its address cannot be read: Fastify's hooks do not see it. */
export function refuseAddress(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  reply.headers(SECURITY_HEADERS).header('x-request-id', request.id)
  void sendProblem(request, reply, problemOf(error))
}

function problemOf(error: FastifyError): ServiceError {
  if (error.code === 'FST_ERR_BAD_URL')
    return new ServiceError(
      'invalid_request',
      'The address cannot be decoded: write a % that stands for itself as %25.',
      { cause: error },
    )
  // No name that is given out here is as long.
  if (error.code === 'FST_ERR_MAX_PARAM_LENGTH')
    return new ServiceError('not_found', 'Nothing has a name as long as the one in the address.', {
      cause: error,
    })
  return toServiceError(error)
}

const CODE = 'invalid_request'
/** What is no HTTP, or too slow to be read: status and what to do next, by Node's code. */
const UNREADABLE: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request was not sent in time. Send it again, faster.'],
  HPE_HEADER_OVERFLOW: [431, 'The address and headers are larger than 16 KiB together.'],
}

/**
 * Answers what is no HTTP (nodejs.org/api/http.html, "Event: 'clientError'"): there is no request then,
 * only a connection, which ends with it.
 */
export function refuseBytes({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
  // A reset leaves nobody to tell.
  if (code === 'ECONNRESET') socket.destroy()
  // Of what comes after the answer that ends it, nothing is readable.
  else if (socket.writable) {
    socket.write(responseTo(code))
    closeSoon(socket)
  }
}

function responseTo(code: string): string {
  const [status, detail] = UNREADABLE[code] ?? [400, 'The request is not valid HTTP/1.1.']
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
    'content-length': Buffer.byteLength(body),
    'x-request-id': id,
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`
}
