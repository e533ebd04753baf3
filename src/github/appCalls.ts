import githubAppJwt from 'universal-github-app-jwt'
import { ServiceError } from '../core/errors.ts'
import { type Call, type CallOptions, call } from './call.ts'
import { type Exchange, header } from './exchange.ts'
import { failureOf, tooSlow, unreadable } from './failures.ts'

export interface AppIdentity {
  /** App ID or client ID. */
  readonly id: string
  /** PKCS #8 as PEM. */
  readonly privateKey: string
}

export interface AppCallOptions extends CallOptions {
  readonly identity: AppIdentity
  /** Names the app in budget keys. */
  readonly principal: string
  /** Milliseconds for one question. */
  readonly timeoutMs: number
  /** Aborted when the process closes. */
  readonly closing: AbortSignal
}

type Asked = Pick<Call, 'signal' | 'span'>

/** GitHub asked by the App itself, not by one of its installations. */
export interface AppCalls {
  /**
   * Asked once: what may have reached GitHub is not sent again.
   * @throws ServiceError `upstream_auth` where GitHub does not take the App's key, else as `failureOf`
   */
  ask<T>(method: 'GET' | 'POST', path: string): Promise<T>
  /** How far GitHub's clock is ahead of this machine's, in milliseconds, as far as it matters. */
  readonly skew: number
}

/** Seconds. The library takes off 30 as well: `iat` lies 60 s back, as GitHub recommends against clock drift. */
const BACKDATED = 30
/** Milliseconds by which clocks may differ: `Date` has whole seconds, and travels. */
const SAME_TIME = 5_000

/**
 * Calls under the App's JSON web token
 * (docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app).
 */
export function createAppCalls(options: AppCallOptions): AppCalls {
  const { closing, identity, now, principal, timeoutMs, tracer } = options
  let skew = 0

  async function send(method: 'GET' | 'POST', path: string, { signal, span }: Asked) {
    const { token } = await githubAppJwt({
      ...identity,
      now: Math.floor((now() + skew) / 1000) - BACKDATED,
    })
    const headers = { authorization: `Bearer ${token}` }
    const by = { principal, anonymous: false }
    return call(options, { by, method, path, headers, urgency: 'interactive', signal, span })
  }

  /** A token by a wrong clock is refused: GitHub's own clock tells by how much it is wrong. */
  function correctClock({ headers }: Exchange): boolean {
    const found = Date.parse(header(headers, 'date') ?? '') - now()
    if (Number.isNaN(found) || Math.abs(found - skew) < SAME_TIME) return false
    skew = found
    return true
  }

  async function answerOf(method: 'GET' | 'POST', path: string, asked: Asked) {
    const answer = await send(method, path, asked)
    // Refused means not done, so this one may be sent again.
    return answer.status === 401 && correctClock(answer) ? send(method, path, asked) : answer
  }

  return {
    async ask<T>(method: 'GET' | 'POST', path: string): Promise<T> {
      const timeout = AbortSignal.timeout(timeoutMs)
      // Many requests may wait for it: it is part of none.
      const span = tracer?.begin('app')
      let answer: Exchange
      try {
        const signal = AbortSignal.any([closing, timeout])
        answer = await answerOf(method, path, { signal, span })
      } catch (cause) {
        throw timeout.aborted ? tooSlow(cause) : cause
      } finally {
        span?.end()
      }
      const failure = answer.status === 401 ? appRefused(401) : failureOf(answer, now())
      if (failure) throw failure
      return parse(answer)
    },
    get skew() {
      return skew
    },
  }
}

export function appRefused(upstreamStatus: number): ServiceError {
  return new ServiceError(
    'upstream_auth',
    'GitHub does not take this service for its GitHub App. Its operator must check GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY.',
    { upstreamStatus },
  )
}

function parse<T>({ body }: Exchange): T {
  try {
    return JSON.parse(body.toString())
  } catch (cause) {
    throw unreadable(cause)
  }
}
