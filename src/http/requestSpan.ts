import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Span, Tracer } from '../core/trace.ts'

/** What is asked for every few seconds, by machines, and tells nothing. */
const UNTRACED = /^\/(health|metrics)\b/

/**
 * Makes each request a span (opentelemetry.io/docs/specs/semconv/http/http-spans, "HTTP server"). Its
 * path and query are not told: they hold what callers look for, and names of sessions.
 */
export function openRequests(app: FastifyInstance, tracer: Tracer): void {
  app.addHook('onRequest', (request, { raw: { waited } }, done) => {
    const { id, method, routeOptions } = request
    const { traceparent, tracestate } = request.headers
    const { url: route } = routeOptions
    if (route === undefined || !UNTRACED.test(route)) {
      const parent = { traceparent, tracestate }
      const attributes = { 'http.request.method': method, 'http.route': route, request_id: id }
      const name = route ? `${method} ${route}` : method
      request.span = tracer.serve(name, parent, attributes, { waited })
    }
    done()
  })
}

export function closeRequest(
  span: Span,
  { problem, served }: FastifyRequest,
  status: number,
  outcome: string,
): void {
  span.set({
    'http.response.status_code': status,
    context_type: served?.type,
    'cache.outcome': served?.outcome,
    'github.calls': served?.meter.calls,
    'error.type': problem?.code ?? (status >= 400 ? outcome : undefined),
  })
  // A caller's fault is no failure of the server's; that of a stream comes after its 200.
  if (status >= 500 || (problem && problem.statusCode >= 500)) span.fail(problem?.code ?? outcome)
  span.end()
}
