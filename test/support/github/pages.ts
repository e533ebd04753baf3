import { text, withHeaders } from './replies.ts'
import type { Ask, Reply } from './types.ts'

/** GitHub takes what it cannot read as the default, and more than 100 as 100. */
export function pageOf(query: URLSearchParams): { page: number; perPage: number } {
  const number = (name: string, otherwise: number) => {
    const value = query.get(name) ?? ''
    return /^\d+$/.test(value) && Number(value) > 0 ? Number(value) : otherwise
  }
  return { page: number('page', 1), perPage: Math.min(100, number('per_page', 30)) }
}

/** One page of a list with its Link header. `path` is where Link points, `/repositories/:id/…` for a repository's. */
export function paged<T>(
  ask: Ask,
  path: string,
  items: readonly T[],
  write: (item: T) => string,
): Reply {
  const { page, perPage } = pageOf(ask.query)
  const start = (page - 1) * perPage
  const body = items.slice(start, start + perPage).map(write)
  return withLink(text(200, `[${body.join(',')}]`), ask, path, Math.ceil(items.length / perPage))
}

export function withLink(reply: Reply, ask: Ask, path: string, last: number): Reply {
  const { page } = pageOf(ask.query)
  const numbered = ask.world.pagination === 'numbered'
  const rels: [string, number][] = []
  if (page > 1) rels.push(['prev', Math.min(page - 1, Math.max(1, last))])
  if (page < last) rels.push(['next', page + 1])
  if (page < last && numbered) rels.push(['last', last])
  if (page > 1 && numbered) rels.push(['first', 1])
  if (rels.length === 0) return reply
  const links = rels.map(
    ([rel, to]) => `<${ask.origin}${path}?${searchFor(ask, to)}>; rel="${rel}"`,
  )
  return withHeaders(reply, 'Link', links.join(', '))
}

/** The query as it was sent, with another page. */
function searchFor(ask: Ask, page: number): string {
  const kept = ask.search.slice(1)
  const replaced = kept.replace(/(^|&)page=[^&]*/, `$1page=${page}`)
  if (/(^|&)page=/.test(kept)) return replaced
  return kept === '' ? `page=${page}` : `${kept}&page=${page}`
}
