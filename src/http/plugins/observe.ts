import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Tracer } from '../../core/trace.ts'
import type { Observe } from '../../metrics/histogram.ts'
import type { Metrics } from '../../metrics/metrics.ts'
import { closeRequest, openRequests } from '../requestSpan.ts'

export interface ObserveOptions {
  readonly logger: FastifyBaseLogger
  readonly metrics: Metrics
  readonly tracer: Tracer | undefined
}

/** Requests that do not differ but in who asked and how long it took. */
interface Series {
  /** Writes lines that begin with what these requests have in common: that is serialised once. */
  readonly log: FastifyBaseLogger
  readonly observe: Observe
}

/** What became of a request that its caller did not wait for; the status is the one that nginx gives. */
const LEFT = { status: 499, outcome: 'aborted' } as const

/** One metric sample and one log line for each request, and nothing of what callers sent in either. */
export const observePlugin = fp(
  async (app, { logger, metrics, tracer }: ObserveOptions) => {
    const known = new Map<string, Series>()
    if (tracer) openRequests(app, tracer)

    function seriesOf(request: FastifyRequest, status: number, outcome: string) {
      const { method, routeOptions, served } = request
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

    function tell(reply: FastifyReply, status: number, outcome: string): void {
      const { elapsedTime, request } = reply
      const { log, observe } = seriesOf(request, status, outcome)
      const meter = request.served?.meter
      if (request.span) closeRequest(request.span, request, status, outcome)
      observe(elapsedTime / 1000)
      if (request.problem) metrics.problemMet(request.problem.code)
      log.info({
        request_id: request.id,
        duration_ms: Math.round(elapsedTime * 100) / 100,
        upstream_calls: meter?.calls ?? 0,
        caller: request.callerName,
        // What is undefined is left out.
        github: meter?.answers,
        trace_id: (meter?.span ?? request.span)?.traceId,
      })
    }

    app.addHook('onResponse', (request, reply, done) => {
      const { problem, served } = request
      tell(reply, reply.statusCode, served?.outcome ?? problem?.code ?? 'none')
      done()
    })
    app.decorate('problemMet', metrics.problemMet)
    app.decorate('callerLeft', (reply) => tell(reply, LEFT.status, LEFT.outcome))
  },
  { name: 'observe' },
)
