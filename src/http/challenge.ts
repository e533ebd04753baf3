import type { FastifyRequest } from 'fastify'

/** Where clients learn whom to ask for a token (RFC 9728, section 3). */
export const METADATA_PATH = '/.well-known/oauth-protected-resource'

const REALM = 'Bearer realm="github-context-service"'

export interface Challenge {
  /** RFC 6750, section 3.1; none where no token was sent. */
  readonly error?: 'invalid_token' | 'insufficient_scope'
  readonly description?: string
  /** What a token must permit, separated by spaces. */
  readonly scope: string
}

/** `WWW-Authenticate` of a service that takes API keys alone. */
export const KEYS_ONLY = REALM

/** `WWW-Authenticate` of one that takes access tokens (RFC 6750, section 3; RFC 9728, section 5.1). */
export function challengeOf(
  request: FastifyRequest,
  { description, error, scope }: Challenge,
): string {
  const parts = {
    error,
    error_description: description?.replaceAll(/["\\]/g, "'"),
    scope,
    resource_metadata: `${originOf(request)}${METADATA_PATH}`,
  }
  const said = Object.entries(parts).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${value}"`],
  )
  return [REALM, ...said].join(', ')
}

/** Where the caller reaches this service. */
export function originOf({ host, protocol }: FastifyRequest): string {
  return `${protocol}://${host}`
}
