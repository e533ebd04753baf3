import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { ApiKey } from '../../config.ts'
import { ServiceError } from '../../core/errors.ts'

/** Routes that anyone may call: probes, metrics, documentation. */
declare module 'fastify' {
  interface FastifyContextConfig {
    open?: boolean
  }
}

const digestOf = (text: string) => hash('sha256', text, 'buffer')

/**
 * Says who calls, by API key (`Authorization: Bearer …` or `X-API-Key`), and refuses who may not.
 * The refusal comes after rate limiting, so that guessing keys is limited too.
 */
export const authPlugin = fp(
  async (app, { apiKeys }: { apiKeys: readonly ApiKey[] }) => {
    const known = apiKeys.map(({ name, key }) => ({ name, digest: digestOf(key) }))

    if (known.length === 0) return

    app.addHook('onRequest', (request, _reply, done) => {
      request.callerName = nameOf(request, known)
      done()
    })
    app.addHook('preParsing', (request, _reply, _payload, done) => {
      const { open } = request.routeOptions.config
      if (request.callerName !== undefined || open || request.is404) done()
      else done(refusalOf(request))
    })
  },
  { name: 'auth' },
)

function refusalOf({ headers }: FastifyRequest): ServiceError {
  return new ServiceError(
    'unauthorized',
    headers.authorization || headers['x-api-key']
      ? 'The API key is not known here.'
      : 'Send an API key, as Authorization: Bearer … or as X-API-Key.',
  )
}

function nameOf(
  request: FastifyRequest,
  known: readonly { name: string; digest: Buffer }[],
): string | undefined {
  const given = bearerOf(request) ?? request.headers['x-api-key']
  if (typeof given !== 'string') return undefined
  const digest = digestOf(given)
  let found: string | undefined
  // Every key is compared, so that the time taken says nothing about which one matched.
  for (const entry of known) if (timingSafeEqual(digest, entry.digest)) found = entry.name
  return found
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
}
