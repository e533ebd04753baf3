import type { components } from '@octokit/openapi-types'
import { type Static, Type } from '@sinclair/typebox'
import type { Kept, Piece } from '../../core/provider.ts'
import { Nullable, type Omission } from '../../core/schemas.ts'
import { loginOf } from '../common/render.ts'

type IssueComment = components['schemas']['issue-comment']

/** As GitHub tells it, without what no answer tells: two thirds of a comment are addresses of its author's pages. */
export type GitHubComment = Pick<
  IssueComment,
  'author_association' | 'body' | 'created_at' | 'html_url'
> & { readonly user: { readonly login: string } | null }

export const pickComment = ({
  author_association,
  body,
  created_at,
  html_url,
  user,
}: IssueComment): GitHubComment => ({
  author_association,
  body,
  created_at,
  html_url,
  user: user && { login: user.login },
})

/** A comment as blocks hold it. */
export const Comment = Type.Object(
  {
    author: Type.String(),
    association: Type.String({
      description: "The author's relation to the repository, as GitHub names it",
    }),
    body: Type.String(),
    created_at: Nullable(Type.String()),
    url: Nullable(Type.String()),
  },
  { title: 'Comment' },
)
export type Comment = Static<typeof Comment>

/** A piece that stands for a comment, and where the comment is in the issue's list. */
export interface CommentPiece extends Piece {
  readonly comment: Comment
  readonly position: number
}

const DEFAULT_RANK = 10

/** Ranks fall from the newest to the oldest, and what the project's own people say comes first. */
export function commentPieces(comments: readonly GitHubComment[], offset: number): CommentPiece[] {
  return comments.map((source, index) => {
    const comment = commentOf(source)
    const byProject = ['OWNER', 'MEMBER', 'COLLABORATOR'].includes(comment.association)
    const age = comments.length - index
    return {
      part: 'comments',
      heading: `### ${comment.author} (${comment.association.toLowerCase()}), ${comment.created_at ?? 'undated'}`,
      text: comment.body || '(no text)',
      by: { login: comment.author, association: comment.association },
      rank: DEFAULT_RANK + age * (byProject ? 1 : 2),
      comment,
      position: offset + index,
    }
  })
}

function isCommentPiece(piece: Piece): piece is CommentPiece {
  return piece.part === 'comments'
}

/** The comments that were kept, with no more of each than was kept. */
export function keptComments(kept: readonly Kept[]): Comment[] {
  return kept.flatMap(({ piece, text }) => (isCommentPiece(piece) ? keptOf(piece, text) : []))
}

function keptOf({ comment }: CommentPiece, text: string): Comment {
  return comment.body === text ? comment : { ...comment, body: comment.body && text }
}

/** What an omission of comments refers to. */
export interface IssueRef {
  readonly owner: string
  readonly repo: string
  readonly issue_number: number
}

/** One omission for each unbroken run of positions. */
export function omittedComments(
  pieces: readonly Piece[],
  issue: IssueRef,
  reason: string,
): Omission[] {
  const runs: { offset: number; limit: number }[] = []
  for (const { position } of pieces.filter(isCommentPiece)) {
    const run = runs.at(-1)
    if (run && run.offset + run.limit === position) run.limit += 1
    else runs.push({ offset: position, limit: 1 })
  }
  return runs.map((run) => commentsOmission(issue, run, run.limit, reason))
}

export function commentsOmission(
  issue: IssueRef,
  window: { offset: number; limit: number },
  count: number | undefined,
  reason: string,
): Omission {
  return {
    what: 'comments',
    ...(count === undefined ? {} : { count }),
    reason,
    next: { context_type: 'github_issue_comments', params: { ...issue, ...window } },
  }
}

function commentOf(source: GitHubComment): Comment {
  return {
    author: loginOf(source.user),
    association: source.author_association ?? 'NONE',
    body: source.body ?? '',
    created_at: source.created_at ?? null,
    url: source.html_url ?? null,
  }
}
