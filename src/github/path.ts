import { invalid } from '../core/errors.ts'
import type { GetOptions } from '../core/github.ts'

/**
 * Fills `{name}` places with encoded values and adds the query; `/repos/{owner}/{repo}` → `/repos/o/r`.
 * In `{+name}` slashes stay (RFC 6570, section 3.2.3), each segment encoded.
 * @throws ServiceError `invalid_request` for a path with `.` or `..`, which would lead elsewhere
 */
export function expandPath(template: string, { params = {}, query = {} }: GetOptions): string {
  const path = template.replaceAll(/\{(\+?)(\w+)\}/g, (_place, plus: string, name: string) => {
    const value = params[name]
    if (value === undefined) throw new TypeError(`No value for {${name}} in ${template}`)
    return plus ? encodeSegments(name, String(value)) : encodeURIComponent(value)
  })
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value))
  }
  return search.size === 0 ? path : `${path}?${search}`
}

function encodeSegments(name: string, path: string): string {
  const segments = path.split('/')
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw invalid(`/params/${name}`, 'must not have "." or ".." as a part')
  }
  return segments.map(encodeURIComponent).join('/')
}

/** Where GraphQL is asked (docs.github.com/graphql/guides/forming-calls-with-graphql). */
export const GRAPHQL = '/graphql'

/** The rate-limit budget that a path draws on (docs.github.com/rest/rate-limit/rate-limit). */
export function budgetOf(path: string): string {
  if (path.startsWith('/search/code')) return 'code_search'
  if (path.startsWith('/search/')) return 'search'
  return path === GRAPHQL ? 'graphql' : 'core'
}

/** A path on its host: GraphQL lies beside REST on GitHub Enterprise Server, not below `/api/v3`. */
export function pathOnHost(basePath: string, path: string): string {
  return (path === GRAPHQL ? basePath.replace(/\/v3$/, '') : basePath) + path
}
