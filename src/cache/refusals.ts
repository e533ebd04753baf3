import { type ProblemCode, ServiceError } from '../core/errors.ts'

const REFUSALS = new Set<ProblemCode>(['upstream_auth', 'upstream_forbidden', 'not_found'])
const FAILURES = new Set<ProblemCode>([
  'upstream_rate_limited',
  'upstream_error',
  'upstream_unreachable',
  'upstream_timeout',
  'provider_error',
  'provider_timeout',
])

/** GitHub's word that this principal may not have it: no older answer may stand in for it. */
export function isRefusal(error: unknown): error is ServiceError {
  return error instanceof ServiceError && REFUSALS.has(error.code)
}

/** The source did not say anything about the resource: an older answer may stand in. */
export function isFailure(error: unknown): error is ServiceError {
  return error instanceof ServiceError && FAILURES.has(error.code)
}
