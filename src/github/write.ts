import { type ProblemCode, type ProblemOptions, ServiceError } from '../core/errors.ts'
import { authorized } from './authorized.ts'
import { type CallOptions, call, type Watch } from './call.ts'
import type { Credential } from './credentials.ts'
import type { Exchange } from './exchange.ts'
import { failureOf } from './failures.ts'
import { expandPath } from './path.ts'

/** What is to be made on GitHub, and in whose name. */
export interface Writing extends Watch {
  readonly credential: Credential
  /** Template with `{name}` places, filled from `params`. */
  readonly path: string
  readonly params: Readonly<Record<string, string | number>>
  readonly body: object
}

/**
 * Makes something on GitHub. Sent once: what may have reached GitHub is never sent again.
 * @returns what GitHub made
 * @throws ServiceError `forbidden` without a credential; `upstream_*`, whose detail says where
 * nobody can tell whether it was done
 */
export type WriteGitHub = <T>(writing: Writing, signal: AbortSignal) => Promise<T>

export interface WriteOptions extends CallOptions {
  /** Milliseconds. */
  readonly timeoutMs: number
}

/**
 * A write counts as five points, a read as one
 * (docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api, "secondary rate limits").
 */
const POINTS = 5

export function createWriteGitHub(options: WriteOptions): WriteGitHub {
  return async <T>(writing: Writing, signal: AbortSignal): Promise<T> => {
    const { credential } = writing
    if (credential.anonymous) throw nameless()
    const timeout = AbortSignal.timeout(options.timeoutMs)
    const waiting = AbortSignal.any([signal, timeout])
    await takePoints(options, credential, waiting)
    // From here on it goes through even if nobody waits any more: half a write is worse.
    const answer = await authorized(credential, timeout, async (authorization) => {
      const sent = await send(options, writing, timeout, authorization)
      const failure = refusalOf(sent) ?? failureOf(sent, options.now(), credential.from)
      if (failure) throw failure
      return sent
    })
    return parse(answer)
  }
}

/** All but the one that the call itself takes: the gate lets points through one by one. */
async function takePoints({ gate }: WriteOptions, { principal }: Credential, signal: AbortSignal) {
  for (let taken = 1; taken < POINTS; taken += 1) {
    const pass = await gate.enter(principal, 'core', 'interactive', signal)
    pass.leave({ free: true })
  }
}

async function send(
  options: WriteOptions,
  { body, credential, onAnswer, params, path, span }: Writing,
  signal: AbortSignal,
  authorization: string | undefined,
): Promise<Exchange> {
  let reached = false
  try {
    return await call(options, {
      by: credential,
      method: 'POST',
      path: expandPath(path, { params }),
      headers: {
        'content-type': 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: JSON.stringify(body),
      urgency: 'interactive',
      signal,
      span,
      onAnswer,
      onSend: () => {
        reached = true
      },
    })
  } catch (cause) {
    throw reached ? uncertain(codeOf(cause), { cause }) : cause
  }
}

/** GitHub's answers that mean something else for a write than for a read. */
function refusalOf({ status }: Exchange): ServiceError | undefined {
  const options = { upstreamStatus: status }
  if (status === 422) {
    const detail =
      'GitHub does not accept this. Check that labels and assignees exist there and that the assignees may be assigned.'
    return new ServiceError('invalid_request', detail, options)
  }
  // A read would follow it; what is written should go where the caller meant it to.
  if (status === 301 || status === 307 || status === 308) {
    const detail = 'The repository was renamed or moved. Read it, and use the name that it has now.'
    return new ServiceError('not_found', detail, options)
  }
  return status >= 500 ? uncertain('upstream_error', options) : undefined
}

/** Nobody can tell whether it was done. */
function uncertain(code: ProblemCode, options: ProblemOptions): ServiceError {
  const detail =
    'GitHub did not confirm it. It may have been done all the same: look before you try again.'
  return new ServiceError(code, detail, options)
}

const codeOf = (cause: unknown): ProblemCode =>
  cause instanceof ServiceError ? cause.code : 'upstream_unreachable'

function nameless(): ServiceError {
  return new ServiceError(
    'forbidden',
    'Writing needs a credential of GitHub’s. The operator can set GITHUB_TOKEN or GITHUB_APP_ID.',
  )
}

function parse<T>({ body }: Exchange): T {
  try {
    return JSON.parse(body.toString())
  } catch (cause) {
    throw uncertain('upstream_error', { cause })
  }
}
