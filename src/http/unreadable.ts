import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ServiceError } from '../core/errors.ts'
import { sendProblem, toServiceError } from './problem.ts'

/** Answers what has no route because its address cannot be read: Fastify's hooks do not see it. */
export function refuseAddress(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  void sendProblem(request, reply.header('x-request-id', request.id), problemOf(error))
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

const UNREADABLE: Readonly<Record<string, [status: number, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request was not sent in time. Send it again, faster.'],
  HPE_HEADER_OVERFLOW: [431, 'The address and headers are larger than 16 KiB together.'],
}

/**
 * Answers what is no HTTP (nodejs.org/api/http.html, "Event: 'clientError'"): there is no request then,
 * only a connection, which ends with it.
 */
export function refuseBytes(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (socket.writable) socket.write(responseTo(error.code))
  socket.destroy(error)
}

function responseTo(code = ''): string {
  const [status, detail] = UNREADABLE[code] ?? [400, 'The request is not valid HTTP/1.1.']
  const id = randomUUID()
  const body = JSON.stringify({
    type: 'urn:github-context-service:problem:invalid_request',
    title: STATUS_CODES[status],
    status,
    detail,
    code: 'invalid_request',
    request_id: id,
  })
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    `X-Request-Id: ${id}`,
    'Connection: close',
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
