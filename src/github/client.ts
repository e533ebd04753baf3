import type { GetOptions, GitHub } from '../core/github.ts'
import { ACCEPT, ACCEPT_RAW, API_VERSION, type CallOptions, call } from './call.ts'
import { type Conditions, type Current, fetchConditionally } from './conditional.ts'
import { download } from './download.ts'
import { header } from './exchange.ts'
import { failureOf, knownCallersOnly, unreadable } from './failures.ts'
import { askGraphQL } from './graphql.ts'
import { listPages, type OnLink, type Page } from './pagination.ts'
import { expandPath } from './path.ts'
import { type Patience, patiently, type Reading, type Usage } from './patiently.ts'

export interface GitHubOptions extends CallOptions, Patience {
  readonly conditions: Conditions
}

/** GitHub in one caller's name for one answer. */
export interface BoundGitHub extends GitHub {
  /** Calls sent so far. */
  calls(): number
  /** Whether GitHub said of everything so far that it had not changed. */
  isUnchanged(): boolean
}

export type GitHubFor = (reading: Reading) => BoundGitHub

export function createGitHub(options: GitHubOptions): GitHubFor {
  return (reading) => {
    const usage: Usage = { calls: 0, changed: 0 }
    const read = (template: string, request: GetOptions = {}, onLink?: OnLink) => {
      const what = { path: expandPath(template, request), accept: acceptOf(request), onLink }
      return readWhole(options, reading, usage, what, toPage)
    }
    return {
      get: async <T>(template: string, mark: keyof T & string, request?: GetOptions) =>
        marked<T>((await read(template, request)).data, mark),
      bytes: (template, request = {}) =>
        readWhole(
          options,
          reading,
          usage,
          { path: expandPath(template, request), accept: ACCEPT_RAW },
          toBytes,
        ),
      list: (template, request) => listPages(read, template, request),
      download: (template, { tail, ...request }) =>
        download(options, reading, usage, expandPath(template, request), tail),
      graphql: (query, variables) => askGraphQL(options, reading, usage, query, variables),
      calls: () => usage.calls,
      isUnchanged: () => usage.calls > 0 && usage.changed === 0,
    }
  }
}

/** What a list says that has no entries, where GitHub answers without a body. */
const NO_ENTRIES = Buffer.from('[]')

const acceptOf = ({ media }: GetOptions) =>
  media === undefined ? ACCEPT : `application/vnd.github.${media}+json`

/** The resource, if it is what was asked for. */
function marked<T>(data: unknown, mark: string): T {
  if (data instanceof Object && mark in data) return data as T
  throw unreadable(new TypeError(`the answer has no ${mark}`))
}

interface Wanted {
  readonly path: string
  readonly accept: string
  readonly onLink?: OnLink | undefined
}

/** One resource, retried within its time. */
function readWhole<T>(
  options: GitHubOptions,
  reading: Reading,
  usage: Usage,
  what: Wanted,
  parse: (current: Current) => T,
): Promise<T> {
  return patiently(options, reading, async (attempt, authorization) => {
    const current = await readOnce(options, attempt, usage, what, authorization)
    if (!current.unchanged) usage.changed += 1
    return parse(current)
  })
}

async function readOnce(
  options: GitHubOptions,
  { caller, credential, onAnswer, signal, span, urgency }: Reading,
  usage: Usage,
  { accept, onLink, path }: Wanted,
  authorization: string | undefined,
): Promise<Current> {
  const { conditions, now, upstream } = options
  return fetchConditionally(conditions, {
    // Joined: of a text that a template puts together V8 keeps the parts, for as long as the text is kept.
    name: [upstream.origin + upstream.basePath, API_VERSION, accept, path].join(' '),
    accept,
    credential,
    authorization,
    onLink,
    async send(conditions) {
      const headers = { ...conditions, accept }
      const answer = await call(options, {
        by: credential,
        method: 'GET',
        path,
        headers: authorization === undefined ? headers : { ...headers, authorization },
        urgency,
        caller,
        signal,
        span,
        onAnswer,
        onSend: () => {
          usage.calls += 1
        },
        onHead: ({ headers, status }) => {
          if (status === 200) onLink?.(header(headers, 'link'))
        },
      })
      if (answer.status === 401 && credential.anonymous) throw knownCallersOnly(answer.status)
      const failure = failureOf(answer, now(), credential.from)
      if (failure) throw failure
      return answer.status === 204 ? { ...answer, body: NO_ENTRIES } : answer
    },
  })
}

const toBytes = ({ body }: Current) => body

function toPage({ body, link }: Current): Page {
  try {
    return { data: JSON.parse(body.toString()), link, size: body.length }
  } catch (cause) {
    throw unreadable(cause)
  }
}
