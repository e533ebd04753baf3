import { Type } from '@sinclair/typebox'
import { defineProvider, type FitReason, type Kept, type Piece } from '../core/provider.ts'
import { blockFields, IssueNumber, type Omission, repositoryParams } from '../core/schemas.ts'
import {
  Comment,
  commentPieces,
  commentsOmission,
  type GitHubComment,
  type IssueRef,
  keptComments,
  omittedComments,
} from './comments.ts'
import {
  authorOf,
  type GitHubIssue,
  issueFacts,
  issueFields,
  issueFieldsOf,
  issueName,
  repositoryOf,
} from './issueFields.ts'
import { lines } from './render.ts'
import { issueTag } from './tags.ts'

const SUMMARISED = 3

export const githubIssue = defineProvider({
  type: 'github_issue',
  blockType: 'github_issue',
  title: 'Issue with its comments',
  description: 'An issue: its text, state, labels, people, and its comments from the first on.',
  uri: 'github://{owner}/{repo}/issues/{issue_number}',
  params: Type.Object(
    {
      ...repositoryParams,
      issue_number: IssueNumber,
      max_comments: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 1_000,
          default: 30,
          description: 'Comments at most, from the first on',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    ...issueFields,
    body: Type.String(),
    comments: Type.Array(Comment),
    comments_summary: Type.Array(Type.String(), {
      description: 'The first three, `Comment by LOGIN: BODY`',
    }),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', issue_number: 1347 },
  cache: { freshFor: 60, staleFor: 300, keepFor: 86_400 },
  tags: ({ owner, repo, issue_number }) => [issueTag(owner, repo, issue_number)],
  async fetch({ owner, repo, issue_number, max_comments = 30 }, { github }) {
    const path = '/repos/{owner}/{repo}/issues/{issue_number}'
    const params = { owner, repo, issue_number }
    const [issue, comments] = await Promise.all([
      github.get<GitHubIssue>(path, 'number', { params }),
      max_comments === 0
        ? { items: [], more: false }
        : github.list<GitHubComment>(`${path}/comments`, { params, limit: max_comments }),
    ])
    const [realOwner, realRepo] = repositoryOf(issue)
    const ref: IssueRef = { owner: realOwner, repo: realRepo, issue_number: issue.number }
    const missing = Math.max(0, issue.comments - comments.items.length)
    return {
      repository: { owner: realOwner, repo: realRepo },
      visibility: 'private',
      omitted: missing > 0 ? [theRest(ref, comments.items.length, missing)] : [],
      blocks: [draftOf(issue, comments.items, ref)],
    }
  },
})

function theRest(issue: IssueRef, offset: number, count: number): Omission {
  return commentsOmission(issue, { offset, limit: Math.min(count, 1_000) }, count, 'max_comments')
}

function draftOf(issue: GitHubIssue, comments: readonly GitHubComment[], ref: IssueRef) {
  const by = authorOf(issue)
  const body: Piece = { part: 'body', text: issue.body?.trim() || '(no description)', by, rank: 0 }
  return {
    id: `github_issue:${issueName(issue)}`,
    title: issue.title,
    url: issue.html_url,
    head: lines(`# Issue ${issueName(issue)}`, issue.html_url, issueFacts(issue)),
    by,
    pieces: [body, ...commentPieces(comments, 0)],
    fields(kept: readonly Kept[]) {
      const shown = keptComments(kept)
      const text = kept.find(({ piece }) => piece === body)?.text ?? ''
      return {
        ...issueFieldsOf(issue),
        body: issue.body?.trim() ? text : '',
        comments: shown,
        comments_summary: shown
          .slice(0, SUMMARISED)
          .map((comment) => `Comment by ${comment.author}: ${comment.body}`),
      }
    },
    omit(dropped: readonly Piece[], cut: readonly Piece[], reason: FitReason): Omission[] {
      const lost = [...dropped, ...cut]
      const whole: Omission = {
        what: 'body',
        count: 1,
        reason,
        next: { context_type: 'github_issue', params: { ...ref, max_comments: 0 } },
      }
      return [...(lost.includes(body) ? [whole] : []), ...omittedComments(lost, ref, reason)]
    },
  }
}
