/** Builders for what ties pull requests and issues together. */
import { userOf } from './content.ts'
import { documented } from './recordings.ts'
import type { Issue, ReviewCommentBody, ReviewThread, UserBody, World } from './types.ts'
import { nextId, nodeId, timestamp, touch } from './world.ts'

export interface ReviewCommentOptions {
  id?: number
  body?: string
  created_at?: string
  user?: string | UserBody | null
  author_association?: string
  [field: string]: unknown
}

export interface ReviewThreadOptions {
  path?: string
  line?: number | null
  startLine?: number | null
  side?: 'LEFT' | 'RIGHT'
  isResolved?: boolean
  isOutdated?: boolean
  resolvedBy?: string | UserBody | null
  diffHunk?: string
  /** One comment unless given. */
  comments?: readonly ReviewCommentOptions[]
}

/** A thread of a pull request's review; its comments are bodies as REST gives them, cloned from GitHub's own. */
export function addReviewThread(
  world: World,
  pull: Issue,
  options: ReviewThreadOptions = {},
): ReviewThread {
  const { path = 'src/main.ts', line = 2, startLine = null, side = 'RIGHT' } = options
  const { comments = [{}], diffHunk = '@@ -1,2 +1,2 @@\n context\n-old\n+new' } = options
  const thread: ReviewThread = {
    id: nextId(world),
    path,
    line,
    startLine,
    side,
    isResolved: options.isResolved ?? false,
    isOutdated: options.isOutdated ?? false,
    resolvedBy: options.resolvedBy === undefined ? null : userOf(world, options.resolvedBy),
    comments: [],
  }
  for (const comment of comments) {
    const place = { path, line, start_line: startLine, side, diff_hunk: diffHunk }
    const first = thread.comments[0]?.body.id
    const body = reviewComment(world, pull, { ...place, ...comment }, first)
    thread.comments.push({ body })
  }
  pull.threads.push(thread)
  touch(world)
  return thread
}

function reviewComment(
  world: World,
  pull: Issue,
  { user, ...options }: ReviewCommentOptions,
  inReplyTo: number | undefined,
): ReviewCommentBody {
  const id = options.id ?? nextId(world)
  const name = pull.repository.body.full_name
  const { number } = pull.body
  const at = options.created_at ?? timestamp(world.now())
  const [template] = documented(
    'GET',
    '/repos/{owner}/{repo}/pulls/{pull_number}/comments',
  ) as object[]
  const text = JSON.stringify(template)
    .replaceAll('octocat/Hello-World', name)
    .replaceAll(/\/(pulls?)\/1(?=["#])/g, `/$1/${number}`)
    .replaceAll('/pulls/comments/1"', `/pulls/comments/${id}"`)
    .replaceAll('#discussion-diff-1"', `#discussion_r${id}"`)
  const { in_reply_to_id: _, ...body } = JSON.parse(text)
  return Object.freeze({
    ...body,
    id,
    node_id: nodeId('PullRequestReviewComment', id),
    created_at: at,
    updated_at: at,
    ...(inReplyTo !== undefined && { in_reply_to_id: inReplyTo }),
    ...(user !== undefined && { user: userOf(world, user) }),
    ...options,
  })
}

/** Merging the pull request closes the issue. */
export function addClosing(world: World, pull: Issue, issue: Issue): void {
  pull.closes.push(issue)
  issue.closedBy.push(pull)
  touch(world)
}

export interface MentionOptions {
  actor?: string | UserBody | null
  createdAt?: string
  /** "Fixes #1" instead of "see #1". */
  closes?: boolean
}

/** `source`, or a comment on it, names `target`: GitHub shows it in the timeline of `target`. */
export function addMention(
  world: World,
  source: Issue,
  target: Issue,
  { actor = source.body.user, createdAt, closes = false }: MentionOptions = {},
): void {
  target.mentions.push({
    source,
    actor: userOf(world, actor),
    createdAt: createdAt ?? timestamp(world.now()),
    closes,
  })
  touch(world)
}

export function addSubIssue(world: World, parent: Issue, child: Issue): void {
  parent.subIssues.push(child)
  child.parent = parent
  touch(world)
}
