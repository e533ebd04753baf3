import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Contracts } from '../../context/request/contract.ts'
import { ServiceError } from '../../core/errors.ts'
import type { Caller } from '../../sessions/github/fetch.ts'
import { parseItems } from '../../sessions/items/parse.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import { parseInvocation } from '../../sessions/turn/request.ts'
import { whoOf } from '../callerKey.ts'
import { callerToken } from '../callerToken.ts'
import { meterOf } from '../decorations.ts'
import { disconnected } from '../disconnect.ts'
import { invokeSession } from '../invokeSession.ts'
import { type ContextSchemas, problemResponses } from '../schemas.ts'
import { parseWanted } from '../sessionRequests.ts'
import * as shapes from '../sessionSchemas.ts'

export interface SessionRoutesOptions {
  readonly sessions: Sessions
  /** Who a caller's own GitHub token stands for. @throws ServiceError where none are taken */
  readonly principalOf: (token: string) => Promise<string>
  readonly contracts: Contracts
  readonly schemas: ContextSchemas
}

/** Bytes. */
const LARGEST_ITEMS = 4 * 1024 * 1024
const LARGEST_INVOCATION = 1024 * 1024

const PROBLEMS = [400, 401, 403, 404, 429, 500, 503]
const UPSTREAM = [502, 504]
/** Of bodies that are read although none is wanted. */
const UNREAD = [413, 415]
const NOTHING = { description: 'Done', type: 'null' }
const json = (description: string, schema: unknown) => ({
  description,
  content: { 'application/json': { schema } },
})
/** Bodies and queries are read by the handlers, whose problems name what is wrong. */
const own = { validatorCompiler: () => () => true }

