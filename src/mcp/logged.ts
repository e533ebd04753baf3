import type { FastifyBaseLogger } from 'fastify'
import type { Outcome } from '../cache/request.ts'
import type { McpServer } from './protocol/server.ts'
import { sane } from './traced.ts'

/**
 * A server with one log line for each request, as the other door has them, and nothing of what the
 * client sent in it but its names of what there is.
 */
export function logged(server: McpServer, logger: Pick<FastifyBaseLogger, 'info'>): McpServer {
  return {
    take: server.take,
    async answer(request, call) {
      const started = performance.now()
      const method = sane(request.method)
      let type = method
      let outcome: Outcome | undefined
      let problem: string | undefined
      const caller: typeof call.caller = {
        ...call.caller,
        served(asked, became) {
          type = asked
          outcome = became
          call.caller.served(asked, became)
        },
        failed(error) {
          problem = error.code
          call.caller.failed?.(error)
        },
      }
      const answer = await server.answer(request, { ...call, caller })
      const { answers, calls, span } = caller.meter
      logger.info({
        method,
        route: 'stdio',
        type,
        status: answer.status,
        outcome: outcome ?? problem ?? answer.failure ?? 'none',
        request_id: sane(String(request.id)),
        duration_ms: Math.round((performance.now() - started) * 100) / 100,
        upstream_calls: calls,
        // What is undefined is left out.
        github: answers,
        trace_id: span?.traceId,
      })
      return answer
    },
  }
}
