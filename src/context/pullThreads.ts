import type { components } from '@octokit/openapi-types'
import { type Static, Type } from '@sinclair/typebox'
import { ServiceError } from '../core/errors.ts'
import type { Author, CachePolicy, Kept, Piece } from '../core/provider.ts'
import { oneLine } from '../core/quote.ts'
import { blockFields, Nullable, type Omission } from '../core/schemas.ts'
import { Comment } from './comments.ts'
import { type Actor, type Entry, entriesOf, type Page, startingAfter } from './graph.ts'
import { hunksOf } from './patches.ts'
import { pullAuthor } from './pullFields.ts'
import {
  nextPart,
  type PartRequest,
  type PartWindow,
  PULL,
  type PullPart,
  partDraft,
} from './pullParts.ts'
import { facts, loginOf } from './render.ts'

type ReviewComment = components['schemas']['pull-request-review-comment']

const Thread = Type.Object(
  {
    path: Type.String(),
    line: Nullable(Type.Integer({ description: 'Null where later commits changed the line' })),
    start_line: Nullable(Type.Integer()),
    resolved: Type.Union([Type.Boolean(), Type.Null()], {
      description: 'Null where GitHub does not tell this credential',
    }),
    outdated: Type.Boolean(),
    hunk: Type.String({ description: 'The lines that it is about' }),
    comments: Type.Array(Comment),
  },
  { title: 'Review thread' },
)

export const threadsBlock = Type.Object({ ...blockFields, threads: Type.Array(Thread) })

/** A thread as both of GitHub's interfaces can tell it. */
interface ThreadFound {
  readonly path: string
  readonly line: number | null
  readonly start_line: number | null
  readonly resolved: boolean | null
  readonly outdated: boolean
  readonly hunk: string
  readonly comments: readonly Static<typeof Comment>[]
  /** Comments that were not read. */
  readonly missing: number
  /** The window that has this thread first. */
  readonly at: PartWindow
}

interface ThreadsFound {
  readonly threads: readonly ThreadFound[]
  /** What comes after them, if anything. */
  readonly rest: PartWindow | undefined
  readonly restCount: number | undefined
  /** Why GraphQL, which alone tells what is resolved, did not answer. */
  readonly untold?: ServiceError['code']
}

interface GraphThread {
  readonly isResolved: boolean
  readonly isOutdated: boolean
  readonly path: string
  readonly line: number | null
  readonly startLine: number | null
  readonly comments: {
    readonly totalCount: number
    readonly nodes: readonly (GraphComment | null)[]
  }
}

interface GraphComment {
  readonly author: Actor
  readonly authorAssociation: string
  readonly body: string
  readonly createdAt: string
  readonly url: string
  readonly diffHunk: string
}

interface Data {
  readonly repository: {
    readonly pullRequest: {
      readonly reviewThreads: Page<GraphThread> & { readonly totalCount: number }
    }
  }
}

const QUERY = `query($owner: String!, $repo: String!, $number: Int!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) {
      reviewThreads(first: $first, after: $after) {
        totalCount
        pageInfo { hasNextPage endCursor }
        edges { cursor node {
          isResolved isOutdated path line startLine
          comments(first: 100) {
            totalCount
            nodes { author { login } authorAssociation body createdAt url diffHunk }
          }
        } }
      }
    }
  }
}`

/** GitHub's largest page. */
const PAGE = 100
/** Comments that are put together to threads where only those can be read. */
const MOST_COMMENTS = 1_000
/** Lines of a hunk that show what a thread is about: its end is where the comment stands. */
const HUNK_LINES = 12
const SOON: CachePolicy = { freshFor: 10, staleFor: 0, keepFor: 300 }
const COMMENT_RANK = 3
const HUNK_RANK = 4

/**
 * What reviewers said about lines. With the other parts only what is not resolved; in a window of its
 * own everything. Who may not use GraphQL is not told what is resolved.
 */
