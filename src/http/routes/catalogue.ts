import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Contracts } from '../../context/request/contract.ts'
import type { Provider } from '../../core/provider.ts'
import { problemResponses } from '../schemas.ts'

const Seconds = Type.Integer({ description: 'Seconds' })

const CatalogueEntry = Type.Object({
  context_type: Type.String(),
  title: Type.String(),
  description: Type.String(),
  params: Type.Unknown({ description: 'JSON Schema of the params' }),
  block: Type.Unknown({ description: 'JSON Schema of the blocks' }),
  cache: Type.Object({ fresh_for: Seconds, stale_for: Seconds, keep_for: Seconds }),
  uri: Type.String({ description: 'URI template' }),
  example: Type.Unknown({ description: 'A request that works' }),
})

/** What there is to ask for. */
export async function catalogueRoute(
  app: FastifyInstance,
  { contracts }: { contracts: Contracts },
): Promise<void> {
  const body = JSON.stringify({
    context_types: [...contracts.values()].map(({ provider }) => entryOf(provider)),
  })
  app.get('/mcp/context-types', {
    schema: {
      operationId: 'listContextTypes',
      summary: 'The catalogue of context types',
      tags: ['context'],
      response: {
        200: {
          description: 'The catalogue',
          content: {
            'application/json': {
              schema: Type.Object({ context_types: Type.Array(CatalogueEntry) }),
            },
          },
        },
        ...problemResponses(401, 429),
      },
    },
    handler: (_request, reply) => reply.type('application/json; charset=utf-8').send(body),
  })
}

function entryOf({
  type,
  title,
  description,
  params,
  block,
  blockType,
  cache,
  uri,
  example,
}: Provider) {
  return {
    context_type: type,
    title,
    description,
    params,
    block: Type.Object({ type: Type.Literal(blockType), ...block.properties }),
    cache: { fresh_for: cache.freshFor, stale_for: cache.staleFor, keep_for: cache.keepFor },
    uri,
    example: { context_type: type, params: example },
  }
}
