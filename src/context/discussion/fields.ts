import { Type } from '@sinclair/typebox'
import type { Author } from '../../core/provider.ts'
import { Nullable } from '../../core/schemas.ts'
import type { Actor } from '../common/graph.ts'
import { facts, loginOf } from '../common/render.ts'

export const DiscussionNumber = Type.Integer({
  minimum: 1,
  maximum: 2_147_483_647,
  description: 'Number of the discussion (a numeric string is accepted)',
  examples: [90],
})

/** A place in one of GitHub's lists: base64, opaque. */
export const After = Type.String({
  pattern: '^[A-Za-z0-9+/_=-]{1,500}$',
  description: 'Where in the list to begin; take it from `omitted[].next`',
})

/** A discussion as GraphQL tells of it. */
export interface GraphDiscussion {
  readonly number: number
  readonly title: string
  readonly url: string
  readonly body: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly closed: boolean
  readonly closedAt: string | null
  readonly stateReason: string | null
  readonly upvoteCount: number
  readonly author: Actor
  readonly authorAssociation: string
  readonly category: { readonly name: string; readonly slug: string }
  readonly isAnswered: boolean | null
  readonly labels: { readonly nodes: readonly ({ readonly name: string } | null)[] | null } | null
  readonly total: { readonly totalCount: number }
}

export const DISCUSSION = `fragment discussion on Discussion {
  number title url body createdAt updatedAt closed closedAt stateReason upvoteCount isAnswered
  author { login } authorAssociation category { name slug } labels(first: 100) { nodes { name } }
  total: comments { totalCount }
}`

/** What every form of a discussion tells. */
export const discussionFields = {
  number: Type.Integer(),
  state: Type.String({ description: '`open` or `closed`' }),
  state_reason: Nullable(Type.String()),
  author: Type.String({ description: 'Login; `ghost` for a deleted account' }),
  author_association: Type.String({
    description: "The author's relation to the repository, as GitHub names it",
  }),
  category: Type.String({ description: 'Short name, as in addresses' }),
  labels: Type.Array(Type.String()),
  answered: Type.Union([Type.Boolean(), Type.Null()], {
    description: 'Null where the category takes no answers',
  }),
  upvotes: Type.Integer(),
  created_at: Type.String(),
  updated_at: Type.String(),
  closed_at: Nullable(Type.String()),
  comments_count: Type.Integer({ description: 'Without replies' }),
}

export function discussionFieldsOf(discussion: GraphDiscussion) {
  return {
    number: discussion.number,
    state: discussion.closed ? 'closed' : 'open',
    state_reason: discussion.stateReason?.toLowerCase() ?? null,
    author: loginOf(discussion.author),
    author_association: discussion.authorAssociation,
    category: discussion.category.slug,
    labels: (discussion.labels?.nodes ?? []).flatMap((label) => label?.name ?? []),
    answered: discussion.isAnswered,
    upvotes: discussion.upvoteCount,
    created_at: discussion.createdAt,
    updated_at: discussion.updatedAt,
    closed_at: discussion.closedAt,
    comments_count: discussion.total.totalCount,
  }
}

export function discussionFacts(discussion: GraphDiscussion): string {
  const fields = discussionFieldsOf(discussion)
  return facts({
    State: fields.state_reason ? `${fields.state} (${fields.state_reason})` : fields.state,
    Category: discussion.category.name,
    Answered: fields.answered === null ? null : fields.answered ? 'yes' : 'no',
    Author: `${fields.author} (${fields.author_association.toLowerCase()})`,
    Created: fields.created_at,
    Closed: fields.closed_at,
    Labels: fields.labels.join(', '),
    Upvotes: fields.upvotes,
    Comments: fields.comments_count,
  })
}

/** Who wrote a discussion or a comment on it. */
export function writerOf(written: {
  readonly author: Actor
  readonly authorAssociation: string
}): Author {
  return { login: loginOf(written.author), association: written.authorAssociation }
}
