import fastifyRateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ServiceError } from '../../core/errors.ts'

export interface RateLimitOptions {
  readonly max: number
  /** Milliseconds. */
  readonly windowMs: number
  /** Counts for all replicas together; without it each process counts for itself. */
  readonly store?: FastifyRateLimitStoreCtor | undefined
}

/** `RateLimit-*` on every answer, and a 429 problem past the limit. */
export const rateLimitPlugin = fp(
  async (app, { max, windowMs, store }: RateLimitOptions) => {
    await app.register(fastifyRateLimit, {
      max,
      timeWindow: windowMs,
      enableDraftSpec: true,
      ...(store ? { store } : {}),
      keyGenerator: callerKey,
      errorResponseBuilder: (_request, { ttl }) => {
        const retryAfter = Math.max(1, Math.ceil(ttl / 1000))
        return new ServiceError(
          'rate_limited',
          `More than ${max} requests in ${windowMs / 1000} s. Retry after ${retryAfter} s.`,
          { retryAfter },
        )
      },
    })
  },
  { name: 'rateLimit', dependencies: ['auth'] },
)

/** Who is counted: the API key's name, or the address where there is no valid key. */
function callerKey(request: FastifyRequest): string {
  return request.callerName === undefined ? `ip:${request.ip}` : `key:${request.callerName}`
}
