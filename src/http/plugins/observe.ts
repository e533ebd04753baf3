import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Observe } from '../../histogram.ts'
import type { Metrics } from '../../metrics.ts'

export interface ObserveOptions {
  readonly logger: FastifyBaseLogger
  readonly metrics: Metrics
}

/** Requests that do not differ but in who asked and how long it took. */
interface Series {
  /** Writes lines that begin with what these requests have in common: that is serialised once. */
  readonly log: FastifyBaseLogger
  readonly observe: Observe
}

/** One metric sample and one log line for each answer, and nothing of what callers sent in either. */
export const observePlugin = fp(
  async (app, { logger, metrics }: ObserveOptions) => {
    const known = new Map<string, Series>()

    function seriesOf({ method, problem, routeOptions, served }: FastifyRequest, status: number) {
      const outcome = served?.outcome ?? problem?.code ?? 'none'
      const { url: route = 'unknown' } = routeOptions
      const key = `${method} ${route} ${served?.type} ${status} ${outcome}`
      let series = known.get(key)
      if (!series) {
        const type = served?.type
        const labels = { route, type: type ?? 'none', status: String(status), outcome }
        series = {
          log: logger.child({ method, route, status, type, outcome }),
          observe: metrics.requests(labels),
        }
        known.set(key, series)
      }
      return series
    }

    app.addHook('onResponse', (request, reply, done) => {
      const { log, observe } = seriesOf(request, reply.statusCode)
      const { elapsedTime } = reply
      const meter = request.served?.meter
      observe(elapsedTime / 1000)
      log.info({
        request_id: request.id,
        duration_ms: Math.round(elapsedTime * 100) / 100,
        upstream_calls: meter?.calls ?? 0,
        caller: request.callerName,
        // What is undefined is left out.
        github: meter?.answers,
        trace_id: (meter?.span ?? request.span)?.traceId,
      })
      done()
    })
  },
  { name: 'observe' },
)
