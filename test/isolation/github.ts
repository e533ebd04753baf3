import type { Dispatcher } from 'undici'
import { computeTag } from '../../src/github/validators.ts'

/*
 * GitHub in memory, for histories of many thousand steps: it decides on a request when it is told
 * to, sends the answer when it is told to, and remembers what it said to whom.
 */

export const WHO = ['ann', 'bob', 'anyone'] as const
export type Who = (typeof WHO)[number]

/** `open` starts public; of `personal` everyone who may read it gets other bytes. */
export const REPOSITORIES = ['open', 'closed', 'personal'] as const
export type Repository = (typeof REPOSITORIES)[number]
export const PARTS = ['repo', 'issue', 'comments'] as const
export type Part = (typeof PARTS)[number]

/** How a tag is made: as GitHub does, by counting versions whoever asks, or not at all. */
export type Tags = 'recipe' | 'version' | 'none'

export const MODES = [
  'truth',
  'error',
  'limit',
  'limit429',
  'forbid',
  'garbage',
  'broken',
  'timeout',
] as const
/** What GitHub makes of one request. */
export type Mode = (typeof MODES)[number]

/** GitHub's word on something, in the order of all that happened. */
export interface Word {
  readonly order: number
  /** Epoch milliseconds. */
  readonly at: number
}

interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

interface Pending {
  readonly sentAt: number
  readonly path: string
  readonly authorization: string | undefined
  readonly ifNoneMatch: string | undefined
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
  /** Present once GitHub has decided. */
  decided?: Word & { readonly answer: Answer | Error }
}

export interface StandIn {
  readonly dispatch: Dispatcher['dispatch']
  /** Requests that GitHub has not answered. */
  readonly pending: readonly unknown[]
  /** Decides on one request without answering it. */
  decide(index: number, mode: Mode): void
  /** Answers one request, deciding on it now if that has not been done. */
  deliver(index: number, mode: Mode): void
  /** Lets requests that are older than a caller would wait end. */
  expire(): void
  /** When GitHub last sent or confirmed to `who` what the marker stands for. */
  said(who: Who, marker: string): Word | undefined
  /** When it decided on what it answered last. */
  readonly delivered: Word | undefined
  change(repository: Repository, part: Part): void
  /** Gives access to a private repository, or takes it. */
  toggleAccess(who: Who, repository: Repository): void
  /** Makes `open` private or public. */
  toggleVisibility(): void
  /** A new token; the old one is not taken any more. */
  rotate(who: Who): void
  /** Refuses the token until it is rotated, or takes it again. */
  toggleToken(who: Who): void
  /** `Authorization` of `who` now. */
  authorization(who: Who): string | undefined
}

export interface StandInOptions {
  readonly now: () => number
  /** Numbers what happens. */
  readonly next: () => number
  readonly tags: Tags
}

/** Milliseconds after which an unanswered request has failed. */
const PATIENCE = 10_000
const OWNER = 'acme'
const PATH = /^\/repos\/acme\/(\w+)(\/issues\/1)?(\/comments)?(?:\?|$)/

