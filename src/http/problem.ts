import { type Static, Type } from '@sinclair/typebox'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { type ProblemCode, problems, ServiceError } from '../core/errors.ts'
import { KEYS_ONLY } from './challenge.ts'

/** RFC 9457 problem details, as every error of the service is sent. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'Names the kind of problem' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What happened and what to do next' }),
    code: Type.Unsafe<ProblemCode>(
      Type.Union(Object.keys(problems).map((code) => Type.Literal(code))),
    ),
    request_id: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON Pointer into the request' }),
          message: Type.String(),
        }),
      ),
    ),
    retry_after: Type.Optional(Type.Integer({ description: 'Seconds' })),
  },
  { $id: 'Problem', title: 'Problem' },
)

/** The framework's own errors, in the service's words. */
const FRAMEWORK: Readonly<Record<string, [ProblemCode, string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid_request', 'The body is not valid JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid_request', 'The body is empty; send a JSON object.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload_too_large', 'The body is larger than 256 KiB.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send the body as application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'invalid_request',
    'Content-Length does not match the body.',
  ],
}

/** Any error as one that may be shown. What the service did not foresee stays unexplained to callers. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error
  const { code = '', statusCode } = error as Partial<FastifyError>
  const known = FRAMEWORK[code]
  if (known) return new ServiceError(known[0], known[1], { cause: error })
  if (error instanceof SyntaxError && statusCode === 400) {
    return new ServiceError('invalid_request', 'The body is not valid JSON.', { cause: error })
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ServiceError('invalid_request', 'The request could not be understood.', {
      cause: error,
    })
  }
  return new ServiceError(
    'internal_error',
    'Something failed here. Report the request id to the operator.',
    {
      cause: error,
    },
  )
}

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  error: ServiceError,
): FastifyReply {
  problemHeaders(reply, error)
  return reply
    .code(error.statusCode)
    .type('application/problem+json')
    .send(JSON.stringify(problemOf(request, error)))
}

/** The problem as a caller reads it. */
export function problemOf(
  request: FastifyRequest,
  { code, statusCode, detail, errors, retryAfter }: ServiceError,
): Static<typeof Problem> {
  return {
    type: `urn:github-context-service:problem:${code}`,
    title: problems[code].title,
    status: statusCode,
    detail,
    code,
    request_id: request.id,
    ...(errors ? { errors: [...errors] } : {}),
    ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
  }
}

/** What an error says in headers, whatever its body. */
export function problemHeaders(
  reply: FastifyReply,
  { retryAfter, statusCode }: ServiceError,
): void {
  reply.header('cache-control', 'no-store')
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  const challenge = reply.request.challenge ?? (statusCode === 401 ? KEYS_ONLY : undefined)
  if (challenge !== undefined) reply.header('www-authenticate', challenge)
}
