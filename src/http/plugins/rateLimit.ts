import fastifyRateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { ServiceError } from '../../core/errors.ts'
import { callerKey } from '../callerKey.ts'
import type { CallerLimit, Count } from '../callerLimit.ts'

/**
 * `RateLimit-*` on every answer, and a 429 problem past the limit, as @fastify/rate-limit has them.
 * It has three promises for each request as well, which cost as much as the rest of a hit: so it is
 * asked only where what is in hand here does not suffice.
 */
export const rateLimitPlugin = fp(
  async (app, { callers }: { callers: CallerLimit }) => {
    const { max, windowMs } = callers
    await app.register(fastifyRateLimit, {
      global: false,
      max,
      timeWindow: windowMs,
      enableDraftSpec: true,
      store: storeOf(callers),
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
    const askPlugin = app.rateLimit()
    const limit: onRequestHookHandler = function (request, reply, done) {
      const taken = callers.take(callerKey(request))
      if (!taken) {
        askPlugin.call(this, request, reply).then(() => done(), done)
        return
      }
      reply
        .header('ratelimit-limit', max)
        .header('ratelimit-remaining', max - taken.current)
        .header('ratelimit-reset', Math.ceil(taken.ttl / 1000))
      done()
    }
    app.addHook('onRoute', (route) => {
      if (route.config?.rateLimit !== false) route.onRequest = [route.onRequest ?? [], limit].flat()
    })
  },
  { name: 'rateLimit', dependencies: ['auth'] },
)

function storeOf(callers: CallerLimit): FastifyRateLimitStoreCtor {
  return class RateLimitStore {
    incr(key: string, done: (error: Error | null, count?: Count) => void): void {
      callers.count(key).then((count) => done(null, count), done)
    }
    child(): RateLimitStore {
      return this
    }
  } as unknown as FastifyRateLimitStoreCtor
}
