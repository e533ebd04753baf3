import type { components } from '@octokit/openapi-types'
import { type Static, Type } from '@sinclair/typebox'
import {
  type Author,
  defineProvider,
  type FetchContext,
  type Kept,
  type Piece,
} from '../core/provider.ts'
import { oneLine } from '../core/quote.ts'
import { blockFields, Nullable, repositoryParams } from '../core/schemas.ts'
import { DELIVERED, UNTOLD } from './common/freshness.ts'
import { facts, lines, loginOf } from './common/render.ts'
import { issueTag, pullTag, repositoryTag } from './common/tags.ts'
import { authorOf, type GitHubIssue } from './issue/fields.ts'

type Schemas = components['schemas']
type IssueComment = Schemas['issue-comment']
type ReviewComment = Schemas['pull-request-review-comment']
type CommitComment = Schemas['commit-comment']
type AnyComment = IssueComment | ReviewComment | CommitComment

const Kind = Type.Union([Type.Literal('issue'), Type.Literal('review'), Type.Literal('commit')], {
  default: 'issue',
  description:
    '`issue`: on an issue or the conversation of a pull request; `review`: on lines of a pull request; `commit`',
})

interface Repository {
  readonly owner: string
  readonly repo: string
}

/** What a comment answers. */
interface Context {
  readonly tags: readonly string[]
  readonly pieces: readonly Piece[]
  readonly answers: Static<typeof Answers>
}

const Answers = Type.Object({
  kind: Type.String({ description: '`issue`, `pull_request`, `comment` or `commit`' }),
  title: Type.String(),
  url: Type.String(),
  path: Type.Optional(Type.String()),
  line: Type.Optional(Nullable(Type.Integer())),
})

