import { Type } from '@sinclair/typebox'
import { ServiceError } from '../core/errors.ts'
import type { GitHub } from '../core/github.ts'
import { type Answer, defineProvider } from '../core/provider.ts'
import { blockFields, Nullable, repositoryParams } from '../core/schemas.ts'
import {
  type Actor,
  entriesOf,
  type GraphRepository,
  type Page,
  repositoryIn,
  startingAfter,
} from './common/graph.ts'
import { lines, loginOf } from './common/render.ts'
import { discussionTag } from './common/tags.ts'
import {
  COMMENT,
  DiscussionComment,
  type GraphComment,
  type GraphThread,
  keptComment,
  pieceOf,
  piecesOf,
  replyVariables,
  THREAD,
  threadsOf,
} from './discussion/comments.ts'
import { After, DiscussionNumber, writerOf } from './discussion/fields.ts'
import {
  commentsOmission,
  type DiscussionRef,
  missingReplies,
  omittedComments,
  omittedReplies,
} from './discussion/omissions.ts'

interface About {
  readonly number: number
  readonly title: string
  readonly url: string
  readonly author: Actor
  readonly authorAssociation: string
  readonly total: { readonly totalCount: number }
}

interface CommentsData {
  readonly repository: GraphRepository & {
    readonly discussion: About & { readonly comments: Page<GraphThread> }
  }
}

interface RepliesData {
  readonly repository: GraphRepository
  readonly node:
    | (GraphComment & {
        readonly discussion: (About & { readonly repository: GraphRepository }) | null
        readonly replies: Page<GraphComment> & { readonly totalCount: number }
      })
    | null
}

const ABOUT = `fragment about on Discussion {
  number title url author { login } authorAssociation total: comments { totalCount }
}`

const COMMENTS_QUERY = `query($owner: String!, $repo: String!, $number: Int!, $first: Int!, $after: String, $replies: Int!, $withReplies: Boolean!) {
  repository(owner: $owner, name: $repo) {
    nameWithOwner visibility
    discussion(number: $number) {
      ...about
      comments(first: $first, after: $after) {
        edges { cursor node { ...thread } } pageInfo { hasNextPage endCursor }
      }
    }
  }
}
${ABOUT}
${THREAD}`

const REPLIES_QUERY = `query($owner: String!, $repo: String!, $id: ID!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $repo) { nameWithOwner visibility }
  node(id: $id) {
    ... on DiscussionComment {
      ...comment
      discussion { ...about repository { nameWithOwner visibility } }
      replies(first: $first, after: $after) {
        totalCount edges { cursor node { ...comment } } pageInfo { hasNextPage endCursor }
      }
    }
  }
}
${ABOUT}
${COMMENT}`

