const ENTRY = /<([^>]*)>\s*;\s*rel="([^"]+)"/g

/** The targets of a `Link` header by relation (RFC 8288), as GitHub writes it. */
export function parseLinks(value: string | undefined): ReadonlyMap<string, string> {
  const links = new Map<string, string>()
  for (const [, target, relation] of (value ?? '').matchAll(ENTRY)) {
    if (target && relation) links.set(relation, target)
  }
  return links
}

/** The page number that a link leads to, where pages are numbered. */
export function pageOf(target: string | undefined): number | undefined {
  if (target === undefined) return undefined
  const page = URL.parse(target, 'https://api.github.com')?.searchParams.get('page')
  return page && /^\d+$/.test(page) ? Number(page) : undefined
}
