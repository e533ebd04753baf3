import type { FastifyInstance } from 'fastify'
import { SCOPES } from '../../core/scopes.ts'
import { METADATA_PATH, originOf } from '../challenge.ts'

export interface ProtectedResourceOptions {
  readonly name: string
  readonly issuer: string
  readonly audience: string
}

/**
 * Says whose access tokens are taken and what they may permit (RFC 9728). Also under the path of
 * `/mcp`, where clients look first (section 3.1).
 */
export async function protectedResourceRoutes(
  app: FastifyInstance,
  { audience, issuer, name }: ProtectedResourceOptions,
): Promise<void> {
  for (const url of [METADATA_PATH, `${METADATA_PATH}/mcp`]) {
    app.get(url, {
      config: { open: true, rateLimit: false },
      schema: { hide: true },
      handler: (request) => ({
        // Tokens are bound to it (RFC 8707): the audience, where that is an address.
        resource: URL.canParse(audience) ? audience : `${originOf(request)}/mcp`,
        resource_name: name,
        authorization_servers: [issuer],
        scopes_supported: Object.values(SCOPES),
        bearer_methods_supported: ['header'],
      }),
    })
  }
}