export const githubDiscussionComments = defineProvider({
  type: 'github_discussion_comments',
  blockType: 'github_discussion_comments',
  title: "A window of a discussion's comments",
  description:
    'Comments of a discussion with their replies, or the replies to one comment: any window of them, oldest first.',
  uri: 'github://{owner}/{repo}/discussions/{discussion_number}/comments',
  params: Type.Object(
    {
      ...repositoryParams,
      discussion_number: DiscussionNumber,
      after: Type.Optional(After),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 100, default: 30, description: 'Comments at most' }),
      ),
      max_replies: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100,
          default: 20,
          description: 'Replies to each comment at most, from the first on',
        }),
      ),
      reply_to: Type.Optional(
        Type.String({
          pattern: '^[A-Za-z0-9+/_=-]{1,200}$',
          description:
            'The comment whose replies are meant, instead of comments; take it from `omitted[].next`',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    reply_to: Nullable(Type.String()),
    total: Type.Integer({ description: 'Comments of the discussion, or replies to the comment' }),
    comments: Type.Array(DiscussionComment, { description: 'Each followed by its replies' }),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', discussion_number: 90, limit: 10 },
  cache: { freshFor: 60, staleFor: 300, keepFor: 86_400 },
  tags: ({ owner, repo, discussion_number }) => [discussionTag(owner, repo, discussion_number)],
  async fetch(params, { github }) {
    const { owner, repo, discussion_number: number, after, limit = 30 } = params
    const window: Asked = { owner, repo, number, after, limit }
    const { max_replies = 20, reply_to } = params
    return reply_to === undefined
      ? commentsIn(github, window, max_replies)
      : repliesIn(github, window, reply_to)
  },
})

interface Asked {
  readonly owner: string
  readonly repo: string
  readonly number: number
  readonly after: string | undefined
  readonly limit: number
}

async function commentsIn(github: GitHub, asked: Asked, max_replies: number): Promise<Answer> {
  const { after, limit, number, owner, repo } = asked
  const variables = { owner, repo, number, first: limit, after, ...replyVariables(max_replies) }
  const data = await github.graphql<CommentsData>(COMMENTS_QUERY, variables)
  const { discussion } = data.repository
  const { repository, visibility } = repositoryIn(data.repository)
  const ref: DiscussionRef = { ...repository, discussion_number: discussion.number }
  const { endCursor, hasNextPage } = discussion.comments.pageInfo
  const threads = threadsOf(entriesOf(discussion.comments, after))
  const rest = { after: endCursor ?? undefined, limit, max_replies }
  return {
    repository,
    visibility,
    omitted: [
      ...threads.flatMap((thread) => missingReplies(thread, ref, 'max_replies')),
      ...(hasNextPage ? [commentsOmission(ref, rest, undefined, 'limit')] : []),
    ],
    blocks: [
      {
        ...frameOf(discussion, ref, `comments${suffixOf(asked)}`),
        head: lines(
          `# ${threads.length} of ${discussion.total.totalCount} comments on ${nameOf(ref)}`,
          discussion.url,
        ),
        pieces: piecesOf(threads),
        fields: (kept) => ({
          reply_to: null,
          total: discussion.total.totalCount,
          comments: kept.map(keptComment),
        }),
        omit: (dropped, cut, reason) =>
          omittedComments(threads, new Set([...dropped, ...cut]), ref, max_replies, reason),
      },
    ],
  }
}

async function repliesIn(github: GitHub, asked: Asked, id: string): Promise<Answer> {
  const { after, limit, number, owner, repo } = asked
  const data = await github.graphql<RepliesData>(REPLIES_QUERY, {
    owner,
    repo,
    id,
    first: limit,
    after,
  })
  const { node: comment } = data
  const { repository, visibility } = repositoryIn(data.repository)
  const discussion = comment?.discussion
  // An id leads to any comment on GitHub: only one of the discussion that was named is answered.
  const here = discussion?.repository.nameWithOwner === data.repository.nameWithOwner
  if (!comment || !discussion || !here || discussion.number !== number) throw notOfDiscussion()
  const ref: DiscussionRef = { ...repository, discussion_number: number }
  const { pageInfo, totalCount } = comment.replies
  const entries = entriesOf(comment.replies, after)
  const pieces = entries.map((entry, index) => pieceOf(entry, comment, entries.length - index))
  const rest = { ...startingAfter(pageInfo.endCursor), limit, reply_to: id }
  return {
    repository,
    visibility,
    omitted: pageInfo.hasNextPage ? [commentsOmission(ref, rest, undefined, 'limit')] : [],
    blocks: [
      {
        ...frameOf(discussion, ref, `replies:${id}${suffixOf(asked)}`),
        head: lines(
          `# ${pieces.length} of ${totalCount} replies to ${loginOf(comment.author)} on ${nameOf(ref)}`,
          comment.url,
        ),
        pieces,
        fields: (kept) => ({
          reply_to: comment.url,
          total: totalCount,
          comments: kept.map(keptComment),
        }),
        omit: (dropped, cut, reason) =>
          omittedReplies(id, pieces, new Set([...dropped, ...cut]), ref, reason),
      },
    ],
  }
}

const nameOf = ({ owner, repo, discussion_number }: DiscussionRef) =>
  `${owner}/${repo}#${discussion_number}`

const suffixOf = ({ after, limit }: Asked) => `@${after ?? ''}+${limit}`

function frameOf(about: About, ref: DiscussionRef, what: string) {
  return {
    id: `github_discussion_comments:${nameOf(ref)}/${what}`,
    title: about.title,
    url: about.url,
    by: writerOf(about),
  }
}

function notOfDiscussion(): ServiceError {
  return new ServiceError(
    'not_found',
    'The discussion has no comment with this id. Take reply_to from omitted[].next of an answer about it.',
  )
}
