import type { Tracer } from '../core/trace.ts'
import { isObject, type RpcRequest } from './protocol/message.ts'
import type { McpServer } from './protocol/server.ts'

/** What may stand in a span's name or a log line: clients can call for what there is not. */
const SANE = /^[\w./-]{1,64}$/
const OTHER = '_OTHER'

/**
 * A server whose requests are spans (opentelemetry.io/docs/specs/semconv/gen-ai/mcp): of the trace
 * that the client names in `_meta`, which over HTTP may be another than the headers'.
 */
export function traced(server: McpServer, tracer: Tracer): McpServer {
  return {
    take: server.take,
    async answer(request, call) {
      const { meter } = call.caller
      const { attributes, meta, name } = describe(request)
      const span = tracer.serve(name, meta, attributes, { within: meter.span })
      // What is done for this message belongs to it.
      meter.span = span
      try {
        const answer = await server.answer(request, call)
        if (answer.failure !== undefined) span.fail(answer.failure)
        return answer
      } finally {
        span.end()
      }
    },
  }
}

function describe({ method, params }: RpcRequest) {
  const known = sane(method)
  const target = method === 'tools/call' || method === 'prompts/get' ? sane(params.name) : undefined
  return {
    name: target === undefined ? known : `${known} ${target}`,
    meta: isObject(params._meta) ? params._meta : {},
    attributes: {
      'mcp.method.name': known,
      'gen_ai.tool.name': method === 'tools/call' ? target : undefined,
      'gen_ai.prompt.name': method === 'prompts/get' ? target : undefined,
    },
  }
}

export const sane = (name: unknown): string =>
  typeof name === 'string' && SANE.test(name) ? name : OTHER
