import { Type } from '@sinclair/typebox'
import { defineProvider } from '../core/provider.ts'
import { blockFields, IssueNumber, repositoryParams } from '../core/schemas.ts'
import { DELIVERED } from './common/freshness.ts'
import { lines } from './common/render.ts'
import { issueTag } from './common/tags.ts'
import {
  Comment,
  commentPieces,
  commentsOmission,
  type GitHubComment,
  keptComments,
  omittedComments,
  pickComment,
} from './issue/comments.ts'
import { authorOf, issueName } from './issue/fields.ts'
import { ISSUE, readIssue, tagOf } from './issue/moved.ts'

export const githubIssueComments = defineProvider({
  type: 'github_issue_comments',
  blockType: 'github_issue_comments',
  title: "A window of an issue's comments",
  description: 'Comments of an issue or pull request, any window of them, oldest first.',
  uri: 'github://{owner}/{repo}/issues/{issue_number}/comments',
  params: Type.Object(
    {
      ...repositoryParams,
      issue_number: IssueNumber,
      offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100_000,
          default: 0,
          description: 'Comments to skip, from the first on',
        }),
      ),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 1_000, default: 30, description: 'Comments at most' }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    offset: Type.Integer({ description: 'Comments before the first of this window' }),
    total: Type.Integer({ description: 'Comments that the issue has' }),
    comments: Type.Array(Comment),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', issue_number: 1347, limit: 10 },
  cache: DELIVERED,
  tags: ({ owner, repo, issue_number }) => [issueTag(owner, repo, issue_number)],
  async fetch({ owner, repo, issue_number, offset = 0, limit = 30 }, context) {
    const {
      issue,
      ref,
      rest: comments,
    } = await readIssue(
      context,
      { owner, repo, issue_number },
      (place) =>
        context.github.list<GitHubComment>(`${ISSUE}/comments`, {
          params: { ...place },
          offset,
          limit,
          pick: pickComment,
        }),
      { items: [], more: false },
    )
    const end = offset + comments.items.length
    // What was read at the same time may know of one more.
    const total = Math.max(issue.comments, comments.items.length > 0 ? end : 0)
    const rest = total - Math.min(total, end)
    const window = { offset: end, limit: Math.min(rest, limit) }
    const shown = end > offset ? `Comments ${offset + 1}–${end}` : 'No comments'
    return {
      repository: { owner: ref.owner, repo: ref.repo },
      visibility: 'repository',
      tags: [tagOf(ref)],
      omitted: rest > 0 && end > offset ? [commentsOmission(ref, window, rest, 'limit')] : [],
      blocks: [
        {
          id: `github_issue_comments:${issueName(issue)}@${offset}+${comments.items.length}`,
          title: issue.title,
          url: issue.html_url,
          head: lines(`# ${shown} of ${total} on ${issueName(issue)}`, issue.html_url),
          by: authorOf(issue),
          pieces: commentPieces(comments.items, offset),
          fields: (kept) => ({ offset, total, comments: keptComments(kept) }),
          omit: (dropped, cut, reason) => omittedComments([...dropped, ...cut], ref, reason),
        },
      ],
    }
  },
})
