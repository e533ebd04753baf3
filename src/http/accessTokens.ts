import { hash } from 'node:crypto'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { LRUCache } from 'lru-cache'
import { ServiceError } from '../core/errors.ts'

/** OAuth 2.0 access tokens as JWT (RFC 9068), by an issuer that the operator trusts. */
export interface AccessTokenOptions {
  readonly issuer: string
  /** What the tokens must be for. */
  readonly audience: string
  /** Where the issuer's keys are. */
  readonly jwksUrl: string
  readonly now: () => number
  /** Told when the keys cannot be read. */
  readonly onUnavailable: (error: unknown) => void
}

/** Who a token speaks for. */
export interface Identity {
  readonly name: string
  readonly scopes: ReadonlySet<string>
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export interface AccessTokens {
  /** @throws ServiceError `unauthorized`; `auth_unavailable` where the issuer's keys cannot be had */
  verify(token: string): Promise<Identity>
}

/** Asymmetric ones: with a shared secret whoever checks tokens could make them. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'EdDSA']
/** Seconds by which clocks may differ. */
const CLOCK_TOLERANCE = 30
/** Milliseconds. */
const KEYS_FRESH_FOR = 600_000
const KEYS_TIMEOUT = 3_000
/** Milliseconds for which keys stand in while the issuer does not answer. */
const KEYS_KEPT_FOR = 86_400_000
const MOST_TOKENS = 10_000

export function createAccessTokens(options: AccessTokenOptions): AccessTokens {
  const { audience, issuer, now, onUnavailable } = options
  const keys = keysOf(options)
  /** By digest: tokens themselves are not kept. */
  const known = new LRUCache<string, Identity>({ max: MOST_TOKENS })
  return {
    async verify(token) {
      const digest = hash('sha256', token, 'base64url')
      const remembered = known.get(digest)
      if (remembered && remembered.expiresAt > now()) return remembered
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer,
          audience,
          algorithms: ALGORITHMS,
          clockTolerance: CLOCK_TOLERANCE,
          currentDate: new Date(now()),
          requiredClaims: ['exp', 'sub'],
        })
        const identity = identityOf(payload)
        known.set(digest, identity)
        return identity
      } catch (error) {
        if (!isTokensFault(error)) onUnavailable(error)
        throw refusalOf(error)
      }
    },
  }
}

/** The issuer's keys, read anew from time to time; those that were read last while it is away. */
function keysOf({ jwksUrl, now }: AccessTokenOptions): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(new URL(jwksUrl), {
    cacheMaxAge: KEYS_FRESH_FOR,
    timeoutDuration: KEYS_TIMEOUT,
  })
  let readAt = Number.NEGATIVE_INFINITY
  return async (header, token) => {
    try {
      const key = await remote(header, token)
      readAt = now()
      return key
    } catch (error) {
      const kept = remote.jwks()
      if (isTokensFault(error) || !kept || now() - readAt > KEYS_KEPT_FOR) throw error
      return createLocalJWKSet(kept)(header, token)
    }
  }
}

/** Letters that can stand in a log line. */
const SANE = /^[\w.:@|/+=-]{1,128}$/

function identityOf({ sub = '', exp = 0, scope, scp }: JWTPayload): Identity {
  const named = SANE.test(sub) ? sub : hash('sha256', sub, 'base64url').slice(0, 22)
  // `scope` by RFC 9068, section 2.2.3; `scp` is what some issuers write instead.
  const scopes = [scope, scp].flat().flatMap((text) => String(text ?? '').split(' '))
  return {
    name: `token:${named}`,
    scopes: new Set(scopes.filter((name) => name !== '')),
    expiresAt: exp * 1000,
  }
}

/** Whether it is the token that is wrong, not the way to the keys. */
function isTokensFault(error: unknown): error is errors.JOSEError {
  return (
    error instanceof errors.JOSEError &&
    error.code !== errors.JOSEError.code &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid)
  )
}

function refusalOf(error: unknown): ServiceError {
  if (!isTokensFault(error)) {
    return new ServiceError(
      'auth_unavailable',
      'The keys of the issuer of access tokens cannot be read now. Try again later.',
      { cause: error, retryAfter: 5 },
    )
  }
  const claim = error instanceof errors.JWTClaimValidationFailed ? error.claim : undefined
  const why =
    error instanceof errors.JWTExpired
      ? 'has expired. Get a new one'
      : claim === 'aud' || claim === 'iss'
        ? `is for another service (${claim}). Get one for this service`
        : 'is not valid here. Get a new one from the authorization server'
  return new ServiceError('unauthorized', `The access token ${why}.`, { cause: error })
}
