import { timingSafeEqual } from 'node:crypto'
import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { ApiKey } from '../../config.ts'
import { ServiceError } from '../../core/errors.ts'

/** Routes that anyone may call: probes, metrics, documentation. */
declare module 'fastify' {
  interface FastifyContextConfig {
    open?: boolean
  }
}

/** Bytes. Keys are compared at this one length, so that the time taken says nothing about theirs. */
const KEY_BYTES = 256

function pad(key: string, into: Buffer): Buffer {
  into.fill(0)
  into.write(key)
  return into
}

interface KnownKey {
  readonly name: string
  readonly bytes: Buffer
}

/** Says who calls, by API key: `Authorization: Bearer …` or `X-API-Key`. */
export const authPlugin = fp(
  async (app, { apiKeys }: { apiKeys: readonly ApiKey[] }) => {
    const known = apiKeys.map(({ name, key }) => ({
      name,
      bytes: pad(key, Buffer.alloc(KEY_BYTES)),
    }))

    if (known.length === 0) return
    const scratch = Buffer.alloc(KEY_BYTES)

    app.addHook('onRequest', (request, _reply, done) => {
      request.callerName = nameOf(request, known, scratch)
      done()
    })
  },
  { name: 'auth' },
)

/**
 * Refuses who has no valid key. A hook of each route, added after that of the rate limit, so that
 * guessing keys is limited too (a `preParsing` hook of the app would do, at five times the cost).
 */
export const guardPlugin = fp(
  async (app, { apiKeys }: { apiKeys: readonly ApiKey[] }) => {
    if (apiKeys.length === 0) return
    const guard: onRequestHookHandler = (request, _reply, done) => {
      if (request.callerName !== undefined || request.routeOptions.config.open) done()
      else done(refusalOf(request))
    }
    app.addHook('onRoute', (route) => {
      route.onRequest = [route.onRequest ?? [], guard].flat()
    })
  },
  { name: 'guard', dependencies: ['auth', 'rateLimit'] },
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
  known: readonly KnownKey[],
  scratch: Buffer,
): string | undefined {
  const given = bearerOf(request) ?? request.headers['x-api-key']
  if (typeof given !== 'string' || Buffer.byteLength(given) > KEY_BYTES) return undefined
  const bytes = pad(given, scratch)
  let found: string | undefined
  // Every key is compared, so that the time taken says nothing about which one matched.
  for (const key of known) if (timingSafeEqual(bytes, key.bytes)) found = key.name
  return found
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
}
