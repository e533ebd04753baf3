import type { GetOptions } from '../core/github.ts'

/** Fills `{name}` places with encoded values and adds the query; `/repos/{owner}/{repo}` → `/repos/o/r`. */
export function expandPath(template: string, { params = {}, query = {} }: GetOptions): string {
  const path = template.replaceAll(/\{(\w+)\}/g, (_place, name: string) => {
    const value = params[name]
    if (value === undefined) throw new TypeError(`No value for {${name}} in ${template}`)
    return encodeURIComponent(value)
  })
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value))
  }
  return search.size === 0 ? path : `${path}?${search}`
}

/** The rate-limit budget that a path draws on (docs.github.com/rest/rate-limit/rate-limit). */
export function budgetOf(path: string): string {
  if (path.startsWith('/search/code')) return 'code_search'
  if (path.startsWith('/search/')) return 'search'
  return path.startsWith('/graphql') ? 'graphql' : 'core'
}
