import { ServiceError } from '../../core/errors.ts'
import type { Provider } from '../../core/provider.ts'

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
  const routes = providers.flatMap((provider) =>
    [provider.uri, ...(provider.pages ?? [])].map((uri) => ({ provider, pattern: patternOf(uri) })),
  )
  const forms = providers
    .map(({ uri }) => uri.replace('github://', `https://${webHost}/`).replaceAll('{+', '{'))
    .join(' ')
  return (address: string): Located => {
    const url = URL.parse(address) ?? URL.parse(`https://${address}`)
    if (url && url.host.replace(/^www\./, '') === webHost) {
      const path = url.pathname.replace(/\/+$/, '').replace(/^(\/[^/]+\/[^/]+)\.git$/, '$1')
      for (const { provider, pattern } of routes) {
        const params = decoded(pattern.exec(path)?.groups)
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
function decoded(groups: Readonly<Record<string, string>> | undefined) {
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