export async function readThreads(request: PartRequest): Promise<PullPart> {
  const { context, window } = request
  const [pull, found] = await Promise.all([request.pull, findThreads(request)])
  const shown = window ? found.threads : found.threads.filter(({ resolved }) => resolved !== true)
  const hidden = found.threads.filter((thread) => !shown.includes(thread))
  const pieces = shown.flatMap((thread, index) => piecesOf(thread, pullAuthor(pull), index))
  const omission = (what: string, at: PartWindow, count: number | undefined, reason: string) => ({
    what,
    ...(count === undefined ? {} : { count }),
    reason,
    next: nextPart(pull, 'threads', at),
  })
  const omitted: Omission[] = [
    ...runsOf(found.threads, new Set(hidden)).map(({ at, limit }) =>
      omission('threads', { ...at, limit }, limit, 'resolved'),
    ),
    ...(found.rest ? [omission('threads', found.rest, found.restCount, 'limit')] : []),
    ...shown
      .filter(({ missing }) => missing > 0)
      .map(({ missing }) => ({ what: 'comments of a thread', count: missing, reason: 'limit' })),
    ...(found.untold && shown.length > 0
      ? [{ what: 'which threads are resolved', reason: found.untold }]
      : []),
  ]
  return {
    draft: partDraft({
      type: 'github_pull_request_threads',
      name: window ? 'Review threads' : 'Unresolved review threads',
      pull,
      from: context,
      page: '/files',
      facts: facts({ Threads: shown.length }),
      pieces,
      nothing: window ? 'No threads here.' : 'No unresolved threads.',
      fields: (kept) => ({ threads: fieldsOf(shown, kept) }),
      omit: (dropped, cut, reason) => {
        const lost = [...dropped, ...cut].filter(isThreadPiece).map(({ thread }) => thread)
        return runsOf(shown, new Set(lost), found.threads).map(({ at, limit }) =>
          omission('threads', { ...at, limit }, limit, reason),
        )
      },
    }),
    omitted,
    // Another time GraphQL may answer; a refusal stays.
    ...(found.untold && found.untold !== 'upstream_forbidden' ? { cache: SOON } : {}),
  }
}

/** Failures of GraphQL that leave the other interface to be asked: it has a budget of its own. */
const MENDED = new Set<ServiceError['code']>([
  'upstream_forbidden',
  'upstream_error',
  'upstream_timeout',
  'upstream_rate_limited',
])

async function findThreads(request: PartRequest): Promise<ThreadsFound> {
  // A place in the list of comments is meant for who has to go by that.
  if (request.window?.offset !== undefined) {
    return { ...(await fromComments(request)), untold: 'upstream_forbidden' }
  }
  try {
    return await fromGraph(request)
  } catch (error) {
    if (!(error instanceof ServiceError) || !MENDED.has(error.code)) throw error
    return { ...(await fromComments(request)), untold: error.code }
  }
}

async function fromGraph({ context, place, window = {} }: PartRequest): Promise<ThreadsFound> {
  const { after, limit = PAGE } = window
  const { owner, pull_number: number, repo } = place
  const { repository } = await context.github.graphql<Data>(QUERY, {
    owner,
    repo,
    number,
    first: Math.min(PAGE, limit),
    after: after ?? null,
  })
  const { pageInfo, totalCount, ...page } = repository.pullRequest.reviewThreads
  const entries = entriesOf({ ...page, pageInfo }, after)
  return {
    threads: entries.map(threadOf),
    rest: pageInfo.hasNextPage ? { ...startingAfter(pageInfo.endCursor), limit } : undefined,
    // How many come before `after`, GitHub does not tell.
    restCount: after === undefined ? totalCount - entries.length : undefined,
  }
}

function threadOf({ after, node }: Entry<GraphThread>): ThreadFound {
  const comments = node.comments.nodes.filter((comment) => comment !== null)
  return {
    path: node.path,
    line: node.line,
    start_line: node.startLine,
    resolved: node.isResolved,
    outdated: node.isOutdated,
    hunk: endOfHunk(comments[0]?.diffHunk),
    comments: comments.map((comment) => ({
      author: loginOf(comment.author),
      association: comment.authorAssociation,
      body: comment.body,
      created_at: comment.createdAt,
      url: comment.url,
    })),
    missing: Math.max(0, node.comments.totalCount - comments.length),
    at: { ...startingAfter(after), limit: 1 },
  }
}

async function fromComments({ context, place, window = {} }: PartRequest): Promise<ThreadsFound> {
  const { limit = PAGE, offset = 0 } = window
  const { items, more } = await context.github.list<ReviewComment>(`${PULL}/comments`, {
    params: place,
    limit: MOST_COMMENTS,
  })
  const byThread = Map.groupBy(items, ({ id, in_reply_to_id }) => in_reply_to_id ?? id)
  const all = [...byThread.values()].map((comments, position) => gathered(comments, position))
  const threads = all.slice(offset, offset + limit)
  const end = offset + threads.length
  const isMore = end < all.length
  return {
    threads,
    rest: isMore ? { offset: end, limit } : undefined,
    restCount: isMore && !more ? all.length - end : undefined,
  }
}

