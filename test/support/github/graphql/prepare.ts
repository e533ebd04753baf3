import type { DocumentNode, GraphQLError, OperationDefinitionNode } from 'graphql'
import { loadLibrary } from './library.ts'
import { type Load, loadOf } from './nodes.ts'

export interface GraphRequest {
  query: string
  variables: Readonly<Record<string, unknown>>
  operationName?: string
}

export interface PreparedQuery extends Load {
  document: DocumentNode
}

/** A query that GitHub does not even begin: `errors` without `data`. */
export interface Refused {
  errors: readonly object[]
}

const MOST_NODES = 500_000
const KEPT = 500
const known = new Map<string, DocumentNode | Refused>()

/** The query if GitHub's own schema allows it. Texts repeat, so what was found of one is kept. */
export function prepareQuery(body: unknown): (PreparedQuery & GraphRequest) | Refused {
  const request = requestOf(body)
  if (!request) return refuse('A query attribute must be specified and must be a string.')
  const { query, variables, operationName } = request
  const document = known.get(query) ?? check(query)
  if (known.size >= KEPT) known.clear()
  known.set(query, document)
  if ('errors' in document) return document
  const operations = document.definitions.filter(
    (definition): definition is OperationDefinitionNode =>
      definition.kind === 'OperationDefinition',
  )
  const operation = operationName
    ? operations.find(({ name }) => name?.value === operationName)
    : operations[0]
  if (!operation) return refuse(`No operation named "${operationName}"`)
  const load = loadOf(document, operation, variables)
  if (load.nodes > MOST_NODES) {
    const count = load.nodes.toLocaleString('en-US')
    const message = `This query requests up to ${count} possible nodes which exceeds the maximum limit of 500,000.`
    return { errors: [{ type: 'MAX_NODE_LIMIT_EXCEEDED', message }] }
  }
  return { ...request, ...load, document }
}

function requestOf(body: unknown): GraphRequest | undefined {
  if (!(body instanceof Object) || !('query' in body) || typeof body.query !== 'string') return
  const { query, variables, operationName } = body as Partial<GraphRequest>
  return { query: query ?? '', variables: variables ?? {}, ...(operationName && { operationName }) }
}

const refuse = (message: string): Refused => ({ errors: [{ message }] })

function check(query: string): DocumentNode | Refused {
  const { graphql, schema } = loadLibrary()
  try {
    const document = graphql.parse(query)
    const faults = graphql.validate(schema, document)
    return faults.length === 0 ? document : { errors: faults.map(wordFault) }
  } catch (error) {
    if (!(error instanceof graphql.GraphQLError)) throw error
    return { errors: [{ message: error.message, locations: error.locations }] }
  }
}

/** graphql-js' finding in GitHub's words, where they are known. */
function wordFault({ message, locations, nodes }: GraphQLError): object {
  const [, fieldName, typeName] = /^Cannot query field "(\w+)" on type "(\w+)"/.exec(message) ?? []
  if (!fieldName) return { locations, message }
  return {
    path: ['query', ...(nodes?.[0]?.kind === 'Field' ? [nodes[0].name.value] : [])],
    extensions: { code: 'undefinedField', typeName, fieldName },
    locations,
    message: `Field '${fieldName}' doesn't exist on type '${typeName}'`,
  }
}
