import type { Contracts } from '../../context/request/contract.ts'
import { parseQuery } from '../../context/request/query.ts'
import type { ContextRequest } from '../../context/request/request.ts'
import type { Provider } from '../../core/provider.ts'
import type { Call } from '../protocol/methods.ts'

/** The request that a resource stands for, or undefined where no type has such an address. */
export type RequestOf = (uri: string, call: Call) => ContextRequest | undefined

/** The types whose whole address can be written down: all that they require stands in their template. */
export function addressable(contracts: Contracts): Provider[] {
  return [...contracts.values()]
    .map(({ provider }) => provider)
    .filter(({ params, uri }) =>
      (params.required ?? []).every((name) => namesIn(uri).includes(name)),
    )
}

/** Names of the places of a template, in order. */
export function namesIn(template: string): string[] {
  return [...template.matchAll(/\{\+?(\w+)\}/g)].map(([, name]) => name as string)
}

/** A template as clients get it, with what it may have beside its places. */
export function templateOf({ description, title, type, uri }: Provider) {
  return {
    uriTemplate: uri,
    name: type,
    title,
    description,
    mimeType: MARKDOWN,
  }
}

export const MARKDOWN = 'text/markdown'

/**
 * Reads resource addresses by the types' own templates. Params that are not in the template, and a
 * request's options such as `max_tokens`, may follow as a query.
 */
export function createRequestOf(contracts: Contracts): RequestOf {
  const patterns = addressable(contracts).map(({ type, uri }) => ({
    type,
    pattern: patternOf(uri),
  }))
  return (uri) => {
    const [path = '', search = ''] = uri.split('?', 2)
    const query = Object.fromEntries(new URLSearchParams(search))
    for (const { type, pattern } of patterns) {
      const params = decoded(pattern.exec(path)?.groups)
      if (params) return parseQuery(contracts, type, { ...query, ...params })
    }
    return undefined
  }
}

/** `{name}` takes one segment, `{+name}` all that follows, or nothing. */
function patternOf(template: string): RegExp {
  const pattern = template
    .replaceAll(/[.*^$()|[\]\\]/g, '\\$&')
    .replaceAll(/\/\{\+(\w+)\}/g, '(?:/(?<$1>.+))?')
    .replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  return new RegExp(`^${pattern}$`)
}

/** Each place decoded on its own; undefined when one is badly encoded. */
function decoded(groups: Readonly<Record<string, string>> | undefined) {
  if (!groups) return undefined
  try {
    return Object.fromEntries(
      Object.entries(groups).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, decodeURIComponent(value)]],
      ),
    )
  } catch {
    return undefined
  }
}