/** Conversations: memory, context from GitHub, and models. */
export async function sessionRoutes(
  app: FastifyInstance,
  options: SessionRoutesOptions,
): Promise<void> {
  const { contracts, schemas, sessions } = options
  takeEmptyBodies(app)
  app.setErrorHandler<FastifyError>((error, request) => {
    throw explain(error, request)
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    reply.header('cache-control', 'no-store')
    done(null, payload)
  })
  const addressOf = async (request: FastifyRequest) => ({
    id: (request.params as { session_id: string }).session_id,
    owner: await ownerOf(options, request),
  })

  app.post('/mcp/session/create', {
    ...own,
    schema: {
      operationId: 'createSession',
      summary: 'A new session',
      description: 'It belongs to the caller’s API key, and to the X-GitHub-Token if one is sent.',
      tags: ['sessions'],
      response: {
        201: json('It is made', shapes.Created),
        ...problemResponses(...PROBLEMS, ...UNREAD),
      },
    },
    async handler(request, reply) {
      const made = await sessions.create(await ownerOf(options, request))
      return reply
        .code(201)
        .header('location', `/mcp/session/${made.id}/status`)
        .send({
          session_id: made.id,
          created_at: new Date(made.createdAt).toISOString(),
          expires_at: new Date(made.expiresAt).toISOString(),
        })
    },
  })

  app.post('/mcp/session/:session_id/context', {
    ...own,
    bodyLimit: LARGEST_ITEMS,
    schema: {
      operationId: 'addSessionContext',
      summary: 'Items for a session',
      description: 'A newer version of an item takes the place of the older one.',
      tags: ['sessions'],
      params: shapes.SessionParams,
      body: shapes.Items,
      response: { 204: NOTHING, ...problemResponses(...PROBLEMS, 413, 415) },
    },
    async handler(request, reply) {
      const address = await addressOf(request)
      await sessions.add(address, await parseItems(request.body))
      return reply.code(204).send()
    },
  })

  app.post('/mcp/session/:session_id/github_context', {
    ...own,
    schema: {
      operationId: 'addSessionGitHubContext',
      summary: 'Contexts of GitHub’s for a session',
      description:
        'By a query that names a repository, by a body of context requests, or both. All of it is fetched, or nothing is kept.',
      tags: ['sessions'],
      params: shapes.SessionParams,
      querystring: shapes.GitHubQuery,
      body: shapes.GitHubBody(schemas.request),
      response: { 204: NOTHING, ...problemResponses(...PROBLEMS, ...UPSTREAM, 413, 415) },
    },
    async handler(request, reply) {
      const address = await addressOf(request)
      const wanted = parseWanted(contracts, request.query as never, request.body)
      return forCaller(request, reply, async (caller) => {
        await sessions.fetch(address, wanted, caller)
        return reply.code(204).header('x-github-requests', caller.meter.calls).send()
      })
    },
  })

  app.post('/mcp/session/:session_id/invoke', {
    ...own,
    bodyLimit: LARGEST_INVOCATION,
    schema: {
      operationId: 'invokeSession',
      summary: 'One turn of a session',
      description:
        'The model is given the session’s items that matter and the latest turns. One turn at a time: a second one that runs meanwhile gets 409. A turn that fails, or whose caller hangs up, is not kept.',
      tags: ['sessions'],
      params: shapes.SessionParams,
      body: shapes.Invoke,
      response: {
        200: {
          description: 'The model’s answer',
          content: {
            'application/json': { schema: shapes.Invoked },
            'text/event-stream': { schema: shapes.Streamed },
          },
        },
        ...problemResponses(...PROBLEMS, ...UPSTREAM, 406, 409, 413, 415),
      },
    },
    async handler(request, reply) {
      const address = await addressOf(request)
      const invocation = parseInvocation(request.body)
      return forCaller(request, reply, (caller) =>
        invokeSession(sessions.invoke(address, invocation, caller), request, reply, caller.signal),
      )
    },
  })

  app.get('/mcp/session/:session_id/status', {
    ...own,
    schema: {
      operationId: 'getSession',
      summary: 'A session’s items and turns',
      tags: ['sessions'],
      params: shapes.SessionParams,
      response: { 200: json('All of it', shapes.Status), ...problemResponses(...PROBLEMS) },
    },
    handler: async (request) => sessions.status(await addressOf(request)),
  })

  app.delete('/mcp/session/:session_id', {
    ...own,
    schema: {
      operationId: 'deleteSession',
      summary: 'Deletes a session',
      tags: ['sessions'],
      params: shapes.SessionParams,
      response: { 204: NOTHING, ...problemResponses(...PROBLEMS, ...UNREAD) },
    },
    async handler(request, reply) {
      await sessions.remove(await addressOf(request))
      return reply.code(204).send()
    },
  })
}

/** A session is open to the caller that made it alone: an API key, with the GitHub token it came with. */
async function ownerOf(
  { principalOf }: SessionRoutesOptions,
  request: FastifyRequest,
): Promise<string> {
  const token = callerToken(request)
  const key = request.callerName === undefined ? 'anyone' : `key:${request.callerName}`
  return token === undefined ? key : `${key} github:${await principalOf(token)}`
}

/** Does what takes a while for as long as its caller waits; nobody is told that nobody waits. */
async function forCaller(
  request: FastifyRequest,
  reply: FastifyReply,
  work: (caller: Caller) => Promise<FastifyReply>,
): Promise<FastifyReply> {
  const meter = meterOf(request)
  request.served = { type: 'session', meter, outcome: undefined }
  const signal = disconnected(reply)
  try {
    return await work({ callerToken: callerToken(request), who: whoOf(request), meter, signal })
  } catch (error) {
    if (signal.aborted) return reply.hijack()
    throw error
  }
}

/** Clients say that they send JSON, and then have nothing to say. */
function takeEmptyBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    (request, text, done) => {
      if (text.trim() === '') done(null, undefined)
      else void parseJson(request, text, done)
    },
  )
}

function explain(error: FastifyError, { routeOptions }: FastifyRequest): unknown {
  if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE') return error
  const limit = (routeOptions.bodyLimit ?? 0) / 1024
  return new ServiceError(
    'payload_too_large',
    `The body is larger than the ${limit} KiB that one request may have. Send it in several.`,
    { cause: error },
  )
}
