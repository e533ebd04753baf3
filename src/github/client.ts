import type { GetOptions, GitHub } from '../core/github.ts'
import { withRetries } from './attempts.ts'
import type { Credential } from './credentials.ts'
import { type Exchange, exchange, header } from './exchange.ts'
import { failureOf, failureOfTransport, unreadable } from './failures.ts'
import type { RateGate } from './gate.ts'
import { readRateLimit } from './limits.ts'
import { listPages, type Page } from './pagination.ts'
import { budgetOf, expandPath } from './path.ts'
import type { Upstream } from './upstream.ts'

/** What happened on one call to GitHub, for metrics. */
export interface CallReport {
  readonly resource: string
  /** GitHub's status, or 0 for a broken exchange. */
  readonly status: number
  /** Milliseconds. */
  readonly duration: number
}

export interface GitHubOptions {
  readonly upstream: Upstream
  readonly gate: RateGate
  /** Milliseconds for one resource, retries included. */
  readonly timeoutMs: number
  readonly userAgent: string
  readonly now: () => number
  readonly random: () => number
  readonly onCall: (report: CallReport) => void
}

/** GitHub in one caller's name for one answer. */
export interface BoundGitHub extends GitHub {
  /** Calls sent so far. */
  readonly calls: number
  /** Whether GitHub answered all of them with 304. */
  readonly unchanged: boolean
}

const API_VERSION = '2022-11-28'
const ACCEPT = 'application/vnd.github+json'

export type GitHubFor = (credential: Credential, signal: AbortSignal) => BoundGitHub

export function createGitHub(options: GitHubOptions): GitHubFor {
  return (credential, signal) => {
    const usage = { calls: 0 }
    const read = (template: string, request: GetOptions = {}) =>
      readPage(options, credential, signal, usage, expandPath(template, request))
    return {
      get: async <T>(template: string, request?: GetOptions) =>
        (await read(template, request)).data as T,
      list: (template, request) => listPages(read, template, request),
      get calls() {
        return usage.calls
      },
      get unchanged() {
        return false
      },
    }
  }
}

async function readPage(
  options: GitHubOptions,
  credential: Credential,
  caller: AbortSignal,
  usage: { calls: number },
  path: string,
): Promise<Page> {
  const { now, random, timeoutMs } = options
  const deadline = now() + timeoutMs
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = AbortSignal.any([caller, timeout])
  try {
    return await withRetries(
      async () => {
        usage.calls += 1
        return parse(await call(options, credential, path, signal))
      },
      { deadline, signal, now, random },
    )
  } catch (cause) {
    caller.throwIfAborted()
    throw timeout.aborted ? tooSlow(cause) : cause
  }
}

/** One call, its limits heeded and its failure named. */
async function call(
  options: GitHubOptions,
  credential: Credential,
  path: string,
  signal: AbortSignal,
) {
  const { gate, upstream, now } = options
  const resource = budgetOf(path)
  gate.pass(credential.principal, resource)
  const authorization = await credential.authorization(signal)
  const started = performance.now()
  let answer: Exchange | undefined
  try {
    answer = await exchange(upstream, {
      method: 'GET',
      path: upstream.basePath + path,
      headers: {
        accept: ACCEPT,
        'accept-encoding': 'gzip',
        'user-agent': options.userAgent,
        'x-github-api-version': API_VERSION,
        ...(authorization === undefined ? {} : { authorization }),
      },
      signal,
    })
  } catch (cause) {
    throw failureOfTransport(cause)
  } finally {
    options.onCall({ resource, status: answer?.status ?? 0, duration: performance.now() - started })
  }
  const limit = readRateLimit(answer.headers)
  if (limit) gate.observe(credential.principal, limit)
  const failure = failureOf(answer, now())
  if (failure?.code === 'upstream_rate_limited') {
    gate.coolDown(credential.principal, resource, failure.retryAfter ?? 60)
  }
  if (failure) throw failure
  return answer
}

function parse({ body, headers }: Exchange): Page {
  try {
    return { data: JSON.parse(body.toString()), link: header(headers, 'link'), size: body.length }
  } catch (cause) {
    throw unreadable(cause)
  }
}

function tooSlow(cause: unknown) {
  return failureOfTransport(
    Object.assign(new Error('deadline', { cause }), { code: 'UND_ERR_HEADERS_TIMEOUT' }),
  )
}
