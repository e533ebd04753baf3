import { timingSafeEqual } from 'node:crypto'
import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { LRUCache } from 'lru-cache'
import type { ApiKey } from '../../config.ts'
import { ServiceError } from '../../core/errors.ts'
import { SCOPES, type Scope } from '../../core/scopes.ts'
import type { AccessTokens } from '../accessTokens.ts'
import { challengeOf } from '../challenge.ts'

/** Routes that anyone may call: probes, metrics, documentation. */
declare module 'fastify' {
  interface FastifyContextConfig {
    open?: boolean
  }
}

/** Bytes. Keys are compared at this one length, so that the time taken says nothing about theirs. */
const KEY_BYTES = 256
/** Keys remembered. */
const MOST_RIGHT = 1_000

function pad(key: string, into: Buffer): Buffer {
  into.fill(0)
  into.write(key)
  return into
}

interface KnownKey {
  readonly name: string
  readonly bytes: Buffer
}

export interface AuthOptions {
  readonly apiKeys: readonly ApiKey[]
  /** Absent where no issuer is configured. */
  readonly tokens: AccessTokens | undefined
}

/** Says who calls, by API key (`Authorization: Bearer …` or `X-API-Key`) or by access token. */
export const authPlugin = fp(
  async (app, { apiKeys, tokens }: AuthOptions) => {
    const known = apiKeys.map(({ name, key }) => ({
      name,
      bytes: pad(key, Buffer.alloc(KEY_BYTES)),
    }))

    if (known.length === 0 && !tokens) return
    const scratch = Buffer.alloc(KEY_BYTES)
    /** What was sent with the right keys: comparing with all of them costs as much as the rest of a hit. */
    const right = new LRUCache<string, string>({ max: MOST_RIGHT })

    function nameFor(request: FastifyRequest): string | undefined {
      const sent = keySentBy(request)
      if (sent === undefined) return undefined
      const seen = right.get(sent)
      if (seen !== undefined) return seen
      const name = nameOf(sent, known, scratch)
      if (name !== undefined) right.set(sent, name)
      return name
    }

    app.addHook('onRequest', (request, _reply, done) => {
      request.callerName = nameFor(request)
      const token = request.callerName === undefined ? bearerOf(request) : undefined
      if (!tokens || token === undefined || !JWT.test(token)) done()
      else identify(request, tokens, token).then(() => done(), done)
    })
  },
  { name: 'auth' },
)

/** A signed token in compact form (RFC 7515, section 3.1). */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/

async function identify(request: FastifyRequest, tokens: AccessTokens, token: string) {
  try {
    const { expiresAt, name, scopes } = await tokens.verify(token)
    request.callerName = name
    request.scopes = scopes
    request.expiresAt = expiresAt
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    request.refusal = error
  }
}

/**
 * Refuses who has no valid key or token. A hook of each route, added after that of the rate limit, so
 * that guessing keys is limited too (a `preParsing` hook of the app would do, at five times the cost).
 */
export const guardPlugin = fp(
  async (app, { apiKeys, tokens }: AuthOptions) => {
    if (apiKeys.length === 0 && !tokens) return
    app.addHook('onRoute', (route) => {
      // Others' hooks may open a route later. To ask a request for its route costs a copy of all options.
      const guard: onRequestHookHandler = (request, _reply, done) => {
        if (route.config?.open) return done()
        const { callerName, scopes } = request
        const refusal = callerName === undefined ? refusalOf(request) : lacking(scopes, SCOPES.read)
        if (refusal && tokens) request.challenge = challengeFor(request, refusal)
        done(refusal)
      }
      route.onRequest = [route.onRequest ?? [], guard].flat()
    })
  },
  { name: 'guard', dependencies: ['auth', 'rateLimit'] },
)

/** Why a token that permits `scopes` does not do for what needs `scope`. */
function lacking(scopes: ReadonlySet<string> | undefined, scope: Scope): ServiceError | undefined {
  if (scopes === undefined || scopes.has(scope)) return undefined
  return new ServiceError('forbidden', `The access token lacks the scope ${scope}.`)
}

function challengeFor(request: FastifyRequest, { code, detail }: ServiceError) {
  if (code === 'auth_unavailable') return undefined
  const sent = request.headers.authorization !== undefined
  const error = code === 'forbidden' ? 'insufficient_scope' : 'invalid_token'
  const scope = SCOPES.read
  return challengeOf(request, sent ? { error, description: detail, scope } : { scope })
}

function refusalOf({ headers, refusal }: FastifyRequest): ServiceError {
  if (refusal) return refusal
  return new ServiceError(
    'unauthorized',
    headers.authorization || headers['x-api-key']
      ? 'The API key is not known here.'
      : 'Send an API key, as Authorization: Bearer … or as X-API-Key.',
  )
}

function keySentBy(request: FastifyRequest): string | undefined {
  const sent = bearerOf(request) ?? request.headers['x-api-key']
  return typeof sent === 'string' ? sent : undefined
}

function nameOf(sent: string, known: readonly KnownKey[], scratch: Buffer): string | undefined {
  if (Buffer.byteLength(sent) > KEY_BYTES) return undefined
  const bytes = pad(sent, scratch)
  let found: string | undefined
  // Every key is compared, so that the time taken says nothing about which one matched.
  for (const key of known) if (timingSafeEqual(bytes, key.bytes)) found = key.name
  return found
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
}
