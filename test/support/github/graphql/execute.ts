import type { GraphQLError, GraphQLFieldResolver } from 'graphql'
import { text, withHeaders } from '../replies.ts'
import type { Ask, Reply } from '../types.ts'
import { RESOLVERS } from './index.ts'
import { loadLibrary } from './library.ts'
import { prepareQuery } from './prepare.ts'
import { Gap, type GraphProblem } from './problems.ts'
import type { GraphContext, Resolvers } from './types.ts'

/** GitHub's answer to `POST /graphql`: 200 whatever is wrong with the query. */
export function execute(ask: Ask): Reply {
  if (!(ask.body instanceof Object)) {
    return graphReply(400, { message: 'Problems parsing JSON', status: '400' })
  }
  const prepared = prepareQuery(ask.body)
  if ('errors' in prepared) return graphReply(200, prepared)
  const { cost, document, nodes, operationName, variables } = prepared
  const context: GraphContext = { ask, headers: [], cost, nodeCount: nodes }
  const { graphql, schema } = loadLibrary()
  const { data, errors = [] } = graphql.executeSync({
    schema,
    document,
    rootValue: {},
    contextValue: context,
    variableValues: variables,
    fieldResolver: resolve,
    ...(operationName && { operationName }),
  })
  const gap = errors.find(({ originalError }) => originalError instanceof Gap)
  if (gap) return graphReply(501, { message: gap.message })
  // Without `data` it never began: a variable was not what the query declares.
  const body = {
    ...(data !== undefined && { data }),
    ...(errors.length > 0 && { errors: errors.map(write) }),
  }
  return withHeaders(graphReply(200, body), ...context.headers)
}

/** What the query takes from the hourly budget; what is refused before it begins takes a point as well. */
export function costOf(ask: Ask): number {
  const prepared = prepareQuery(ask.body)
  return 'errors' in prepared ? 1 : prepared.cost
}

function graphReply(status: number, body: object): Reply {
  const reply = text(status, JSON.stringify(body), status === 200 ? 'no-cache' : 'none')
  reply.mediaType = 'github.v4; format=json'
  return reply
}

const resolve: GraphQLFieldResolver<unknown, GraphContext> = (source, args, context, info) => {
  const { fieldName, parentType } = info
  const resolver = resolverOf(parentType.name, fieldName)
  if (resolver) return resolver(source as never, args as never, context, info)
  if (source instanceof Object && fieldName in source) {
    return (source as Record<string, unknown>)[fieldName]
  }
  throw new Gap(`The simulator has no resolver for ${parentType.name}.${fieldName}`)
}

type Fields = Resolvers[string]
let merged: Map<string, Fields> | undefined

function resolverOf(type: string, field: string): Fields[string] | undefined {
  merged ??= merge(RESOLVERS)
  return merged.get(type)?.[field]
}

/** A type may be spread over modules; a field belongs to one. */
function merge(modules: readonly Resolvers[]): Map<string, Fields> {
  const all = new Map<string, Record<string, Fields[string]>>()
  for (const [type, fields] of modules.flatMap((module) => Object.entries(module))) {
    const known = all.get(type) ?? {}
    for (const [field, resolver] of Object.entries(fields)) {
      if (field in known) throw new Error(`two resolvers for ${type}.${field}`)
      known[field] = resolver
    }
    all.set(type, known)
  }
  return all
}

function write({ locations, message, originalError, path }: GraphQLError): object {
  const { extensions, type } = (originalError ?? {}) as Partial<GraphProblem>
  return { ...(type && { type }), path, ...(extensions && { extensions }), locations, message }
}
