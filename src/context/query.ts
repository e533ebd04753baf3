import type { TSchema } from '@sinclair/typebox'
import type { Contracts } from './contract.ts'
import { requestOptions } from './contract.ts'
import { type ContextRequest, contractOf, parseRequest } from './request.ts'

type Query = Readonly<Record<string, string | string[] | undefined>>

/**
 * Reads the query form of a request: names are those of the JSON form, lists are repeated or
 * separated by commas, numbers and booleans are written as text.
 * @throws ServiceError as `parseRequest`
 */
export function parseQuery(contracts: Contracts, type: string, query: Query): ContextRequest {
  const { provider } = contractOf(contracts, type)
  const params: Record<string, unknown> = {}
  const options: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(query)) {
    if (Object.hasOwn(requestOptions, name)) options[name] = value
    else params[name] = fromText(provider.params.properties[name], value)
  }
  return parseRequest(contracts, { context_type: type, params, ...options })
}

function fromText(schema: TSchema | undefined, value: string | string[] | undefined): unknown {
  if (schema?.type === 'array') {
    return [value ?? []].flat().flatMap((entry) => entry.split(',').filter((part) => part !== ''))
  }
  if (schema?.type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}
