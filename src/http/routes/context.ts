import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Contracts, requestOptions } from '../../context/contract.ts'
import type { Engine } from '../../context/engine.ts'
import { parseQuery } from '../../context/query.ts'
import { type ContextRequest, parseRequest } from '../../context/request.ts'
import type { Locate } from '../../context/url.ts'
import { ServiceError } from '../../core/errors.ts'
import type { Credential } from '../../github/credentials.ts'
import { ageOf, cacheStatus } from '../cacheStatus.ts'
import { disconnected } from '../disconnect.ts'
import { matches } from '../etag.ts'
import { contentOf } from '../markdown.ts'
import { type MediaType, negotiate } from '../negotiate.ts'
import { type ContextSchemas, problemResponses, querySchema } from '../schemas.ts'

export interface ContextRoutesOptions {
  readonly contracts: Contracts
  readonly schemas: ContextSchemas
  readonly engine: Engine
  readonly credential: Credential
  readonly locate: Locate
  readonly rateLimitRemaining: (principal: string) => number | undefined
  readonly now: () => number
}

type Query = Readonly<Record<string, string | string[] | undefined>>
const PROBLEMS = [400, 401, 403, 404, 429, 502, 503, 504]

/** The context by POST, by GET, and by the address of a page on GitHub. */
export async function contextRoutes(
  app: FastifyInstance,
  options: ContextRoutesOptions,
): Promise<void> {
  const { contracts, schemas, locate } = options
  const response = {
    200: {
      description: 'The context',
      content: {
        'application/json': { schema: schemas.answer },
        'text/markdown': { schema: Type.String({ description: 'The `content` of all blocks' }) },
      },
    },
    304: { description: 'The caller has it already (`If-None-Match`)', type: 'null' },
  }

  app.post('/mcp/context', {
    schema: {
      operationId: 'postContext',
      summary: 'One context',
      tags: ['context'],
      body: schemas.request,
      response: { ...response, ...problemResponses(...PROBLEMS, 413, 415) },
    },
    validatorCompiler: () => requestValidator(contracts),
    handler: (request, reply) => answer(options, request.body as ContextRequest, request, reply),
  })

  app.get('/mcp/context', {
    schema: {
      operationId: 'getContextByUrl',
      summary: 'One context, by the address of its page on GitHub',
      tags: ['context'],
      querystring: Type.Object({
        url: Type.String({ examples: ['https://github.com/octocat/Hello-World/issues/1347'] }),
        ...requestOptions,
      }),
      response: { ...response, ...problemResponses(...PROBLEMS) },
    },
    validatorCompiler: () => () => true,
    handler: (request, reply) =>
      answer(options, byUrl(contracts, locate, request.query as Query), request, reply),
  })

  for (const { provider } of contracts.values()) {
    app.get(`/mcp/context/${provider.type}`, {
      schema: {
        operationId: `get_${provider.type}`,
        summary: provider.title,
        description: provider.description,
        tags: ['context'],
        querystring: querySchema(provider),
        response: { ...response, ...problemResponses(...PROBLEMS) },
      },
      validatorCompiler: () => () => true,
      handler: (request, reply) =>
        answer(
          options,
          parseQuery(contracts, provider.type, request.query as Query),
          request,
          reply,
        ),
    })
  }

  app.get('/mcp/context/:context_type', {
    schema: { hide: true },
    handler: (request, reply) => {
      const { context_type } = request.params as { context_type: string }
      return answer(
        options,
        parseQuery(contracts, context_type, request.query as Query),
        request,
        reply,
      )
    },
  })
}

/** Validation hands the handler the canonical request. */
function requestValidator(contracts: Contracts) {
  return (body: unknown) => {
    try {
      return { value: parseRequest(contracts, body) }
    } catch (error) {
      return { error: error as Error }
    }
  }
}

function byUrl(contracts: Contracts, locate: Locate, { url, ...rest }: Query): ContextRequest {
  if (typeof url !== 'string') {
    const message =
      'is required: the address of a page on GitHub, for example https://github.com/octocat/Hello-World'
    throw new ServiceError('invalid_request', `/url: ${message}`, {
      errors: [{ pointer: '/url', message }],
    })
  }
  const { type, params } = locate(url)
  return parseQuery(contracts, type, { ...rest, ...params })
}

async function answer(
  { engine, credential, rateLimitRemaining, now }: ContextRoutesOptions,
  context: ContextRequest,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { type } = context.provider
  request.served = { type, cached: undefined }
  const mediaType = negotiate(request.headers.accept)
  const cached = await engine.get(context, { credential, signal: () => disconnected(reply) })
  request.served = { type, cached }

  const at = now()
  const { entry } = cached
  const etag = etagOf(entry.contextId, mediaType)
  const remaining = rateLimitRemaining(credential.principal)
  reply
    .header('etag', etag)
    .header('age', ageOf(cached, at))
    .header('cache-status', cacheStatus(cached, at))
    .header('cache-control', 'private, no-cache')
    .header('vary', 'Accept')
    .header('x-github-requests', cached.calls)
  if (remaining !== undefined) reply.header('x-github-ratelimit-remaining', remaining)
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()
  reply.type(`${mediaType}; charset=utf-8`)
  return reply.send(mediaType === 'text/markdown' ? contentOf(entry.body) : entry.body)
}

/** Two representations of one context are two things to a cache (RFC 9110, section 8.8.3). */
function etagOf(contextId: string, mediaType: MediaType): string {
  return mediaType === 'text/markdown' ? `"${contextId}.md"` : `"${contextId}"`
}
