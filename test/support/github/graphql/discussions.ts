import { mayRead } from '../principals.ts'
import type {
  Discussion,
  DiscussionCategory,
  DiscussionComment,
  Repository,
  UserBody,
} from '../types.ts'
import { actor } from './actors.ts'
import { connection, type PageArgs } from './connection.ts'
import { demand, problem, unresolved } from './problems.ts'
import { repositoryNode } from './repository.ts'
import type { GraphContext, In, Of, Resolvers } from './types.ts'

type OfRepository = Of<Repository>
type OfDiscussion = Of<Discussion>
type OfComment = Of<DiscussionComment>
type OfCategory = In<DiscussionCategory>
type Info = Parameters<typeof connection>[2]

interface ListArgs extends PageArgs {
  answered?: boolean | null
  categoryId?: string | null
  orderBy?: { field: 'CREATED_AT' | 'UPDATED_AT'; direction: 'ASC' | 'DESC' } | null
  states?: readonly ('OPEN' | 'CLOSED')[] | null
}

const discussionNode = (of: Discussion): OfDiscussion => ({ __typename: 'Discussion', of })
const commentNode = (of: DiscussionComment): OfComment => ({ __typename: 'DiscussionComment', of })

function one(
  { of: repository }: OfRepository,
  { number }: { number: number },
  context: GraphContext,
) {
  demand(context, repository, 'discussions=read')
  const found = repository.discussions.get(number)
  if (!found || found.deleted) throw unresolved('Discussion', number)
  return discussionNode(found)
}

function list({ of: repository }: OfRepository, args: ListArgs, context: GraphContext, info: Info) {
  demand(context, repository, 'discussions=read')
  const { answered, categoryId, orderBy, states } = args
  const found = [...repository.discussions.values()].filter(({ answer, body, deleted }) => {
    if (deleted || (categoryId && body.category.node_id !== categoryId)) return false
    if (states?.length && !states.some((state) => state.toLowerCase() === body.state)) return false
    return answered == null || (answer !== undefined) === answered
  })
  const { field = 'UPDATED_AT', direction = 'DESC' } = orderBy ?? {}
  const key = field === 'CREATED_AT' ? 'created_at' : 'updated_at'
  const sign = direction === 'ASC' ? 1 : -1
  found.sort(({ body: a }, { body: b }) =>
    a[key] === b[key] ? sign * (a.number - b.number) : a[key] < b[key] ? -sign : sign,
  )
  return connection(found, args, info, ({ body }) => body.id, discussionNode)
}

function categories(
  { of: repository }: OfRepository,
  args: PageArgs,
  context: GraphContext,
  info: Info,
) {
  demand(context, repository, 'discussions=read')
  const all = [...categoriesOf(repository).values()]
  return connection(
    all,
    args,
    info,
    ({ of: { id } }) => id,
    (node) => node,
  )
}

/** Those that have discussions. */
function categoriesOf(repository: Repository) {
  const node = categoryNode(repository)
  const all = [...repository.discussions.values()].map(({ body }) => body.category)
  return new Map(all.map((one) => [one.slug, node(one)]))
}

function category(source: OfRepository, { slug }: { slug: string }, context: GraphContext) {
  demand(context, source.of, 'discussions=read')
  return categoriesOf(source.of).get(slug) ?? null
}

const categoryNode = (repository: Repository) => (of: DiscussionCategory) => ({
  __typename: 'DiscussionCategory',
  of,
  repository,
})

const urlOf = ({ repository, body }: Discussion) =>
  `https://github.com/${repository.body.full_name}/discussions/${body.number}`

interface Written {
  id: number
  body: string
  user: UserBody | null
  author_association: string
  created_at: string
  updated_at: string
  upvotes: number
  node_id?: unknown
}

/** By global id: comments on discussions and replies only. */
function node(_: unknown, { id }: { id: string }, context: GraphContext) {
  const { principal, world } = context.ask
  for (const { blocked, discussions } of world.repositories.values()) {
    for (const discussion of discussions.values()) {
      const found = discussion.comments
        .flatMap((comment) => [comment, ...comment.replies])
        .find(({ body }) => body.node_id === id)
      if (!found || discussion.deleted || blocked) continue
      if (!mayRead(principal, discussion.repository)) continue
      demand(context, discussion.repository, 'discussions=read')
      return commentNode(found)
    }
  }
  const message = `Could not resolve to a node with the global id of '${id}'`
  throw problem('NOT_FOUND', message)
}

