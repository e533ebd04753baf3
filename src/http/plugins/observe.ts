import fp from 'fastify-plugin'
import type { Metrics } from '../../metrics.ts'

/** One metric sample and one log line for each answer, and nothing of what callers sent in either. */
export const observePlugin = fp(
  async (app, { metrics }: { metrics: Metrics }) => {
    app.addHook('onResponse', (request, reply, done) => {
      const { served, problem } = request
      const outcome = served?.outcome ?? problem?.code ?? 'none'
      const route = request.routeOptions.url ?? 'unknown'
      metrics.requestDone(
        route,
        served?.type ?? 'none',
        reply.statusCode,
        outcome,
        reply.elapsedTime,
      )
      request.log.info({
        request_id: request.id,
        method: request.method,
        route,
        status: reply.statusCode,
        type: served?.type,
        outcome,
        duration_ms: Math.round(reply.elapsedTime * 100) / 100,
        upstream_calls: served?.meter.calls ?? 0,
        caller: request.callerName,
      })
      done()
    })
  },
  { name: 'observe' },
)
