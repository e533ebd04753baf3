import fastifyRateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Window } from '../../context/request/policy.ts'
import { ServiceError } from '../../core/errors.ts'
import { callerKey } from '../callerKey.ts'
import type { CallerLimit, Count } from '../callerLimit.ts'
import { say } from '../response.ts'

export interface RateLimitOptions {
  /** The limit of all who have none of their own. */
  readonly callers: CallerLimit
  readonly limitOf: (window: Window) => CallerLimit
}

/**
 * `RateLimit-*` on every answer, and a 429 problem past the limit, as @fastify/rate-limit has them.
 * It has three promises for each request as well, which cost as much as the rest of a hit: so it is
 * asked only where what is in hand here does not suffice.
 */
export const rateLimitPlugin = fp(
  async (app, { callers, limitOf }: RateLimitOptions) => {
    const special = new Map<string, CallerLimit>()

    function limitFor({ policy }: FastifyRequest): CallerLimit {
      const window = policy?.rateLimit
      if (!window) return callers
      const size = `${window.max}/${window.windowMs}`
      const limit = special.get(size) ?? limitOf(window)
      special.set(size, limit)
      return limit
    }

    await app.register(fastifyRateLimit, {
      global: false,
      max: (request) => limitFor(request).max,
      timeWindow: (request) => limitFor(request).windowMs,
      enableDraftSpec: true,
      store: storeOf((max, windowMs) => special.get(`${max}/${windowMs}`) ?? callers),
      keyGenerator: callerKey,
      errorResponseBuilder: (request, { ttl }) => {
        const { max, windowMs } = limitFor(request)
        const retryAfter = Math.max(1, Math.ceil(ttl / 1000))
        return new ServiceError(
          'rate_limited',
          `More than ${max} requests in ${windowMs / 1000} s. Retry after ${retryAfter} s.`,
          { retryAfter },
        )
      },
    })
    const askPlugin = app.rateLimit()
    const limit: onRequestHookHandler = function (request, reply, done) {
      const own = limitFor(request)
      const taken = own.take(callerKey(request))
      if (!taken) {
        askPlugin.call(this, request, reply).then(() => done(), done)
        return
      }
      say(reply, 'ratelimit-limit', own.max)
      say(reply, 'ratelimit-remaining', own.max - taken.current)
      say(reply, 'ratelimit-reset', Math.ceil(taken.ttl / 1000))
      done()
    }
    app.addHook('onRoute', (route) => {
      if (route.config?.rateLimit !== false) route.onRequest = [route.onRequest ?? [], limit].flat()
    })
  },
  { name: 'rateLimit', dependencies: ['auth'] },
)

function storeOf(
  limitOf: (max: number, windowMs: number) => CallerLimit,
): FastifyRateLimitStoreCtor {
  return class RateLimitStore {
    incr(
      key: string,
      done: (error: Error | null, count?: Count) => void,
      windowMs: number,
      max: number,
    ): void {
      limitOf(max, windowMs)
        .count(key)
        .then((count) => done(null, count), done)
    }
    child(): RateLimitStore {
      return this
    }
  } as unknown as FastifyRateLimitStoreCtor
}
