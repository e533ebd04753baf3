import type { Issue, ReviewCommentBody, ReviewThread } from '../types.ts'
import { actor } from './actors.ts'
import { connection, type PageArgs } from './connection.ts'
import type { OfIssue } from './issues.ts'
import { pullUrl } from './pull-requests.ts'
import type { Of, Resolvers } from './types.ts'

type OfThread = Of<ReviewThread> & { pull: Issue }
type OfComment = Of<{ body: ReviewCommentBody }> & { thread: ReviewThread; pull: Issue }
type Info = Parameters<typeof connection>[2]

const threads = ({ of: pull }: OfIssue, args: PageArgs, _: unknown, info: Info) =>
  connection(
    pull.threads,
    args,
    info,
    ({ id }) => id,
    (of) => ({
      __typename: 'PullRequestReviewThread',
      of,
      pull,
    }),
  )

const comments = ({ of: thread, pull }: OfThread, args: PageArgs, _: unknown, info: Info) =>
  connection(
    thread.comments,
    args,
    info,
    ({ body }) => body.id,
    (of) => ({
      __typename: 'PullRequestReviewComment',
      of,
      thread,
      pull,
    }),
  )

export default {
  PullRequest: { reviewThreads: threads },
  PullRequestReviewThread: {
    comments,
    diffSide: ({ of: { side } }: OfThread) => side,
    isCollapsed: ({ of: { isOutdated, isResolved } }: OfThread) => isOutdated || isResolved,
    isOutdated: ({ of: { isOutdated } }: OfThread) => isOutdated,
    isResolved: ({ of: { isResolved } }: OfThread) => isResolved,
    line: ({ of: { line } }: OfThread) => line,
    originalLine: ({ of: { comments } }: OfThread) => comments[0]?.body.original_line ?? null,
    path: ({ of: { path } }: OfThread) => path,
    resolvedBy: ({ of: { resolvedBy } }: OfThread) => actor(resolvedBy),
    startLine: ({ of: { startLine } }: OfThread) => startLine,
    subjectType: () => 'LINE',
  },
  PullRequestReviewComment: {
    author: ({ of: { body } }: OfComment) => actor(body.user),
    authorAssociation: ({ of: { body } }: OfComment) => body.author_association,
    body: ({ of: { body } }: OfComment) => body.body,
    createdAt: ({ of: { body } }: OfComment) => body.created_at,
    databaseId: ({ of: { body } }: OfComment) => body.id,
    diffHunk: ({ of: { body } }: OfComment) => body.diff_hunk,
    fullDatabaseId: ({ of: { body } }: OfComment) => String(body.id),
    line: ({ of: { body } }: OfComment) => body.line ?? null,
    outdated: ({ thread }: OfComment) => thread.isOutdated,
    path: ({ of: { body } }: OfComment) => body.path,
    updatedAt: ({ of: { body } }: OfComment) => body.updated_at,
    url: ({ of: { body }, pull }: OfComment) => `${pullUrl(pull)}#discussion_r${body.id}`,
  },
} satisfies Resolvers
