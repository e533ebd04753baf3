import type { TSchema } from '@sinclair/typebox'
import type { Provider } from '../../core/provider.ts'
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
    if (isOption(name, value, provider)) options[name] = value
    else params[name] = fromText(provider.params.properties[name], value)
  }
  return parseRequest(contracts, { context_type: type, params, ...options })
}

/** Where a type has a param of an option's name, as lists have `since`, the value's form decides. */
function isOption(name: string, value: Query[string], { params }: Provider): boolean {
  const option: TSchema | undefined = Object.hasOwn(requestOptions, name)
    ? requestOptions[name as keyof typeof requestOptions]
    : undefined
  if (!option || !Object.hasOwn(params.properties, name)) return option !== undefined
  return new RegExp(option.pattern ?? '').test(String(value))
}

function fromText(schema: TSchema | undefined, value: string | string[] | undefined): unknown {
  if (schema?.type === 'array') {
    return [value ?? []].flat().flatMap((entry) => entry.split(',').filter((part) => part !== ''))
  }
  if (schema?.type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}