export function createStandIn({ now, next, tags }: StandInOptions): StandIn {
  const pending: Pending[] = []
  const versions = new Map<string, number>()
  const access = new Set(['ann closed', 'ann personal', 'bob closed', 'bob personal'])
  const tokens = new Map<Who, { number: number; valid: boolean }>([
    ['ann', { number: 1, valid: true }],
    ['bob', { number: 1, valid: true }],
  ])
  const words = new Map<string, Word>()
  let open = true
  let delivered: Word | undefined

  const authorization = (who: Who) => {
    const token = tokens.get(who)
    return token && `Bearer ${who}-${token.number}`
  }

  function whoIs(header: string | undefined): Who | undefined {
    if (header === undefined) return 'anyone'
    return WHO.find((who) => authorization(who) === header && tokens.get(who)?.valid)
  }

  function answerTo({ path, authorization, ifNoneMatch }: Pending, mode: Mode): Answer | Error {
    if (mode === 'broken') return failure('UND_ERR_SOCKET')
    if (mode === 'timeout') return failure('UND_ERR_HEADERS_TIMEOUT')
    if (mode === 'error') return { status: 502, headers: {}, body: '<html>' }
    if (mode === 'limit') return { status: 403, headers: { 'retry-after': '60' }, body: '{}' }
    if (mode === 'limit429') return { status: 429, headers: {}, body: '{}' }
    const who = whoIs(authorization)
    if (who === undefined) return { status: 401, headers: {}, body: '{}' }
    if (mode === 'forbid') return { status: 403, headers: {}, body: '{}' }
    const [, name = '', issue, comments] = PATH.exec(path) ?? []
    const repository = name as Repository
    const readable = (repository === 'open' && open) || access.has(`${who} ${repository}`)
    if (!readable) return { status: 404, headers: {}, body: '{}' }
    const part: Part = comments ? 'comments' : issue ? 'issue' : 'repo'
    const version = versions.get(`${repository} ${part}`) ?? 1
    const viewer = repository === 'personal' ? who : 'all'
    const marker = `|${repository}/${part}|${version}|${viewer}|`
    const isPublic = repository === 'open' && open
    const body = mode === 'garbage' ? '{"half' : render(part, repository, marker, isPublic)
    const tag = tagOf(body, authorization, `${part}-${version}`)
    const headers: Record<string, string> = tag === undefined ? {} : { etag: tag }
    const unchanged = tag !== undefined && tag === ifNoneMatch
    if (unchanged || mode === 'truth') words.set(`${who} ${marker}`, { order: next(), at: now() })
    return unchanged ? { status: 304, headers, body: '' } : { status: 200, headers, body }
  }

  function tagOf(body: string, authorization: string | undefined, version: string) {
    if (tags === 'none') return undefined
    if (tags === 'version') return `"${version}"`
    const accept = 'application/vnd.github+json'
    return `"${computeTag({ accept, authorization }, Buffer.from(body))}"`
  }

  function decide(request: Pending, mode: Mode): NonNullable<Pending['decided']> {
    const answer = answerTo(request, mode)
    request.decided ??= { answer, order: next(), at: now() }
    return request.decided
  }

  function deliver(request: Pending, mode: Mode): void {
    const { answer, ...word } = request.decided ?? decide(request, mode)
    delivered = word
    pending.splice(pending.indexOf(request), 1)
    if (answer instanceof Error) request.reject(answer)
    else request.resolve(answer)
  }

  return {
    pending,
    get delivered() {
      return delivered
    },
    dispatch({ path, headers }, handler) {
      const sent = headers as Record<string, string>
      const controller = {
        abort(reason: Error) {
          const index = pending.indexOf(request)
          if (index !== -1) pending.splice(index, 1)
          request.reject(reason)
        },
      } as Dispatcher.DispatchController
      const request: Pending = {
        sentAt: now(),
        path: String(path),
        authorization: sent.authorization,
        ifNoneMatch: sent['if-none-match'],
        resolve({ body, headers, status }) {
          handler.onResponseStart?.(controller, status, headers)
          handler.onResponseData?.(controller, Buffer.from(body))
          handler.onResponseEnd?.(controller, {})
        },
        reject: (error) => handler.onResponseError?.(controller, error as Error),
      }
      pending.push(request)
      handler.onRequestStart?.(controller, {})
      return true
    },
    decide(index, mode) {
      const request = pending[index % pending.length]
      if (request && !request.decided) decide(request, mode)
    },
    deliver(index, mode) {
      const request = pending[index % pending.length]
      if (request) deliver(request, mode)
    },
    expire() {
      for (const request of [...pending]) {
        if (now() - request.sentAt < PATIENCE) continue
        delete request.decided
        deliver(request, 'timeout')
      }
    },
    said: (who, marker) => words.get(`${who} ${marker}`),
    change(repository, part) {
      const name = `${repository} ${part}`
      versions.set(name, (versions.get(name) ?? 1) + 1)
    },
    toggleAccess(who, repository) {
      const name = `${who} ${repository}`
      if (!access.delete(name) && who !== 'anyone') access.add(name)
    },
    toggleVisibility() {
      open = !open
    },
    rotate(who) {
      const token = tokens.get(who)
      if (token) tokens.set(who, { number: token.number + 1, valid: true })
    },
    toggleToken(who) {
      const token = tokens.get(who)
      if (token) token.valid = !token.valid
    },
    authorization,
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}

/** As much of GitHub's JSON as the providers read; every part carries its marker in its text. */
function render(part: Part, repository: Repository, marker: string, isPublic: boolean): string {
  const url = `https://github.com/${OWNER}/${repository}`
  const user = { login: 'octocat' }
  const created_at = '2026-01-01T00:00:00Z'
  const comment = { user, author_association: 'NONE', created_at, html_url: url, body: marker }
  const bodies = {
    repo: {
      name: repository,
      full_name: `${OWNER}/${repository}`,
      owner: { login: OWNER },
      html_url: url,
      description: marker,
      stargazers_count: 0,
      forks_count: 0,
      open_issues_count: 1,
      language: null,
      default_branch: 'main',
      topics: [],
      license: null,
      archived: false,
      pushed_at: null,
      private: !isPublic,
      visibility: isPublic ? 'public' : 'private',
    },
    issue: {
      number: 1,
      repository_url: `https://api.github.com/repos/${OWNER}/${repository}`,
      html_url: `${url}/issues/1`,
      title: 'An issue',
      body: marker,
      state: 'open',
      labels: [],
      comments: 1,
      user,
      created_at,
      updated_at: created_at,
    },
    comments: [comment],
  } satisfies Record<Part, unknown>
  return JSON.stringify(bodies[part])
}
