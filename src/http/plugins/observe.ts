import type { FastifyBaseLogger, FastifyReply, onResponseHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Tracer } from '../../core/trace.ts'
import type { Observe } from '../../metrics/histogram.ts'
import type { Metrics } from '../../metrics/metrics.ts'
import { createRequestLines, type RequestLine } from '../requestLines.ts'
import { closeRequest, openRequests } from '../requestSpan.ts'

export interface ObserveOptions {
  readonly logger: FastifyBaseLogger
  readonly metrics: Metrics
  readonly tracer: Tracer | undefined
}

interface Common {
  readonly method: string
  readonly route: string
  readonly type: string | undefined
  readonly status: number
  readonly outcome: string
}

/** Requests that do not differ but in who asked and how long it took. */
interface Series extends Common {
  readonly log: (line: RequestLine) => void
  readonly observe: Observe
}

/** What became of a request that its caller did not wait for; the status is the one that nginx gives. */
const LEFT = { status: 499, outcome: 'aborted' } as const

/** One metric sample and one log line for each request, and nothing of what callers sent in either. */
export const observePlugin = fp(
  async (app, { logger, metrics, tracer }: ObserveOptions) => {
    const known = new Map<string, Series>()
    let last: Series | undefined
    if (tracer) openRequests(app, tracer)

    function seriesOf(common: Common): Series {
      if (last && isEqual(last, common)) return last
      const { method, outcome, route, status, type } = common
      const key = `${method} ${route} ${type} ${status} ${outcome}`
      last = known.get(key)
      if (!last) {
        const labels = { route, type: type ?? 'none', status: String(status), outcome }
        last = {
          ...common,
          log: createRequestLines(logger, common),
          observe: metrics.requests(labels),
        }
        known.set(key, last)
      }
      return last
    }

    function tell(reply: FastifyReply, route: string, status: number, outcome: string): void {
      const { request } = reply
      const duration = reply.elapsedTime + (reply.raw.waited ?? 0)
      const { method } = request
      const { log, observe } = seriesOf({
        method,
        route,
        status,
        type: request.served?.type,
        outcome,
      })
      const meter = request.served?.meter
      if (request.span) closeRequest(request.span, request, status, outcome)
      observe(duration / 1000)
      if (request.problem) metrics.problemMet(request.problem.code)
      log({
        requestId: request.id,
        duration,
        calls: meter?.calls ?? 0,
        caller: request.callerName,
        github: meter?.answers,
        traceId: (meter?.span ?? request.span)?.traceId,
      })
    }

    const toldOf =
      (route: string): onResponseHookHandler =>
      (request, reply, done) => {
        const { problem, served } = request
        tell(reply, route, reply.statusCode, served?.outcome ?? problem?.code ?? 'none')
        done()
      }
    // A route's own hook knows its route: to ask a request for it costs a copy of all options.
    app.addHook('onRoute', (route) => {
      route.onResponse = [route.onResponse ?? [], toldOf(route.url)].flat()
    })
    const nowhere = toldOf('unknown')
    app.addHook('onResponse', function (request, reply, done) {
      if (request.is404) nowhere.call(this, request, reply, done)
      else done()
    })
    app.decorate('problemMet', metrics.problemMet)
    app.decorate('callerLeft', (reply) => {
      const { url = 'unknown' } = reply.request.routeOptions
      tell(reply, url, LEFT.status, LEFT.outcome)
    })
  },
  { name: 'observe' },
)

const isEqual = (one: Common, other: Common) =>
  one.outcome === other.outcome &&
  one.status === other.status &&
  one.type === other.type &&
  one.route === other.route &&
  one.method === other.method
