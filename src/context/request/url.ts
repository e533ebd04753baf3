import { ServiceError } from '../../core/errors.ts'
import type { Page, Provider } from '../../core/provider.ts'

/** A context type and its params, found from the address of a page on GitHub. */
export interface Located {
  readonly type: string
  readonly params: Readonly<Record<string, string>>
}

/** The host of GitHub's pages that belongs to an API base. */
export function webHostOf(apiUrl: string): string {
  const { host, pathname } = new URL(apiUrl)
  if (pathname.startsWith('/api/')) return host
  return host.startsWith('api.') ? host.slice('api.'.length) : 'github.com'
}

/**
 * Finds the type for a page's URL by the providers' own templates.
 * @throws ServiceError `invalid_request`
 */
export type Locate = (address: string) => Located

export function createLocator(all: readonly Provider[], webHost: string): Locate {
  const providers = all.filter(({ uri }) => uri.startsWith('github://'))
  const routes = providers
    .flatMap((provider) =>
      [provider.uri, ...(provider.pages ?? [])].map((page) => routeOf(provider, page)),
    )
    .toSorted((left, right) => right.details - left.details)
  const forms = providers
    .map(({ uri }) => uri.replace('github://', `https://${webHost}/`).replaceAll('{+', '{'))
    .join(' ')
  return (address: string): Located => {
    const url = URL.parse(address) ?? URL.parse(`https://${address}`)
    if (url && url.host.replace(/^www\./, '') === webHost) {
      for (const { provider, find } of routes) {
        const params = find(url)
        if (params) {
          return { type: provider.type, params: { ...params, ...linesOf(provider, url.hash) } }
        }
      }
    }
    const message = `is not the address of something that this service knows. It knows ${forms}`
    throw new ServiceError('invalid_request', `/url: ${message}`, {
      errors: [{ pointer: '/url', message }],
    })
  }
}

type Params = Readonly<Record<string, string>>

interface Route {
  readonly provider: Provider
  /** How many of query and fragment it looks at: what says more goes first. */
  readonly details: number
  /** The params of an address that is of this form. */
  find(url: URL): Params | undefined
}

function routeOf(provider: Provider, page: Page): Route {
  const { uri, params: said } = typeof page === 'string' ? { uri: page, params: {} } : page
  const [, path = '', query, hash] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(uri) ?? []
  const pattern = patternOf(path)
  const wanted = [...new URLSearchParams(query)].map(
    ([name, form]) => [name, textOf(form)] as const,
  )
  const fragment = hash === undefined ? undefined : textOf(hash)
  return {
    provider,
    details: wanted.length + Number(fragment !== undefined),
    find({ hash, pathname, searchParams }) {
      const place = pathname.replace(/\/+$/, '').replace(/^(\/[^/]+\/[^/]+)\.git$/, '$1')
      const matches = [
        decoded(groupsOf(pattern.exec(place))),
        ...wanted.map(([name, form]) => groupsOf(form.exec(searchParams.get(name) ?? ''))),
        ...(fragment ? [groupsOf(fragment.exec(hash.slice(1)))] : []),
      ]
      const found: Record<string, string> = {}
      for (const match of matches) {
        if (!match) return undefined
        Object.assign(found, match)
      }
      const filled = Object.entries(said).map(([name, form]) => [name, fill(form, found)])
      return Object.fromEntries(
        [...Object.entries(found), ...filled].filter(([name]) =>
          Object.hasOwn(provider.params.properties, name ?? ''),
        ),
      )
    },
  }
}

const fill = (form: string, found: Params) =>
  form.replaceAll(/\{(\w+)\}/g, (_all, name: string) => found[name] ?? '')

/** A value of a query, or a fragment: text, in which a name in braces takes all that there is. */
function textOf(form: string): RegExp {
  return new RegExp(`^${form.replaceAll(/\{(\w+)\}/g, '(?<$1>.+)')}$`, 's')
}

const groupsOf = (match: RegExpExecArray | null): Params | undefined =>
  match ? { ...match.groups } : undefined

/** `{+name}` takes all that follows, or nothing; what dots part are refs, which may hold slashes. */
function patternOf(uri: string): RegExp {
  const path = uri
    .slice('github:/'.length)
    .replaceAll(/\{(\w+)\}\.\.\.\{(\w+)\}/g, '(?<$1>.+?)\\.\\.\\.(?<$2>.+)')
    .replaceAll(/\/\{\+(\w+)\}/g, '(?:/(?<$1>.+))?')
    .replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  return new RegExp(`^${path}$`)
}

/** Each place decoded on its own, so that an encoded slash parts nothing; undefined when badly encoded. */
function decoded(groups: Params | undefined): Params | undefined {
  if (!groups) return undefined
  const params: Record<string, string> = {}
  try {
    for (const [name, value] of Object.entries(groups)) {
      if (value !== undefined) params[name] = decodeURIComponent(value)
    }
  } catch {
    return undefined
  }
  return params
}

/** The lines that a permalink marks: `#L10`, `#L10-L20`. */
function linesOf({ params }: Provider, hash: string): Record<string, string> {
  const [, start, end = start] = /^#L(\d+)(?:C\d+)?(?:-L(\d+)(?:C\d+)?)?$/.exec(hash) ?? []
  if (start === undefined || end === undefined || !params.properties.start_line) return {}
  return { start_line: start, end_line: end }
}