/** What a discussion and a comment on it have in common. */
const written = {
  id: ({ of: { body } }: Of<{ body: Written }>) => body.node_id,
  databaseId: ({ of: { body } }: Of<{ body: Written }>) => body.id,
  author: ({ of: { body } }: Of<{ body: Written }>) => actor(body.user),
  authorAssociation: ({ of: { body } }: Of<{ body: Written }>) => body.author_association,
  body: ({ of: { body } }: Of<{ body: Written }>) => body.body,
  createdAt: ({ of: { body } }: Of<{ body: Written }>) => body.created_at,
  updatedAt: ({ of: { body } }: Of<{ body: Written }>) => body.updated_at,
  upvoteCount: ({ of: { body } }: Of<{ body: Written }>) => body.upvotes,
}

export default {
  Query: { node },
  Repository: {
    discussion: one,
    discussionCategories: categories,
    discussionCategory: category,
    discussions: list,
  },
  Discussion: {
    ...written,
    answer: ({ of: { answer } }: OfDiscussion) => answer && commentNode(answer),
    answerChosenAt: ({ of: { body } }: OfDiscussion) => body.answer_chosen_at,
    answerChosenBy: ({ of: { body } }: OfDiscussion) => actor(body.answer_chosen_by),
    category: ({ of: { body, repository } }: OfDiscussion) =>
      categoryNode(repository)(body.category),
    closed: ({ of: { body } }: OfDiscussion) => body.state === 'closed',
    closedAt: ({ of: { body } }: OfDiscussion) => body.closed_at,
    comments: ({ of: { comments } }: OfDiscussion, args: PageArgs, _: unknown, info: Info) =>
      connection(comments, args, info, ({ body }) => body.id, commentNode),
    isAnswered: ({ of: { answer, body } }: OfDiscussion) =>
      body.category.is_answerable ? answer !== undefined : null,
    labels: ({ of: { body } }: OfDiscussion, args: PageArgs, _: unknown, info: Info) =>
      connection(
        body.labels,
        args,
        info,
        ({ id }) => id,
        (label) => label,
      ),
    locked: ({ of: { body } }: OfDiscussion) => body.locked,
    number: ({ of: { body } }: OfDiscussion) => body.number,
    repository: ({ of: { repository } }: OfDiscussion) => repositoryNode(repository),
    stateReason: ({ of: { body } }: OfDiscussion) => body.state_reason,
    title: ({ of: { body } }: OfDiscussion) => body.title,
    url: ({ of: discussion }: OfDiscussion) => urlOf(discussion),
  },
  DiscussionCategory: {
    id: ({ of: category }: OfCategory) => category.node_id,
    description: ({ of: category }: OfCategory) => category.description ?? null,
    emoji: ({ of: category }: OfCategory) => category.emoji,
    isAnswerable: ({ of: category }: OfCategory) => category.is_answerable,
    name: ({ of: category }: OfCategory) => category.name,
    slug: ({ of: category }: OfCategory) => category.slug,
  },
  DiscussionComment: {
    ...written,
    deletedAt: ({ of: { body } }: OfComment) => body.deleted_at,
    discussion: ({ of: { discussion } }: OfComment) => discussionNode(discussion),
    isAnswer: ({ of: comment }: OfComment) => comment.discussion.answer === comment,
    isMinimized: ({ of: { body } }: OfComment) => body.minimized_reason !== null,
    minimizedReason: ({ of: { body } }: OfComment) => body.minimized_reason,
    replies: ({ of: { replies } }: OfComment, args: PageArgs, _: unknown, info: Info) =>
      connection(replies, args, info, ({ body }) => body.id, commentNode),
    replyTo: ({ of: { replyTo } }: OfComment) => replyTo && commentNode(replyTo),
    url: ({ of: { body, discussion } }: OfComment) =>
      `${urlOf(discussion)}#discussioncomment-${body.id}`,
  },
} satisfies Resolvers
