import { type ProblemCode, ServiceError } from '../core/errors.ts'
import { codeOf, NOT_A_STREAM } from './transport.ts'

/** Who failed, and what its operator can mend. */
export interface Provider {
  /** As in `model_config.provider`. */
  readonly name: string
  /** The variables that hold its key and its address. */
  readonly key: string
  readonly url: string
}

/** A failed attempt at a reply. */
export interface Failure {
  readonly error: ServiceError
  /** Whether the same request may succeed if it is sent again. */
  readonly passing: boolean
  /** Milliseconds that the provider wants to be left alone. */
  readonly waitMs?: number
}

/** An error of either SDK, by the fields that both have. Its words may hold the prompt or the key. */
interface Refusal {
  readonly status?: number
  readonly type?: string | null
  readonly code?: string | number | null
  readonly message: string
  readonly headers?: { get(name: string): string | null }
  readonly requestID?: string | null
}

type Kind = keyof typeof KINDS

/** What each kind of refusal means to the caller. */
const KINDS = {
  auth: {
    code: 'model_auth',
    passing: false,
    detail: ({ name, key, url }) =>
      `${name} refuses the credential of this service, or what it asks for with it. Its operator must check ${key} and ${url}.`,
  },
  quota: {
    code: 'model_rate_limited',
    passing: false,
    detail: ({ name, key }) =>
      `The quota at ${name} is used up. The operator of this service must check the account of ${key}.`,
  },
  limit: {
    code: 'model_rate_limited',
    passing: true,
    detail: ({ name }) => `The rate limit at ${name} is reached. Try again later.`,
  },
  overloaded: {
    code: 'model_rate_limited',
    passing: true,
    detail: ({ name }) => `${name} is overloaded. Try again later, or name another model.`,
  },
  slow: {
    code: 'model_timeout',
    passing: true,
    detail: ({ name }) => `${name} did not answer in time. Try again later.`,
  },
  length: {
    code: 'model_error',
    passing: false,
    detail: ({ name }) =>
      `The prompt is longer than the model of ${name} takes. Use a session with less in it, a smaller max_tokens, or a model with a larger context window.`,
  },
  unknown: {
    code: 'model_error',
    passing: false,
    detail: ({ name, url }) =>
      `${name} refused the request: it does not know this model. Check model in model_config, and the operator ${url}.`,
  },
  refused: {
    code: 'model_error',
    passing: false,
    detail: ({ name }) =>
      `${name} refused the request. Check model_config: some models take no temperature, or a smaller max_tokens.`,
  },
  elsewhere: {
    code: 'model_error',
    passing: false,
    detail: ({ name, url }) =>
      `What answers at the address of ${name} does not speak its protocol. The operator of this service must check ${url}.`,
  },
  trouble: {
    code: 'model_error',
    passing: true,
    detail: ({ name }) => `${name} answered with an error of its own. Try again later.`,
  },
  unreachable: {
    code: 'model_error',
    passing: true,
    detail: ({ name, url }) =>
      `No connection to ${name}. Try again later; if it stays, the operator of this service must check ${url}.`,
  },
  broken: {
    code: 'model_error',
    passing: true,
    detail: ({ name }) => `The reply of ${name} broke off. Try again.`,
  },
  unreadable: {
    code: 'model_error',
    passing: false,
    detail: ({ name }) => `The reply of ${name} could not be read. Try again later.`,
  },
} as const satisfies Record<
  string,
  { code: ProblemCode; passing: boolean; detail: (provider: Provider) => string }
>

/** By the words that the providers use for what they refuse. */
const BY_WORD: Readonly<Record<string, Kind>> = {
  authentication_error: 'auth',
  permission_error: 'auth',
  invalid_api_key: 'auth',
  insufficient_quota: 'quota',
  billing_error: 'quota',
  rate_limit_error: 'limit',
  rate_limit_exceeded: 'limit',
  overloaded_error: 'overloaded',
  timeout_error: 'slow',
  request_too_large: 'length',
  context_length_exceeded: 'length',
  exceed_context_size_error: 'length',
  not_found_error: 'unknown',
  model_not_found: 'unknown',
}

const BY_STATUS: Readonly<Record<number, Kind>> = {
  401: 'auth',
  402: 'quota',
  403: 'auth',
  404: 'unknown',
  405: 'elsewhere',
  408: 'slow',
  409: 'trouble',
  413: 'length',
  429: 'limit',
  504: 'slow',
  529: 'overloaded',
}

/** Anthropic and vLLM tell it by no word of its own: "prompt is too long", "maximum context length is". */
const TOO_LONG = /prompt is too long|context (?:length|window|size|limit)/i

/** Seconds after a limit that came without `Retry-After`. */
const UNSTATED_WAIT = 30
/** Seconds: what a provider may say at most. */
const LONGEST_WAIT = 3_600

