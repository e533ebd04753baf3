import { type Static, Type } from '@sinclair/typebox'
import type { Kept, Piece } from '../../core/provider.ts'
import { Nullable } from '../../core/schemas.ts'
import { type Actor, type Entry, entriesOf, type Page } from '../common/graph.ts'
import { loginOf } from '../common/render.ts'
import { writerOf } from './fields.ts'

/** A comment or reply as GraphQL tells of it. */
export interface GraphComment {
  readonly id: string
  readonly url: string
  readonly body: string
  readonly createdAt: string
  readonly upvoteCount: number
  readonly isAnswer: boolean
  readonly minimizedReason: string | null
  readonly deletedAt: string | null
  readonly author: Actor
  readonly authorAssociation: string
}

export interface GraphThread extends GraphComment {
  readonly replyCount: { readonly totalCount: number }
  /** Absent where none were asked for. */
  readonly replies?: Page<GraphComment>
}

export const COMMENT = `fragment comment on DiscussionComment {
  id url body createdAt upvoteCount isAnswer minimizedReason deletedAt
  author { login } authorAssociation
}`

/** Wants the variables `$replies: Int!` and `$withReplies: Boolean!`. */
export const THREAD = `fragment thread on DiscussionComment {
  ...comment
  replyCount: replies { totalCount }
  replies(first: $replies) @include(if: $withReplies) {
    edges { cursor node { ...comment } } pageInfo { hasNextPage endCursor }
  }
}
${COMMENT}`

/** GitHub wants a page of at least one, also of what it then leaves out. */
export const replyVariables = (count: number) => ({
  replies: Math.max(1, count),
  withReplies: count > 0,
})

export const DiscussionComment = Type.Object(
  {
    author: Type.String(),
    association: Type.String({
      description: "The author's relation to the repository, as GitHub names it",
    }),
    body: Type.String(),
    created_at: Type.String(),
    url: Type.String(),
    upvotes: Type.Integer(),
    is_answer: Type.Boolean(),
    reply_to: Nullable(Type.String()),
    hidden: Nullable(Type.String()),
  },
  { title: 'Discussion comment', description: '`reply_to`: address of the comment it replies to' },
)
type DiscussionComment = Static<typeof DiscussionComment>

/** A piece that stands for a comment or a reply. */
export interface CommentPiece extends Piece {
  readonly comment: DiscussionComment
  /** Cursor of the one before it in its list. */
  readonly after: string | undefined
}

/** A comment with its replies. */
export interface Thread {
  readonly id: string
  readonly piece: CommentPiece
  readonly replies: readonly CommentPiece[]
  /** Replies that were not fetched, and where they begin. */
  readonly missing: number
  readonly end: string | undefined
}

const RANK = { answer: 1, others: 10 }

/** Comments with their replies in reading order; what the project's own people and the newest say comes first. */
export function threadsOf(entries: readonly Entry<GraphThread>[]): Thread[] {
  const fetched = entries.map((entry) => ({ entry, replies: entriesOf(entry.node.replies) }))
  let left = fetched.reduce((sum, { replies }) => sum + 1 + replies.length, 0)
  const next = () => left--
  return fetched.map(({ entry, replies }) => {
    const { node } = entry
    const { totalCount } = node.replyCount
    return {
      id: node.id,
      piece: pieceOf(entry, undefined, next()),
      replies: replies.map((reply) => pieceOf(reply, node, next())),
      missing: Math.max(0, totalCount - replies.length),
      end: node.replies?.pageInfo.endCursor ?? undefined,
    }
  })
}

/** @param age how many there are from this one on */
export function pieceOf(
  { node, after }: Entry<GraphComment>,
  parent: Pick<GraphComment, 'author' | 'url'> | undefined,
  age: number,
): CommentPiece {
  const by = writerOf(node)
  const byProject = ['OWNER', 'MEMBER', 'COLLABORATOR'].includes(by.association)
  const rank = node.isAnswer ? RANK.answer : RANK.others + age * (byProject ? 1 : 2)
  return {
    part: parent ? 'replies' : 'comments',
    heading: headingOf(node, parent),
    text: node.body.trim() || (node.deletedAt ? '(deleted)' : '(no text)'),
    by,
    rank,
    after,
    comment: {
      author: by.login,
      association: by.association,
      body: node.body.trim(),
      created_at: node.createdAt,
      url: node.url,
      upvotes: node.upvoteCount,
      is_answer: node.isAnswer,
      reply_to: parent?.url ?? null,
      hidden: hiddenOf(node),
    },
  }
}

function headingOf(node: GraphComment, parent: Pick<GraphComment, 'author'> | undefined): string {
  const { association, login } = writerOf(node)
  const hidden = hiddenOf(node)
  const who = `${login} (${association.toLowerCase()})`
  return [
    parent ? `#### Reply of ${who} to ${loginOf(parent.author)}` : `### ${who}`,
    node.createdAt,
    ...(node.isAnswer ? ['the answer'] : []),
    ...(node.upvoteCount > 1 ? [`${node.upvoteCount} upvotes`] : []),
    ...(hidden ? [`hidden as ${hidden}`] : []),
  ].join(', ')
}

const hiddenOf = ({ minimizedReason }: GraphComment) =>
  minimizedReason?.toLowerCase().replaceAll(/[^a-z]+/g, '-') ?? null

export const piecesOf = (threads: readonly Thread[]): CommentPiece[] =>
  threads.flatMap(({ piece, replies }) => [piece, ...replies])

/** With no more of each text than was kept. */
export function keptComment({ piece, text }: Kept): DiscussionComment {
  const { comment } = piece as CommentPiece
  return { ...comment, body: comment.body && text }
}