export const githubComment = defineProvider({
  type: 'github_comment',
  blockType: 'github_comment',
  title: 'One comment and what it answers',
  description:
    'A comment on an issue, on lines of a pull request, or on a commit, with what it answers.',
  uri: 'github://{owner}/{repo}/comments/{comment_id}',
  pages: [
    'github://{owner}/{repo}/issues/{_}#issuecomment-{comment_id}',
    'github://{owner}/{repo}/pull/{_}#issuecomment-{comment_id}',
    ...['pull/{_}#discussion_r', 'pull/{_}/files#r', 'pull/{_}/changes#r'].map((place) => ({
      uri: `github://{owner}/{repo}/${place}{comment_id}`,
      params: { kind: 'review' },
    })),
    ...['commitcomment-', 'r'].map((start) => ({
      uri: `github://{owner}/{repo}/commit/{_}#${start}{comment_id}`,
      params: { kind: 'commit' },
    })),
  ],
  params: Type.Object(
    {
      ...repositoryParams,
      comment_id: Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "GitHub's id of the comment, as at the end of its address",
        examples: [1],
      }),
      kind: Type.Optional(Kind),
      part: Type.Optional(
        Type.String({
          pattern: '^(?:body|question|hunk)$',
          description:
            'One part alone: `body`, the comment; `question`, the text that it answers; `hunk`, the lines that it is about',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    kind: Type.String(),
    author: Type.String(),
    author_association: Type.String(),
    body: Type.String(),
    created_at: Nullable(Type.String()),
    updated_at: Nullable(Type.String()),
    answers: Answers,
  }),
  example: { owner: 'octocat', repo: 'Hello-World', comment_id: 1 },
  cache: DELIVERED,
  // Which issue or pull request it belongs to is known only from the answer.
  tags: ({ owner, repo }) => [repositoryTag(owner, repo)],
  async fetch(params, context) {
    const { owner, repo, comment_id, kind = 'issue', part: only } = params
    const path =
      kind === 'commit' ? 'comments' : kind === 'review' ? 'pulls/comments' : 'issues/comments'
    const comment = await context.github.get<AnyComment>(
      `/repos/{owner}/{repo}/${path}/{comment_id}`,
      'body',
      { params: { owner, repo, comment_id } },
    )
    const here = repositoryIn(comment) ?? { owner, repo }
    const about = await contextOf(kind, comment, here, context)
    const by = authorOfComment(comment)
    const body: Piece = {
      part: 'body',
      heading: '## The comment',
      text: comment.body?.trim() || '(no text)',
      by,
      rank: 0,
    }
    const next = (part: string) => ({
      context_type: 'github_comment',
      params: { ...params, ...here, part },
    })
    return {
      repository: here,
      tags: about.tags,
      cache: () => (kind === 'commit' ? UNTOLD : undefined),
      visibility: 'repository',
      omitted: [],
      blocks: [
        {
          id: `github_comment:${here.owner}/${here.repo}/${kind}/${comment.id}`,
          title: oneLine(about.answers.title),
          url: comment.html_url,
          head: lines(
            `# Comment by ${by.login} on ${here.owner}/${here.repo}`,
            comment.html_url,
            facts({
              Author: `${by.login} (${by.association.toLowerCase()})`,
              Created: comment.created_at,
              On: about.answers.kind.replace('_', ' '),
            }),
          ),
          by: about.pieces[0]?.by ?? 'service',
          pieces: [...about.pieces, body].filter(({ part }) => only === undefined || part === only),
          fields: (kept: readonly Kept[]) => ({
            kind,
            author: by.login,
            author_association: by.association,
            body: comment.body?.trim()
              ? (kept.find(({ piece }) => piece === body)?.text ?? '')
              : '',
            created_at: comment.created_at ?? null,
            updated_at: comment.updated_at ?? null,
            answers: about.answers,
          }),
          omit: (dropped, cut, reason) =>
            [...dropped, ...cut].map(({ part }) => ({
              what: part,
              count: 1,
              reason,
              next: next(part),
            })),
        },
      ],
    }
  },
})

function contextOf(
  kind: Static<typeof Kind>,
  comment: AnyComment,
  here: Repository,
  { github }: FetchContext,
): Promise<Context> {
  if (kind === 'commit') return ofCommit(comment as CommitComment, here, github)
  if (kind === 'review') return ofReview(comment as ReviewComment, here, github)
  return ofIssue(comment as IssueComment, here, github)
}

async function ofIssue(
  { issue_url }: IssueComment,
  here: Repository,
  github: FetchContext['github'],
): Promise<Context> {
  const issue = await github.get<GitHubIssue>(
    '/repos/{owner}/{repo}/issues/{issue_number}',
    'number',
    { params: { owner: here.owner, repo: here.repo, issue_number: lastOf(issue_url) } },
  )
  return {
    tags: [issueTag(...lowered(here), issue.number)],
    answers: {
      kind: issue.pull_request ? 'pull_request' : 'issue',
      title: issue.title,
      url: issue.html_url,
    },
    pieces: [
      {
        part: 'question',
        heading: `## ${issue.pull_request ? 'Pull request' : 'Issue'} #${issue.number}`,
        text: issue.body?.trim() || '(no description)',
        by: authorOf(issue),
        rank: 1,
      },
    ],
  }
}

async function ofReview(
  comment: ReviewComment,
  here: Repository,
  github: FetchContext['github'],
): Promise<Context> {
  const { diff_hunk, html_url, in_reply_to_id, line, path, pull_request_url } = comment
  const answered =
    in_reply_to_id === undefined
      ? undefined
      : await github.get<ReviewComment>('/repos/{owner}/{repo}/pulls/comments/{id}', 'body', {
          params: { ...here, id: in_reply_to_id },
        })
  const number = lastOf(pull_request_url)
  const hunk: Piece = {
    part: 'hunk',
    heading: `## ${oneLine(path)}`,
    text: diff_hunk,
    by: 'repository',
    marked: /^(?:[-+ @\\].*\n?)*$/.test(diff_hunk),
    rank: 1,
  }
  const replied: Piece[] = answered
    ? [
        {
          part: 'question',
          heading: `## Comment by ${loginOf(answered.user)}`,
          text: answered.body,
          by: authorOfComment(answered),
          rank: 2,
        },
      ]
    : []
  return {
    tags: [pullTag(...lowered(here), number)],
    answers: {
      kind: answered ? 'comment' : 'pull_request',
      title: `Pull request #${number}`,
      url: answered?.html_url ?? html_url.replace(/#.*$/, ''),
      path,
      line: line ?? null,
    },
    pieces: [hunk, ...replied],
  }
}

async function ofCommit(
  { commit_id, line, path }: CommitComment,
  here: Repository,
  github: FetchContext['github'],
): Promise<Context> {
  const commit = await github.get<Schemas['commit']>('/repos/{owner}/{repo}/commits/{sha}', 'sha', {
    params: { ...here, sha: commit_id },
  })
  const [title = ''] = commit.commit.message.split('\n')
  return {
    tags: [],
    answers: { kind: 'commit', title, url: commit.html_url, path: path ?? '', line: line ?? null },
    pieces: [
      {
        part: 'question',
        heading: `## Commit ${commit_id.slice(0, 12)}${path ? `, ${oneLine(path)}` : ''}`,
        text: commit.commit.message,
        by: 'repository',
        rank: 1,
      },
    ],
  }
}

function authorOfComment({ author_association, user }: AnyComment): Author {
  return { login: loginOf(user), association: author_association ?? 'NONE' }
}

/** The repository's present name, as the comment's own address has it. */
function repositoryIn({ url }: AnyComment): Repository | undefined {
  const [, owner, repo] = /\/repos\/([^/]+)\/([^/]+)\//.exec(url) ?? []
  return owner && repo ? { owner, repo } : undefined
}

const lowered = ({ owner, repo }: Repository) => [owner.toLowerCase(), repo.toLowerCase()] as const

function lastOf(url: string): number {
  return Number(url.slice(url.lastIndexOf('/') + 1))
}
