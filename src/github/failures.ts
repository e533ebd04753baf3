import { ServiceError } from '../core/errors.ts'
import { type Exchange, header } from './exchange.ts'
import { type Limited, readLimited, readRetryAfter } from './limits.ts'

/** Whom a refused credential concerns: only who sent it or set it can mend it. */
const REFUSED = {
  service:
    'GitHub refuses the credential that this service uses. Its operator must check GITHUB_TOKEN or the GitHub App.',
  caller:
    'GitHub refuses the token sent as X-GitHub-Token: it is wrong, expired or revoked. Send one that GitHub takes.',
} as const

/**
 * What GitHub's answer means to the caller, or undefined when it is a good one.
 * @param from whose credential was sent
 */
export function failureOf(
  answer: Exchange,
  now: number,
  from: keyof typeof REFUSED = 'service',
): ServiceError | undefined {
  const upstreamStatus = answer.status
  if (upstreamStatus < 300 || upstreamStatus === 304) return undefined
  const limited = readLimited(answer, now)
  if (limited) return limitReached(limited, upstreamStatus)
  switch (upstreamStatus) {
    case 401:
      return new ServiceError('upstream_auth', REFUSED[from], { upstreamStatus })
    case 403:
      return new ServiceError('upstream_forbidden', forbiddenDetail(answer), { upstreamStatus })
    case 404:
      return nothingHere(upstreamStatus)
    case 410:
      return new ServiceError(
        'not_found',
        'GitHub says that this was deleted or is switched off.',
        {
          upstreamStatus,
        },
      )
    case 451:
      return new ServiceError('not_found', 'GitHub has blocked this for legal reasons.', {
        upstreamStatus,
      })
    case 422:
      return new ServiceError(
        'invalid_request',
        'GitHub does not accept these parameters. Check them against the catalogue at GET /mcp/context-types.',
        { upstreamStatus },
      )
    default:
      return upstreamError(answer, now)
  }
}

export function limitReached({ kind, retryAfter }: Limited, upstreamStatus: number): ServiceError {
  const which = kind === 'primary' ? 'hourly' : 'secondary'
  return new ServiceError(
    'upstream_rate_limited',
    `GitHub's ${which} rate limit is reached. Retry after ${retryAfter} s.`,
    { upstreamStatus, retryAfter },
  )
}

export function nothingHere(upstreamStatus: number): ServiceError {
  return new ServiceError(
    'not_found',
    'GitHub has nothing here, or the credential may not see it. Check the names, and whether the credential has access.',
    { upstreamStatus },
  )
}

/**
 * Without a credential none can have been refused: a 401 says that what was asked for is for callers
 * with one.
 */
export function knownCallersOnly(upstreamStatus?: number): ServiceError {
  return new ServiceError(
    'upstream_forbidden',
    'GitHub gives this to known callers only. The operator can set GITHUB_TOKEN or a GitHub App; where ALLOW_CALLER_TOKENS is true, a caller can send X-GitHub-Token.',
    upstreamStatus === undefined ? {} : { upstreamStatus },
  )
}

function upstreamError(answer: Exchange, now: number): ServiceError {
  const retryAfter = readRetryAfter(answer.headers, now)
  return new ServiceError('upstream_error', `GitHub answered ${answer.status}. Try again later.`, {
    upstreamStatus: answer.status,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })
}

/** GitHub names a missing permission in headers: repeat those, never the body. */
export function forbiddenDetail({ headers }: Pick<Exchange, 'headers'>): string {
  const permissions = header(headers, 'x-accepted-github-permissions')
  const scopes = header(headers, 'x-accepted-oauth-scopes')
  if (header(headers, 'x-github-sso') !== undefined) {
    return "The organisation requires single sign-on: authorise the credential for it on GitHub's token page."
  }
  if (permissions) return `The credential lacks a permission. GitHub accepts: ${permissions}.`
  if (scopes) return lacksScope(scopes)
  return 'GitHub does not let this credential read it. Check its permissions and the organisation’s policies.'
}

export const lacksScope = (scopes: string) =>
  `The credential lacks a scope. GitHub accepts: ${scopes}.`

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
const TOO_SLOW = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])
const TOO_LARGE = new Set(['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'ERR_BUFFER_TOO_LARGE'])

/** What a broken exchange means to the caller. */
export function failureOfTransport(cause: unknown): ServiceError {
  if (cause instanceof ServiceError) return cause
  const code = codeOf(cause)
  if (TOO_SLOW.has(code)) {
    return new ServiceError('upstream_timeout', 'GitHub did not answer in time. Try again later.', {
      cause,
    })
  }
  if (TOO_LARGE.has(code)) {
    return new ServiceError(
      'upstream_error',
      'GitHub’s answer is too large. Ask for a smaller part.',
      { cause },
    )
  }
  // What is not the gzip that it claims to be (nodejs.org/api/zlib.html, "Constants").
  if (code.startsWith('Z_')) return unreadable(cause)
  if (UNREACHABLE.has(code)) {
    return new ServiceError('upstream_unreachable', 'No connection to GitHub. Try again later.', {
      cause,
    })
  }
  return new ServiceError(
    'upstream_unreachable',
    'The connection to GitHub broke. Try again later.',
    { cause },
  )
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return ''
  if ('code' in cause && typeof cause.code === 'string') return cause.code
  return codeOf(cause.cause)
}

export function unreadable(cause: unknown): ServiceError {
  return new ServiceError('upstream_error', 'GitHub’s answer could not be read. Try again later.', {
    cause,
  })
}

/** Whether asking again may help: a broken or unreadable exchange, or GitHub's own trouble. */
export function isPassing(error: ServiceError): boolean {
  if (error.code === 'upstream_unreachable' || error.code === 'upstream_rate_limited') return true
  if (error.code !== 'upstream_error') return false
  if (error.upstreamStatus !== undefined) return error.upstreamStatus >= 500
  return !TOO_LARGE.has(codeOf(error.cause)) && error.cause !== undefined
}

/** The time for one resource is over. */
export function tooSlow(cause: unknown): ServiceError {
  return new ServiceError('upstream_timeout', 'GitHub did not answer in time. Try again later.', {
    cause,
  })
}
