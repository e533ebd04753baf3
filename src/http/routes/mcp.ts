import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Policies } from '../../context/request/policy.ts'
import { SCOPES } from '../../core/scopes.ts'
import type { Caller } from '../../mcp/caller.ts'
import { eraOf } from '../../mcp/protocol/era.ts'
import { CODES, errorResponse, idOf, RpcError, readMessage } from '../../mcp/protocol/message.ts'
import type { McpServer } from '../../mcp/protocol/server.ts'
import { whoOf } from '../callerKey.ts'
import { callerToken } from '../callerToken.ts'
import { challengeOf } from '../challenge.ts'
import { meterOf } from '../decorations.ts'
import { createExchange, type ExchangeOptions } from '../mcp/exchange.ts'
import { createHostCheck, type HostRules } from '../mcp/hosts.ts'
import { problemHeaders, toServiceError } from '../problem.ts'

export interface McpRouteOptions extends Partial<ExchangeOptions> {
  readonly server: McpServer
  readonly hosts: HostRules
  /** Absent where none are configured. */
  readonly policies?: Policies | undefined
}

/** Milliseconds. */
const KEEP_ALIVE = 15_000
/** Messages of one batch, which the revision 2025-03-26 has, at most. */
const LARGEST_BATCH = 20

/**
 * The Model Context Protocol by Streamable HTTP. Nothing is kept between requests, so any replica
 * can answer any of them; what clients of old would keep open (GET) or end (DELETE) is not there.
 */
export async function mcpRoute(app: FastifyInstance, options: McpRouteOptions): Promise<void> {
  const { hosts, keepAlive = KEEP_ALIVE } = options
  const check = createHostCheck(hosts)
  app.addHook('onRequest', (request, _reply, done) => {
    check(request)
    done()
  })
  app.setErrorHandler<FastifyError>((error, request, reply) => sendError(error, request, reply))

  app.post('/mcp', {
    schema: { hide: true },
    handler: (request, reply) => {
      const { body } = request
      return Array.isArray(body)
        ? answerBatch(options, body, request, reply)
        : answerOne(options, body, request, reply, keepAlive)
    },
  })
  app.route({
    method: ['GET', 'DELETE'],
    url: '/mcp',
    schema: { hide: true },
    handler: (_request, reply) => {
      const error = new RpcError(CODES.transport, 'This server keeps no sessions. Use POST.')
      return reply.code(405).header('allow', 'POST').send(errorResponse(null, error))
    },
  })
}

async function answerOne(
  { policies, server }: McpRouteOptions,
  body: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  keepAlive: number,
): Promise<FastifyReply> {
  const message = readMessage(body)
  const era = eraOf(message, {
    version: headerOf(request, 'mcp-protocol-version'),
    method: headerOf(request, 'mcp-method'),
    name: headerOf(request, 'mcp-name'),
  })
  if (message.kind !== 'request') {
    server.take(message)
    return reply.code(202).send()
  }
  const { signal, send, end } = createExchange(request, reply, { keepAlive })
  const caller = {
    ...callerOf(request, message.method),
    watchRights:
      policies &&
      ((onChange: () => void) => policies.watch(request.callerName, request.policy, onChange)),
  }
  const answer = await server.answer(message, { era, caller, signal, send })
  // Clients get a token that permits more and call again (specification, "Authorization").
  if (answer.scope) reply.header('www-authenticate', wanting(request, answer.scope))
  return end(answer)
}

/** All messages side by side; what has no answer leaves none. */
async function answerBatch(
  { server }: McpRouteOptions,
  bodies: readonly unknown[],
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (bodies.length === 0 || bodies.length > LARGEST_BATCH)
    throw refused(`A batch has 1 to ${LARGEST_BATCH} messages.`)
  const messages = bodies.map(readMessage)
  if (messages.some((message) => eraOf(message) === 'modern'))
    throw refused('Requests of this revision come one by one, not in batches.')
  const { signal } = createExchange(request, reply, { keepAlive: KEEP_ALIVE })
  const answers = await Promise.all(
    messages
      .filter((message) => message.kind === 'request')
      .map((message) => {
        const caller = callerOf(request, 'batch')
        return server.answer(message, { era: 'legacy', caller, signal, send: undefined })
      }),
  )
  if (answers.length === 0) return reply.code(202).send()
  const joined = answers.map((answer) => answer.body.toString()).join()
  return reply.type('application/json; charset=utf-8').send(`[${joined}]`)
}

function wanting(request: FastifyRequest, scope: string): string {
  const error = 'insufficient_scope'
  return challengeOf(request, { error, scope: `${SCOPES.read} ${scope}` })
}

function refused(message: string): RpcError {
  return new RpcError(CODES.invalidRequest, message, { status: 400 })
}

function callerOf(request: FastifyRequest, method: string): Caller {
  const meter = meterOf(request)
  request.served = { type: method, meter, outcome: undefined }
  return {
    callerToken: callerToken(request),
    who: whoOf(request),
    meter,
    expiresAt: request.expiresAt,
    may: (scope) => request.scopes?.has(scope) ?? true,
    served(type, outcome) {
      request.served = { type, meter, outcome }
    },
    failed(problem) {
      request.problem = problem
    },
  }
}

function headerOf({ headers }: FastifyRequest, name: string): string | undefined {
  return headers[name]?.toString()
}

/** What fails before there is a method to answer: in the protocol's form, with HTTP's status. */
function sendError(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  if ((error as unknown) instanceof RpcError) {
    const shown = error as unknown as RpcError
    return reply.code(shown.status).send(errorResponse(idOf(request.body), shown))
  }
  const problem = toServiceError(error)
  request.problem = problem
  if (problem.code === 'internal_error')
    request.log.error({ request_id: request.id, err: problem.cause }, 'unexpected error')
  const { code, detail, statusCode } = problem
  const unreadable = error.code === 'FST_ERR_CTP_INVALID_JSON_BODY' || error instanceof SyntaxError
  const shown = new RpcError(unreadable ? CODES.parseError : CODES.transport, detail, {
    data: { code, status: statusCode, request_id: request.id },
  })
  problemHeaders(reply, problem)
  return reply.code(statusCode).send(errorResponse(null, shown))
}