/** What a failed attempt means to the caller. No word of the provider's or the SDK's is repeated. */
export function failureOf(provider: Provider, cause: unknown, now: number): Failure {
  if (cause instanceof ServiceError) return { error: cause, passing: false }
  const refusal = asRefusal(cause)
  if (!refusal) return failure(provider, kindOfTransport(cause), summaryOf(cause))
  const kind = kindOf(refusal)
  const waitMs = readWait(refusal, now)
  const told = refusal.headers?.get('x-should-retry')
  return {
    ...failure(provider, kind, summaryOfRefusal(refusal), waitMs),
    ...(told === 'true' || told === 'false' ? { passing: told === 'true' } : {}),
    ...(waitMs === undefined ? {} : { waitMs }),
  }
}

/** A stream that ended before the reply was whole. */
export function brokenOff(provider: Provider): Failure {
  return failure(provider, 'broken', 'the stream ended too soon')
}

/** The time for a reply is over. */
export function tooSlow(provider: Provider): ServiceError {
  return failure(provider, 'slow', 'out of time').error
}

function failure(provider: Provider, kind: Kind, summary: string, waitMs?: number): Failure {
  const { code, detail, passing } = KINDS[kind]
  const limited = kind === 'limit' || kind === 'overloaded'
  const seconds = waitMs === undefined ? undefined : Math.ceil(waitMs / 1000)
  const retryAfter = seconds ?? (limited ? UNSTATED_WAIT : undefined)
  const options = { cause: new Error(`${provider.name}: ${summary}`) }
  return {
    passing,
    error: new ServiceError(
      code,
      detail(provider),
      retryAfter === undefined ? options : { ...options, retryAfter: Math.max(1, retryAfter) },
    ),
  }
}

function asRefusal(cause: unknown): Refusal | undefined {
  if (!(cause instanceof Error) || !('headers' in cause) || !cause.headers) return undefined
  return cause as Refusal
}

/** In the middle of a stream there is no status; some servers then send it as the code. */
function statusOf({ code, status }: Refusal): number | undefined {
  return status ?? (typeof code === 'number' ? code : undefined)
}

function kindOf(refusal: Refusal): Kind {
  const status = statusOf(refusal)
  for (const word of [refusal.code, refusal.type]) {
    const kind = typeof word === 'string' && Object.hasOwn(BY_WORD, word) && BY_WORD[word]
    if (kind) return kind
  }
  const byStatus = status === undefined ? undefined : BY_STATUS[status]
  if (byStatus) return byStatus
  if (status === undefined || status >= 500) {
    return refusal.type === 'invalid_request_error' ? 'refused' : 'trouble'
  }
  if (status < 400) return 'elsewhere'
  return TOO_LONG.test(refusal.message) ? 'length' : 'refused'
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
const TOO_SLOW = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

function kindOfTransport(cause: unknown): Kind {
  const code = codeOf(cause)
  if (code === NOT_A_STREAM) return 'elsewhere'
  if (UNREACHABLE.has(code)) return 'unreachable'
  if (TOO_SLOW.has(code)) return 'slow'
  return code === '' ? 'unreadable' : 'broken'
}

/** Milliseconds, from `Retry-After` in both its forms (RFC 9110, section 10.2.3) or OpenAI's `retry-after-ms`. */
function readWait({ headers }: Refusal, now: number): number | undefined {
  const exact = headers?.get('retry-after-ms')
  const value = headers?.get('retry-after')
  const read = exact
    ? Number(exact)
    : value
      ? /^\d+(\.\d+)?$/.test(value)
        ? Number(value) * 1000
        : Date.parse(value) - now
      : Number.NaN
  return Number.isNaN(read) ? undefined : Math.min(LONGEST_WAIT * 1000, Math.max(0, read))
}

/** Words that say no more than the status does. */
const OTHER_WORDS = ['api_error', 'invalid_request_error', 'server_error']

/** For the log: words out of a closed set, and the provider's own id of the request. */
function summaryOfRefusal(refusal: Refusal): string {
  const { code, requestID, type } = refusal
  const words = [type, code].filter(
    (word) =>
      typeof word === 'string' && (Object.hasOwn(BY_WORD, word) || OTHER_WORDS.includes(word)),
  )
  const id = /^req_\w{8,64}$/.test(requestID ?? '') ? [`request ${requestID}`] : []
  return [statusOf(refusal) ?? 'error in the stream', ...words, ...id].join(' ')
}

/** Never the message, as parsers quote what they could not read. */
function summaryOf(cause: unknown): string {
  const name = cause instanceof Error ? cause.constructor.name : typeof cause
  return [name, codeOf(cause)].filter(Boolean).join(' ')
}
