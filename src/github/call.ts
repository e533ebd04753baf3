import type { FairLoop } from '../core/fairLoop.ts'
import type { Urgency } from '../core/github.ts'
import type { CallAnswer } from '../core/meter.ts'
import { createParty, type Party } from '../core/party.ts'
import { errorType, type Span, type Tracer } from '../core/trace.ts'
import type { RateGate } from './budget/rateGate.ts'
import { callId, closeCall, openCall } from './callSpan.ts'
import type { Credential } from './credentials.ts'
import {
  type Exchange,
  type ExchangeRequest,
  exchange,
  type Head,
  type Packed,
  unpack,
} from './exchange.ts'
import { failureOfTransport } from './failures.ts'
import { readLimited, readRateLimit } from './limits.ts'
import { budgetOf, pathOnHost } from './path.ts'
import type { Turns } from './turns.ts'
import type { Upstream } from './upstream.ts'

/** What happened on one call to GitHub, for metrics. */
export interface CallReport {
  readonly resource: string
  /** GitHub's status, or 0 for a broken exchange. */
  readonly status: number
  /** Milliseconds. */
  readonly duration: number
}

export interface CallOptions {
  readonly upstream: Upstream
  readonly gate: RateGate
  /** Without it calls wait for a connection in the order of their arrival. */
  readonly turns?: Turns
  /** Without it answers are read as they come. */
  readonly fairLoop?: Pick<FairLoop, 'runHeavy'>
  readonly userAgent: string
  readonly now: () => number
  readonly onCall: (report: CallReport) => void
  /** For calls that no request makes for itself; absent where traces go nowhere. */
  readonly tracer?: Tracer | undefined
}

/** Who follows a call. */
export interface Watch {
  /** What the call is part of, where it is traced. */
  readonly span?: Span | undefined
  /** Told of each answer, and of none as status 0. */
  readonly onAnswer?: ((answer: CallAnswer) => void) | undefined
}

export interface Call
  extends Watch,
    Pick<ExchangeRequest, 'method' | 'headers' | 'body' | 'signal' | 'found' | 'onHead'> {
  /** Whose budget it draws on. */
  readonly by: Pick<Credential, 'principal' | 'anonymous'>
  /** Path of the API, without the base. */
  readonly path: string
  readonly urgency: Urgency
  /** Who it is for; without it the service itself. */
  readonly caller?: Party | undefined
  /** Told when the call is let through to GitHub. */
  readonly onSend?: () => void
  /** How a limit is told, where an answer of status 200 may tell of one. */
  readonly limited?: typeof readLimited
}

export const API_VERSION = '2022-11-28'
export const ACCEPT = 'application/vnd.github+json'
/** Files and blobs as they are (docs.github.com/rest/repos/contents, "custom media types"). */
export const ACCEPT_RAW = 'application/vnd.github.raw+json'

/**
 * One call to GitHub with its limits heeded, whatever the answer.
 * @throws ServiceError `upstream_rate_limited` where the gate is shut; `overloaded` where too many of
 * the caller's calls wait; `upstream_unreachable`, `upstream_timeout`, `upstream_error` for a broken
 * exchange
 */
export async function call(options: CallOptions, wanted: Call): Promise<Exchange> {
  const { caller = createParty(''), signal } = wanted
  const leave = await options.turns?.enter({ callers: caller, signal })
  try {
    const answer = await callNow(options, wanted)
    const whole = 'body' in answer ? answer : await unpack(answer).catch(failAsTransport)
    // What comes next is to read it, which takes the loop's time: its connection is in use till then.
    const { fairLoop } = options
    if (fairLoop) await new Promise<void>((resolve) => fairLoop.runHeavy(latest(caller), resolve))
    return whole
  } finally {
    leave?.()
  }
}

/** Whose turn it is: who came last is the last to have been served. */
const latest = ({ names }: Party) => names.at(-1) ?? ''

function failAsTransport(cause: unknown): never {
  throw failureOfTransport(cause)
}

/** What is no plain answer is read at once: it may tell of a limit. */
async function callNow(
  { gate, now, onCall, upstream, userAgent }: CallOptions,
  request: Call,
): Promise<Exchange | Packed> {
  const { by, body, found, headers, limited, method, onAnswer, onHead, onSend, path } = request
  const { signal, urgency } = request
  const resource = budgetOf(path)
  // What nobody waits for is the service's own.
  const caller = (request.caller && latest(request.caller)) || undefined
  const pass = await gate.enter(by.principal, resource, urgency, signal, caller)
  const started = performance.now()
  const span = openCall(request.span, method, upstream, path)
  const note = ({ headers, status }: Head) => onAnswer?.({ status, id: callId(headers) })
  let failure: string | undefined
  let answer: Packed | undefined
  let told: Exchange | undefined
  try {
    onSend?.()
    answer = await exchange(upstream, {
      method,
      path: pathOnHost(upstream.basePath, path),
      headers: {
        accept: ACCEPT,
        'accept-encoding': 'gzip',
        'user-agent': userAgent,
        'x-github-api-version': API_VERSION,
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      ...(found ? { found } : {}),
      signal,
      onHead,
      onRedirect: note,
    })
    note(answer)
    // A redirect that was followed was a call too.
    for (let hop = 0; hop < answer.redirects; hop += 1) onSend?.()
    if (limited || answer.status !== 200) told = await unpack(answer)
    return told ?? answer
  } catch (cause) {
    if (!answer) note({ status: 0, headers: {} })
    failure = errorType(cause)
    throw failureOfTransport(cause)
  } finally {
    closeCall(span, answer?.status ?? 0, answer?.headers ?? {}, failure)
    onCall({ resource, status: answer?.status ?? 0, duration: performance.now() - started })
    pass.leave({
      // With a 401 GitHub tells of the address's budget, which for GraphQL is nothing.
      limit: answer && answer.status !== 401 ? readRateLimit(answer.headers) : undefined,
      limited: told && (limited ?? readLimited)(told, now()),
      free: answer?.status === 304 && !by.anonymous,
    })
  }
}
