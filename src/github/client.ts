import type { GetOptions, GitHub, Urgency } from '../core/github.ts'
import { withRetries } from './attempts.ts'
import { type Conditions, type Current, fetchConditionally } from './conditional.ts'
import type { Credential } from './credentials.ts'
import { type Exchange, exchange } from './exchange.ts'
import { failureOf, failureOfTransport, tooSlow, unreadable } from './failures.ts'
import type { RateGate } from './gate.ts'
import { readLimited, readRateLimit } from './limits.ts'
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
  readonly conditions: Conditions
  /** Milliseconds for one resource, retries included. */
  readonly timeoutMs: number
  readonly userAgent: string
  readonly now: () => number
  readonly random: () => number
  readonly onCall: (report: CallReport) => void
}

/** In whose name GitHub is asked, until when, and whether somebody waits. */
export interface Reading {
  readonly credential: Credential
  readonly signal: AbortSignal
  readonly urgency: Urgency
}

/** GitHub in one caller's name for one answer. */
export interface BoundGitHub extends GitHub {
  /** Calls sent so far. */
  readonly calls: number
  /** Whether GitHub said of everything so far that it had not changed. */
  readonly unchanged: boolean
}

export type GitHubFor = (reading: Reading) => BoundGitHub

const API_VERSION = '2022-11-28'
const ACCEPT = 'application/vnd.github+json'

interface Usage {
  calls: number
  changed: number
}

export function createGitHub(options: GitHubOptions): GitHubFor {
  return (reading) => {
    const usage: Usage = { calls: 0, changed: 0 }
    const read = (template: string, request: GetOptions = {}) =>
      readPage(options, reading, usage, expandPath(template, request))
    return {
      get: async <T>(template: string, request?: GetOptions) =>
        (await read(template, request)).data as T,
      list: (template, request) => listPages(read, template, request),
      get calls() {
        return usage.calls
      },
      get unchanged() {
        return usage.calls > 0 && usage.changed === 0
      },
    }
  }
}

/** One resource, retried within its time. */
async function readPage(
  options: GitHubOptions,
  reading: Reading,
  usage: Usage,
  path: string,
): Promise<Page> {
  const { now, random, timeoutMs } = options
  const deadline = now() + timeoutMs
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = AbortSignal.any([reading.signal, timeout])
  try {
    return await withRetries(
      async () => {
        const current = await readOnce(options, { ...reading, signal }, usage, path)
        if (!current.unchanged) usage.changed += 1
        return parse(current)
      },
      { deadline, signal, now, random },
    )
  } catch (cause) {
    reading.signal.throwIfAborted()
    throw timeout.aborted ? tooSlow(cause) : cause
  }
}

async function readOnce(
  options: GitHubOptions,
  reading: Reading,
  usage: Usage,
  path: string,
): Promise<Current> {
  const { conditions, upstream } = options
  const { credential, signal } = reading
  const authorization = await credential.authorization(signal)
  return fetchConditionally(conditions, {
    name: `${upstream.origin}${upstream.basePath} ${API_VERSION} ${ACCEPT} ${path}`,
    accept: ACCEPT,
    credential,
    authorization,
    send: (headers) =>
      call(
        options,
        reading,
        usage,
        path,
        authorization === undefined ? headers : { ...headers, authorization },
      ),
  })
}

/** One call, its limits heeded and its failure named. */
async function call(
  options: GitHubOptions,
  { credential, signal, urgency }: Reading,
  usage: Usage,
  path: string,
  headers: Record<string, string>,
): Promise<Exchange> {
  const { gate, upstream, now } = options
  const resource = budgetOf(path)
  const pass = await gate.enter(credential.principal, resource, urgency, signal)
  const started = performance.now()
  let answer: Exchange | undefined
  try {
    usage.calls += 1
    answer = await exchange(upstream, {
      method: 'GET',
      path: upstream.basePath + path,
      headers: {
        accept: ACCEPT,
        'accept-encoding': 'gzip',
        'user-agent': options.userAgent,
        'x-github-api-version': API_VERSION,
        ...headers,
      },
      signal,
    })
  } catch (cause) {
    throw failureOfTransport(cause)
  } finally {
    options.onCall({ resource, status: answer?.status ?? 0, duration: performance.now() - started })
    pass.leave({
      limit: answer && readRateLimit(answer.headers),
      limited: answer && readLimited(answer, now()),
      free: answer?.status === 304 && !credential.anonymous,
    })
  }
  const failure = failureOf(answer, now())
  if (failure) throw failure
  return answer
}

function parse({ body, link }: Current): Page {
  try {
    return { data: JSON.parse(body.toString()), link, size: body.length }
  } catch (cause) {
    throw unreadable(cause)
  }
}
