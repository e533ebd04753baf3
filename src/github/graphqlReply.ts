import { invalid, ServiceError } from '../core/errors.ts'
import { type Exchange, header } from './exchange.ts'
import {
  failureOf,
  forbiddenDetail,
  lacksScope,
  limitReached,
  nothingHere,
  unreadable,
} from './failures.ts'
import { isSecondary, type Limited, readLimited, statedWait, unstatedWait } from './limits.ts'

/** One entry of `errors`. GitHub puts `type` beside the fields that the GraphQL specification has. */
interface GraphError {
  readonly type: string
  readonly message: string
  readonly saml: boolean
}

/** GitHub's answer to a query, as far as it could be read. */
export interface GraphReply {
  readonly answer: Exchange
  readonly data: unknown
  readonly errors: readonly GraphError[]
  /** The message of an answer that is not GraphQL's. */
  readonly message: string
  readonly unreadable?: unknown
}

/** What its servers call a limit that is reached: the second since 2025. */
const LIMITED = new Set(['RATE_LIMITED', 'RATE_LIMIT'])
const FORBIDDEN = new Set(['FORBIDDEN', 'INSUFFICIENT_SCOPES'])

/** Never throws: what is not JSON is found out about when the limits have been read. */
export function readReply(answer: Exchange): GraphReply {
  const nothing = { answer, data: undefined, errors: [], message: '' }
  try {
    const body: unknown = JSON.parse(answer.body.toString())
    if (!(body instanceof Object)) return nothing
    const { data, errors, message } = body as Record<string, unknown>
    return {
      answer,
      data,
      errors: Array.isArray(errors) ? errors.map(readError) : [],
      message: typeof message === 'string' ? message : '',
    }
  } catch (cause) {
    return { ...nothing, unreadable: cause }
  }
}

function readError(error: unknown): GraphError {
  const { type, message, extensions } = (error ?? {}) as Record<string, unknown>
  const saml = (extensions as { saml_failure?: unknown } | undefined)?.saml_failure === true
  return { type: String(type ?? ''), message: String(message ?? ''), saml }
}

/**
 * Limits of GraphQL come as 200 with an error, the secondary ones also as 403
 * (docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api).
 */
export function limitOf(reply: GraphReply, now: number): Limited | undefined {
  const { answer, errors, message } = reply
  const known = readLimited(answer, now)
  if (known || answer.status !== 200) return known
  const told = [...errors.map((error) => error.message), message].some(isSecondary)
  if (!told && !errors.some(({ type }) => LIMITED.has(type))) return undefined
  return statedWait(answer.headers, now) ?? unstatedWait(told ? 'secondary' : 'primary')
}

/**
 * The data of a query, if GitHub could give all of it.
 * @param from whose credential was sent
 * @throws ServiceError: what of it GitHub could not give, in this service's words
 */
export function dataOf(
  reply: GraphReply,
  limited: Limited | undefined,
  now: number,
  from: 'service' | 'caller',
): object {
  const { answer, data, errors } = reply
  const { status } = answer
  if (limited) throw limitReached(limited, status)
  const failure = failureOf(answer, now, from)
  if (failure) throw failure
  if ('unreadable' in reply) throw unreadable(reply.unreadable)
  if (errors.length > 0) throw failureIn(errors, answer)
  if (data instanceof Object) return data
  throw unreadable(new TypeError('the answer has no data'))
}

function failureIn(errors: readonly GraphError[], answer: Exchange): ServiceError {
  const { headers, status: upstreamStatus } = answer
  const forbidden = errors.filter(({ type }) => FORBIDDEN.has(type))
  if (forbidden.length > 0) {
    const saml = forbidden.some((error) => error.saml) || header(headers, 'x-github-sso')
    const scopes = scopesIn(forbidden)
    // Every answer names scopes in a header, whether they lack or not.
    const { 'x-accepted-oauth-scopes': _, ...telling } = headers
    const signOn = saml ? { 'x-github-sso': 'required' } : {}
    const detail = scopes
      ? lacksScope(scopes)
      : forbiddenDetail({ headers: { ...telling, ...signOn } })
    return new ServiceError('upstream_forbidden', detail, { upstreamStatus })
  }
  if (errors.some(({ type }) => type === 'NOT_FOUND')) return nothingHere(upstreamStatus)
  // Queries begin where the caller says: no cursor of a query is the service's own.
  if (errors.some(({ type }) => type === 'INVALID_CURSOR_ARGUMENTS'))
    return invalid(
      '/params/after',
      'is not a place in this list that GitHub knows. Take it from omitted[].next of an earlier answer, or leave it out',
    )
  const kind = errors.find(({ type }) => /^[A-Z_]{1,40}$/.test(type))?.type
  return new ServiceError(
    'upstream_error',
    kind === undefined
      ? 'GitHub could not answer the query. Try again later, or ask for less.'
      : `GitHub could not answer the query (${kind}). Try again later, or ask for less.`,
    { upstreamStatus },
  )
}

/** Names of scopes stand only in the message: "requires one of the following scopes: ['read:org']". */
function scopesIn(errors: readonly GraphError[]): string | undefined {
  const named = errors
    .map(({ message }) => /following scopes: \[((?:'[a-z_:]{1,40}'(?:, )?)+)\]/.exec(message)?.[1])
    .find((scopes) => scopes !== undefined)
  return named?.replaceAll("'", '')
}