function gathered(comments: readonly ReviewComment[], position: number): ThreadFound {
  const [first] = comments
  // GitHub's description says that it is always there; it is null where the line has changed.
  const line: number | null = first?.line ?? null
  return {
    path: first?.path ?? '',
    line,
    start_line: first?.start_line ?? null,
    resolved: null,
    outdated: line === null,
    hunk: endOfHunk(first?.diff_hunk),
    comments: comments.map((comment) => ({
      author: loginOf(comment.user),
      association: comment.author_association,
      body: comment.body,
      created_at: comment.created_at,
      url: comment.html_url,
    })),
    missing: 0,
    at: { offset: position, limit: 1 },
  }
}

/** The `@@` line, and the last lines down to the one that was commented on. */
function endOfHunk(hunk: string | undefined): string {
  const [first] = hunksOf(hunk)
  const [head = '', ...rest] = first?.text.split('\n') ?? []
  return [head, ...rest.slice(-HUNK_LINES)].join('\n').trimEnd()
}

interface ThreadPiece extends Piece {
  readonly thread: ThreadFound
  /** Index of the comment; none for the hunk. */
  readonly comment?: number
}

const isThreadPiece = (piece: Piece): piece is ThreadPiece => piece.part === 'threads'

function piecesOf(thread: ThreadFound, author: Author, index: number): ThreadPiece[] {
  const place = `${oneLine(thread.path)}${thread.line === null ? '' : `:${thread.line}`}`
  const state = [
    thread.resolved === null ? '' : thread.resolved ? 'resolved' : 'unresolved',
    thread.outdated ? 'outdated' : '',
  ]
  const resolved = thread.resolved ? 300 : 0
  const common = { part: 'threads', thread }
  const hunk: ThreadPiece = {
    ...common,
    heading: `### Thread on ${place} (${state.filter(Boolean).join(', ') || 'state not told'})`,
    text: thread.hunk || '(no lines)',
    by: thread.hunk ? author : 'service',
    marked: thread.hunk !== '',
    rank: HUNK_RANK + resolved + index / 1_000,
    whole: true,
  }
  const comments = thread.comments.map(
    ({ association, author: login, body, created_at }, comment): ThreadPiece => ({
      ...common,
      heading: `#### ${login} (${association.toLowerCase()}) on ${place}, ${created_at}`,
      text: body || '(no text)',
      by: { login, association },
      rank: COMMENT_RANK + resolved + index / 1_000,
      comment,
    }),
  )
  return [hunk, ...comments]
}

/** Threads of which something was kept, with no more of their texts than was kept. */
function fieldsOf(threads: readonly ThreadFound[], kept: readonly Kept[]): object[] {
  const byThread = Map.groupBy(
    kept.filter(({ piece }) => isThreadPiece(piece)),
    ({ piece }) => (piece as ThreadPiece).thread,
  )
  return threads.flatMap((thread) => {
    const pieces = byThread.get(thread)
    if (!pieces) return []
    const { at: _at, comments, hunk, missing: _missing, ...facts } = thread
    const textOf = (comment: number | undefined) =>
      pieces.find(({ piece }) => (piece as ThreadPiece).comment === comment)?.text
    return [
      {
        ...facts,
        hunk: hunk && (textOf(undefined) ?? ''),
        comments: comments.flatMap((comment, index) => {
          const text = textOf(index)
          return text === undefined ? [] : [{ ...comment, body: comment.body && text }]
        }),
      },
    ]
  })
}

/** Unbroken runs of lost threads, each with the window that has its first. */
function runsOf(
  threads: readonly ThreadFound[],
  lost: ReadonlySet<ThreadFound>,
  all: readonly ThreadFound[] = threads,
): { at: PartWindow; limit: number }[] {
  const runs: { at: PartWindow; limit: number }[] = []
  let open = false
  for (const thread of all) {
    const isLost = lost.has(thread)
    const run = runs.at(-1)
    if (isLost && open && run) run.limit += 1
    else if (isLost) runs.push({ at: thread.at, limit: 1 })
    open = isLost
  }
  return runs
}
