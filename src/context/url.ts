import { ServiceError } from '../core/errors.ts'
import type { Provider } from '../core/provider.ts'

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

export function createLocator(providers: readonly Provider[], webHost: string): Locate {
  const routes = providers.map((provider) => ({
    type: provider.type,
    pattern: patternOf(provider.uri),
  }))
  const forms = providers
    .map(({ uri }) => uri.replace('github://', `https://${webHost}/`))
    .join(' ')
  return (address: string): Located => {
    const url = URL.parse(address) ?? URL.parse(`https://${address}`)
    if (url && url.host.replace(/^www\./, '') === webHost) {
      const path = decodePath(url.pathname)
      for (const { type, pattern } of routes) {
        const match = path === undefined ? null : pattern.exec(path)
        if (match) return { type, params: { ...match.groups } }
      }
    }
    const message = `is not the address of something that this service knows. It knows ${forms}`
    throw new ServiceError('invalid_request', `/url: ${message}`, {
      errors: [{ pointer: '/url', message }],
    })
  }
}

function patternOf(uri: string): RegExp {
  const path = uri.slice('github:/'.length).replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  return new RegExp(`^${path}$`)
}

/** The path without a trailing slash and without git's own suffix, or undefined when badly encoded. */
function decodePath(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname)
      .replace(/\/+$/, '')
      .replace(/^(\/[^/]+\/[^/]+)\.git$/, '$1')
  } catch {
    return undefined
  }
}
