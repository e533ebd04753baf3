import { Type } from '@sinclair/typebox'
import { defineProvider, type FitReason, type Kept, type Piece } from '../core/provider.ts'
import { blockFields, Nullable, type Omission, repositoryParams } from '../core/schemas.ts'
import {
  type Actor,
  entriesOf,
  type GraphRepository,
  type Page,
  repositoryIn,
} from './common/graph.ts'
import { lines, loginOf } from './common/render.ts'
import { discussionTag } from './common/tags.ts'
import {
  DiscussionComment,
  type GraphComment,
  type GraphThread,
  keptComment,
  pieceOf,
  piecesOf,
  replyVariables,
  THREAD,
  type Thread,
  threadsOf,
} from './discussion/comments.ts'
import {
  DISCUSSION,
  DiscussionNumber,
  discussionFacts,
  discussionFields,
  discussionFieldsOf,
  type GraphDiscussion,
  writerOf,
} from './discussion/fields.ts'
import {
  commentsOmission,
  type DiscussionRef,
  missingReplies,
  omittedComments,
} from './discussion/omissions.ts'

interface Answered extends GraphDiscussion {
  readonly answerChosenAt: string | null
  readonly answerChosenBy: Actor
  readonly answer:
    | (GraphComment & { readonly replyTo: Pick<GraphComment, 'author' | 'url'> | null })
    | null
  readonly comments?: Page<GraphThread>
}

interface Data {
  readonly repository: GraphRepository & { readonly discussion: Answered }
}

const QUERY = `query($owner: String!, $repo: String!, $number: Int!, $first: Int!, $some: Boolean!, $replies: Int!, $withReplies: Boolean!) {
  repository(owner: $owner, name: $repo) {
    nameWithOwner visibility
    discussion(number: $number) {
      ...discussion
      answerChosenAt answerChosenBy { login }
      answer { ...comment replyTo { url author { login } } }
      comments(first: $first) @include(if: $some) {
        edges { cursor node { ...thread } } pageInfo { hasNextPage endCursor }
      }
    }
  }
}
${DISCUSSION}
${THREAD}`

export const githubDiscussion = defineProvider({
  type: 'github_discussion',
  blockType: 'github_discussion',
  title: 'Discussion with its answer and comments',
  description:
    'A discussion: its text, category, state, the accepted answer, and its comments with their replies from the first on.',
  uri: 'github://{owner}/{repo}/discussions/{discussion_number}',
  params: Type.Object(
    {
      ...repositoryParams,
      discussion_number: DiscussionNumber,
      max_comments: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100,
          default: 30,
          description: 'Comments at most, from the first on',
        }),
      ),
      max_replies: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100,
          default: 20,
          description: 'Replies to each comment at most, from the first on',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    ...discussionFields,
    body: Type.String(),
    answer: Type.Union([DiscussionComment, Type.Null()], {
      description: 'Also where it is not among `comments`',
    }),
    answer_chosen_at: Nullable(Type.String()),
    answer_chosen_by: Nullable(Type.String()),
    comments: Type.Array(DiscussionComment, { description: 'Each followed by its replies' }),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', discussion_number: 90 },
  cache: { freshFor: 60, staleFor: 300, keepFor: 86_400 },
  tags: ({ owner, repo, discussion_number }) => [discussionTag(owner, repo, discussion_number)],
  async fetch(params, { github }) {
    const { owner, repo, discussion_number, max_comments = 30, max_replies = 20 } = params
    const data = await github.graphql<Data>(QUERY, {
      owner,
      repo,
      number: discussion_number,
      first: Math.max(1, max_comments),
      some: max_comments > 0,
      ...replyVariables(max_replies),
    })
    const { discussion } = data.repository
    const { repository, visibility } = repositoryIn(data.repository)
    const threads = threadsOf(entriesOf(discussion.comments))
    const ref: DiscussionRef = { ...repository, discussion_number: discussion.number }
    return {
      repository,
      visibility,
      said: [{ ...repository, visibility }],
      omitted: notFetched(discussion, threads, ref, max_replies),
      blocks: [draftOf(discussion, threads, ref, max_replies)],
    }
  },
})

function notFetched(
  { comments, total }: Answered,
  threads: readonly Thread[],
  ref: DiscussionRef,
  max_replies: number,
): Omission[] {
  const rest = Math.max(0, total.totalCount - threads.length)
  const window = { after: comments?.pageInfo.endCursor ?? undefined, limit: rest, max_replies }
  return [
    ...threads.flatMap((thread) => missingReplies(thread, ref, 'max_replies')),
    ...(rest > 0 ? [commentsOmission(ref, window, rest, 'max_comments')] : []),
  ]
}

function draftOf(
  discussion: Answered,
  threads: readonly Thread[],
  ref: DiscussionRef,
  maxReplies: number,
) {
  const by = writerOf(discussion)
  const name = `${ref.owner}/${ref.repo}#${discussion.number}`
  const body: Piece = {
    part: 'body',
    text: discussion.body.trim() || '(no text)',
    by,
    rank: 0,
  }
  const comments = piecesOf(threads)
  const shown = comments.find(({ comment }) => comment.is_answer)
  const elsewhere = shown ? undefined : answerPiece(discussion)
  const answer: Piece | undefined = shown ?? elsewhere
  return {
    id: `github_discussion:${name}`,
    title: discussion.title,
    url: discussion.url,
    head: lines(`# Discussion ${name}`, discussion.url, discussionFacts(discussion)),
    by,
    pieces: [body, ...(elsewhere ? [elsewhere] : []), ...comments],
    fields(kept: readonly Kept[]) {
      const text = kept.find(({ piece }) => piece === body)?.text ?? ''
      const keptAnswer = kept.find(({ piece }) => piece === answer)
      return {
        ...discussionFieldsOf(discussion),
        body: discussion.body.trim() ? text : '',
        answer: keptAnswer ? keptComment(keptAnswer) : null,
        answer_chosen_at: discussion.answerChosenAt,
        answer_chosen_by: answer ? loginOf(discussion.answerChosenBy) : null,
        comments: kept
          .filter(({ piece }) => piece !== body && piece !== elsewhere)
          .map(keptComment),
      }
    },
    omit(dropped: readonly Piece[], cut: readonly Piece[], reason: FitReason): Omission[] {
      const lost = new Set([...dropped, ...cut])
      const alone = { ...ref, max_comments: 0 }
      const next = { context_type: 'github_discussion', params: alone }
      return [
        ...(lost.has(body) ? [{ what: 'body', count: 1, reason, next }] : []),
        ...(elsewhere && lost.has(elsewhere) ? [{ what: 'answer', count: 1, reason, next }] : []),
        ...omittedComments(threads, lost, ref, maxReplies, reason),
      ]
    },
  }
}

/** The answer where it is not among the comments that were fetched. */
function answerPiece({ answer }: Answered) {
  if (!answer) return undefined
  const piece = pieceOf({ node: answer, after: undefined }, answer.replyTo ?? undefined, 0)
  return { ...piece, part: 'answer', heading: `## Answer\n${piece.heading}` }
}
