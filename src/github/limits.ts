import { type Exchange, type Headers, header } from './exchange.ts'

/** GitHub's words on one rate-limit budget (docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api). */
export interface RateLimit {
  /** `core`, `search`, `code_search`, `graphql` … : each has a budget of its own. */
  readonly resource: string
  readonly limit: number
  readonly remaining: number
  /** Epoch milliseconds at which `remaining` is `limit` again. */
  readonly resetAt: number
}

/** Seconds to wait at least when GitHub limits without saying for how long. */
const UNSTATED_WAIT = 60
/** Seconds; the longest window that GitHub has is an hour. */
const LONGEST_WAIT = 3600

/** The budget that an answer reports, if it reports one. */
export function readRateLimit(headers: Headers): RateLimit | undefined {
  const limit = integer(headers, 'x-ratelimit-limit')
  const remaining = integer(headers, 'x-ratelimit-remaining')
  const reset = integer(headers, 'x-ratelimit-reset')
  if (limit === undefined || remaining === undefined || reset === undefined) return undefined
  // GitHub sends seconds; recordings exist with milliseconds.
  const resetAt = reset > 1e11 ? reset : reset * 1000
  return { resource: header(headers, 'x-ratelimit-resource') ?? 'core', limit, remaining, resetAt }
}

export interface Limited {
  /** `primary`: the hourly budget is used up; `secondary`: too much at once. */
  readonly kind: 'primary' | 'secondary'
  /** Seconds, at least 1. */
  readonly retryAfter: number
}

/**
 * Tells a limit from a refusal: both come as 403. A limit has `retry-after`, or `remaining` 0, or
 * is a 429, or says so in its message; every other 403 is about permissions.
 */
export function readLimited(answer: Exchange, now: number): Limited | undefined {
  if (answer.status !== 403 && answer.status !== 429) return undefined
  const stated = statedWait(answer.headers, now)
  if (stated) return stated
  const limited = answer.status === 429 || isSecondary(answer.body.toString())
  return limited ? unstatedWait('secondary') : undefined
}

/** Until when the headers of an answer that is a limit say to wait. */
export function statedWait(headers: Headers, now: number): Limited | undefined {
  const retryAfter = readRetryAfter(headers, now)
  if (retryAfter !== undefined) return { kind: 'secondary', retryAfter: clamp(retryAfter) }
  const budget = readRateLimit(headers)
  if (budget?.remaining !== 0) return undefined
  return { kind: 'primary', retryAfter: clamp(Math.ceil((budget.resetAt - now) / 1000)) }
}

export const unstatedWait = (kind: Limited['kind']): Limited => ({
  kind,
  retryAfter: UNSTATED_WAIT,
})

/** Whether it says, in either of GitHub's wordings, that there was too much at once. */
export const isSecondary = (message: string) =>
  /secondary rate limit|abuse detection/i.test(message)

/** `Retry-After` in seconds, from its number or date form (RFC 9110, section 10.2.3). */
export function readRetryAfter(headers: Headers, now: number): number | undefined {
  const value = header(headers, 'retry-after')
  if (value === undefined) return undefined
  const isDate = /^[A-Z][a-z]{2}, /.test(value)
  const seconds = /^\d+$/.test(value)
    ? Number(value)
    : isDate
      ? (Date.parse(value) - now) / 1000
      : Number.NaN
  return Number.isNaN(seconds) ? undefined : Math.max(0, Math.ceil(seconds))
}

function integer(headers: Headers, name: string): number | undefined {
  const value = header(headers, name)
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined
}

function clamp(seconds: number): number {
  return Math.min(LONGEST_WAIT, Math.max(1, seconds))
}
