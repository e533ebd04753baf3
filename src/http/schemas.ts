import { type TSchema, Type } from '@sinclair/typebox'
import { type Contracts, requestOptions } from '../context/request/contract.ts'
import type { Provider } from '../core/provider.ts'
import { Omission } from '../core/schemas.ts'
import { Problem } from './problem.ts'

/** The OpenAPI document's schemas, all derived from the registry. */
export interface ContextSchemas {
  /** One of all requests, told apart by `context_type`. */
  readonly request: TSchema
  readonly answer: TSchema
  /** To be added to the app, so that the document names them. */
  readonly shared: readonly TSchema[]
}

export function contextSchemas(contracts: Contracts): ContextSchemas {
  const providers = [...contracts.values()].map(({ provider }) => provider)
  const requests = providers.map(requestSchema)
  const blocks = [
    ...new Map(providers.flatMap(blockSchemas).map((block) => [block.$id, block])).values(),
  ]
  return {
    shared: [Problem, Omission, ...requests, ...blocks],
    request: Type.Unsafe({
      oneOf: requests.map(({ $id }) => ({ $ref: `${$id}#` })),
      discriminator: { propertyName: 'context_type' },
      type: 'object',
      'x-examples': Object.fromEntries(
        providers.map((provider) => [provider.type, exampleOf(provider)]),
      ),
    }),
    answer: Type.Object(
      {
        context_id: Type.String({ description: 'Changes only when the content does' }),
        context: Type.Array(Type.Unsafe({ anyOf: blocks.map(({ $id }) => ({ $ref: `${$id}#` })) })),
        tokens: Type.Integer({ description: 'Sum over the blocks (o200k_base)' }),
        omitted: Type.Array(Type.Unsafe({ $ref: 'Omission#' }), {
          description: 'What was left out, and why',
        }),
      },
      { description: 'The context' },
    ),
  }
}

function requestSchema({ type, title, description, params }: Provider): TSchema {
  return Type.Object(
    {
      context_type: Type.Literal(type),
      params: Type.Object(params.properties, { additionalProperties: false }),
      ...requestOptions,
    },
    { $id: type, title, description, additionalProperties: false },
  )
}

/** Several types may answer the same block; it is described once. */
function blockSchemas({ alsoBlocks = {}, block, blockType, title }: Provider): TSchema[] {
  return Object.entries({ [blockType]: block, ...alsoBlocks }).map(([type, { properties }]) =>
    Type.Object(
      { type: Type.Literal(type), ...properties },
      { $id: `${type}_block`, title: type === blockType ? title : type },
    ),
  )
}

function exampleOf(provider: Provider) {
  return {
    summary: provider.title,
    value: { context_type: provider.type, params: provider.example },
  }
}

/** Query parameters of the GET form of one type, its own first, also where an option has the same name. */
export function querySchema({ params }: Provider): TSchema {
  return Type.Object({ ...params.properties, ...requestOptions, ...params.properties })
}

/** The problems that an operation may answer with, for the OpenAPI document. */
export function problemResponses(...statuses: number[]) {
  const response = (description: string) => ({
    description,
    content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
  })
  return Object.fromEntries(
    statuses.map((status) => [status, response(PROBLEM_TEXT[status] ?? 'A problem')]),
  )
}

const PROBLEM_TEXT: Readonly<Record<number, string>> = {
  400: 'The request is not valid, or the context type is not known',
  401: 'No API key, or a wrong one',
  403: 'The allowlist or GitHub does not permit it',
  404: 'GitHub has nothing there, or the credential may not see it',
  406: 'The service has no such representation',
  413: 'The body is too large',
  415: 'The body is not JSON',
  429: 'Too many requests of this caller',
  500: 'The service failed',
  502: 'GitHub failed, cannot be reached, or refuses the credential',
  503: "GitHub's rate limit is reached, or the service is overloaded",
  504: 'GitHub took too long',
}
