import type { components } from '@octokit/openapi-types'
import { ServiceError } from '../../core/errors.ts'
import { hunksOf } from '../change/patches.ts'
import { type Actor, type Entry, entriesOf, type Page, startingAfter } from '../common/graph.ts'
import type { PartWindow } from '../common/partWindow.ts'
import { loginOf } from '../common/render.ts'
import type { Comment } from '../issue/comments.ts'
import { type PartRequest, PULL } from './parts.ts'

type ReviewComment = components['schemas']['pull-request-review-comment']

/** A thread as both of GitHub's interfaces can tell it. */
export interface ThreadFound {
  readonly path: string
  readonly line: number | null
  readonly start_line: number | null
  readonly resolved: boolean | null
  readonly outdated: boolean
  readonly hunk: string
  readonly comments: readonly Comment[]
  /** Comments that were not read, and the window that goes on with them. */
  readonly missing?: { readonly count?: number; readonly at: PartWindow }
  /** The window that has this thread first. */
  readonly at: PartWindow
}

export interface ThreadsFound {
  readonly threads: readonly ThreadFound[]
  /** What comes after them, if anything. */
  readonly rest: PartWindow | undefined
  readonly restCount: number | undefined
  /** What comes after the comments that threads were put together from, if anything. */
  readonly unread?: { readonly count?: number; readonly at: PartWindow }
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
    readonly pageInfo: Page<GraphComment>['pageInfo']
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

const QUERY = `query($owner: String!, $repo: String!, $number: Int!, $first: Int!, $after: String, $commentsAfter: String) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) {
      reviewThreads(first: $first, after: $after) {
        totalCount
        pageInfo { hasNextPage endCursor }
        edges { cursor node {
          isResolved isOutdated path line startLine
          comments(first: 100, after: $commentsAfter) {
            totalCount
            pageInfo { hasNextPage endCursor }
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

/** Failures of GraphQL that leave the other interface to be asked: it has a budget of its own. */
const MENDED = new Set<ServiceError['code']>([
  'upstream_forbidden',
  'upstream_error',
  'upstream_timeout',
  'upstream_rate_limited',
])

/** The threads of a window, by GraphQL, or else put together from their comments. */
export async function findThreads(request: PartRequest): Promise<ThreadsFound> {
  // A place in the list of comments is meant for who has to go by that.
  if (request.window?.offset !== undefined) {
    return { ...(await fromComments(request)), untold: 'upstream_forbidden' }
  }
  try {
    return await fromGraph(request)
  } catch (error) {
    if (!(error instanceof ServiceError) || !MENDED.has(error.code)) throw error
    // How many there are is known by now, so that all pages come in this second round.
    const { review_comments } = await request.pull
    return { ...(await fromComments(request, review_comments)), untold: error.code }
  }
}

async function fromGraph({ context, place, window = {} }: PartRequest): Promise<ThreadsFound> {
  const { after, comments_after, limit = PAGE } = window
  // A cursor within a thread is of no other.
  const isOne = comments_after !== undefined
  const { owner, pull_number: number, repo } = place
  const { repository } = await context.github.graphql<Data>(QUERY, {
    owner,
    repo,
    number,
    first: isOne ? 1 : Math.min(PAGE, limit),
    after: after ?? null,
    commentsAfter: comments_after ?? null,
  })
  const { pageInfo, totalCount, ...page } = repository.pullRequest.reviewThreads
  const entries = entriesOf({ ...page, pageInfo }, after)
  return {
    threads: entries.map((entry) => threadOf(entry, comments_after)),
    rest:
      pageInfo.hasNextPage && !isOne ? { ...startingAfter(pageInfo.endCursor), limit } : undefined,
    // How many come before `after`, GitHub does not tell.
    restCount: after === undefined ? totalCount - entries.length : undefined,
  }
}

function threadOf(
  { after, node }: Entry<GraphThread>,
  commentsAfter: string | undefined,
): ThreadFound {
  const { nodes, pageInfo, totalCount } = node.comments
  const comments = nodes.filter((comment) => comment !== null)
  const at = { ...startingAfter(after), limit: 1 }
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
    ...(pageInfo.hasNextPage && pageInfo.endCursor !== null
      ? {
          missing: {
            // How many come before a cursor, GitHub does not tell.
            ...(commentsAfter === undefined ? { count: totalCount - nodes.length } : {}),
            at: { ...at, comments_after: pageInfo.endCursor },
          },
        }
      : {}),
    at: { ...at, ...(commentsAfter === undefined ? {} : { comments_after: commentsAfter }) },
  }
}

async function fromComments(
  { context, place, window = {} }: PartRequest,
  count?: number,
): Promise<ThreadsFound> {
  const { comments_after, limit = PAGE, offset = 0 } = window
  const from = Number(comments_after ?? 0)
  const { items, more } = await context.github.list<ReviewComment>(`${PULL}/comments`, {
    params: place,
    offset: from,
    limit: Math.min(MOST_COMMENTS, Math.max(1, count ?? MOST_COMMENTS)),
    eager: count !== undefined,
  })
  const page = comments_after === undefined ? {} : { comments_after }
  const byThread = Map.groupBy(items, ({ id, in_reply_to_id }) => in_reply_to_id ?? id)
  const all = [...byThread.values()].map((comments, position) =>
    gathered(comments, { ...page, offset: position, limit: 1 }),
  )
  const threads = all.slice(offset, offset + limit)
  const end = offset + threads.length
  const isMore = end < all.length
  return {
    threads,
    rest: isMore ? { ...page, offset: end, limit } : undefined,
    restCount: isMore && !more ? all.length - end : undefined,
    ...(more && items.length > 0 && !isMore
      ? {
          unread: {
            ...(count === undefined ? {} : { count: count - items.length }),
            at: { offset: 0, comments_after: String(from + items.length) },
          },
        }
      : {}),
  }
}

function gathered(comments: readonly ReviewComment[], at: PartWindow): ThreadFound {
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
    at,
  }
}

/** The `@@` line, and the last lines down to the one that was commented on. */
function endOfHunk(hunk: string | undefined): string {
  const [first] = hunksOf(hunk)
  const [head = '', ...rest] = first?.text.split('\n') ?? []
  return [head, ...rest.slice(-HUNK_LINES)].join('\n').trimEnd()
}
