import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { type Contracts, requestOptions } from '../../context/request/contract.ts'
import { parseQuery } from '../../context/request/query.ts'
import type { ContextRequest } from '../../context/request/request.ts'
import type { Locate } from '../../context/request/url.ts'
import { ServiceError } from '../../core/errors.ts'
import { type AnswerOptions, answer } from '../answer.ts'
import { createRequestParser } from '../requestParser.ts'
import { type ContextSchemas, problemResponses, querySchema } from '../schemas.ts'

export interface ContextRoutesOptions extends AnswerOptions {
  readonly contracts: Contracts
  readonly schemas: ContextSchemas
  readonly locate: Locate
}

type Query = Readonly<Record<string, string | string[] | undefined>>
const PROBLEMS = [400, 401, 403, 404, 406, 429, 500, 502, 503, 504]

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
        'text/event-stream': {
          schema: Type.String({
            description:
              'An event `block` for each block as it is ready, then `done`; `error` holds a problem; after `restart` what came before is void',
          }),
        },
      },
    },
    304: { description: 'The caller has it already (`If-None-Match`)', type: 'null' },
  }

  const parseBody = createRequestParser(app, contracts)
  /** Hands the handler the canonical request. */
  const validateBody = (body: unknown) => {
    try {
      return { value: parseBody(body) }
    } catch (error) {
      return { error: error as Error }
    }
  }

  app.post('/mcp/context', {
    schema: {
      operationId: 'postContext',
      summary: 'One context',
      tags: ['context'],
      body: schemas.request,
      response: { ...response, ...problemResponses(...PROBLEMS, 413, 415) },
    },
    validatorCompiler: () => validateBody,
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
