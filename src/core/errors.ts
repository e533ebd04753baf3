/** Every problem a caller can meet: its code, HTTP status and title (RFC 9457, section 3.1). */
export const problems = {
  invalid_request: { status: 400, title: 'Invalid request' },
  unknown_context_type: { status: 400, title: 'Unknown context type' },
  unauthorized: { status: 401, title: 'Unauthorized' },
  forbidden: { status: 403, title: 'Forbidden' },
  not_found: { status: 404, title: 'Not found' },
  not_acceptable: { status: 406, title: 'Not acceptable' },
  payload_too_large: { status: 413, title: 'Payload too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  rate_limited: { status: 429, title: 'Too many requests' },
  upstream_rate_limited: { status: 503, title: 'GitHub rate limit reached' },
  upstream_auth: { status: 502, title: 'GitHub refused the credential' },
  upstream_forbidden: { status: 403, title: 'GitHub refused access' },
  upstream_error: { status: 502, title: 'GitHub answered with an error' },
  upstream_unreachable: { status: 502, title: 'GitHub cannot be reached' },
  upstream_timeout: { status: 504, title: 'GitHub took too long' },
  provider_error: { status: 502, title: 'A provider of context failed' },
  provider_timeout: { status: 504, title: 'A provider of context took too long' },
  conflict: { status: 409, title: 'Conflict' },
  model_auth: { status: 502, title: 'The model refused the credential' },
  model_rate_limited: { status: 503, title: 'The model is over its limit' },
  model_timeout: { status: 504, title: 'The model took too long' },
  model_error: { status: 502, title: 'The model answered with an error' },
  auth_unavailable: { status: 503, title: 'Access tokens cannot be checked' },
  overloaded: { status: 503, title: 'Overloaded' },
  internal_error: { status: 500, title: 'Internal error' },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof problems

/** One fault of the caller's input; `pointer` is a JSON Pointer (RFC 6901) into the request. */
export interface Fault {
  readonly pointer: string
  readonly message: string
}

export interface ProblemOptions {
  readonly errors?: readonly Fault[]
  /** Seconds until a retry makes sense. */
  readonly retryAfter?: number
  /** GitHub's own status, where the problem came from an answer of GitHub's. */
  readonly upstreamStatus?: number
  readonly cause?: unknown
}

/**
 * The only error that may reach a caller. `detail` is written for that caller and says what to do
 * next; it never holds a token, a stack or a body of GitHub's.
 */
export class ServiceError extends Error {
  readonly code: ProblemCode
  readonly statusCode: number
  readonly detail: string
  readonly errors: readonly Fault[] | undefined
  readonly retryAfter: number | undefined
  readonly upstreamStatus: number | undefined

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ServiceError'
    this.code = code
    this.statusCode = problems[code].status
    this.detail = detail
    this.errors = options.errors
    this.retryAfter = options.retryAfter
    this.upstreamStatus = options.upstreamStatus
  }
}

/** A fault in the caller's input at one place. */
export function invalid(pointer: string, message: string): ServiceError {
  return new ServiceError('invalid_request', `${pointer || 'The request'}: ${message}`, {
    errors: [{ pointer, message }],
  })
}
