import type { components } from '@octokit/openapi-types'
import { Type } from '@sinclair/typebox'
import type { Author } from '../../core/provider.ts'
import { Nullable } from '../../core/schemas.ts'
import { facts, loginOf } from '../common/render.ts'

export type GitHubIssue = components['schemas']['issue']

/** What every form of an issue tells. */
export const issueFields = {
  number: Type.Integer(),
  state: Type.String({ description: '`open` or `closed`' }),
  state_reason: Nullable(Type.String()),
  author: Type.String({ description: 'Login; `ghost` for a deleted account' }),
  author_association: Type.String({
    description: "The author's relation to the repository, as GitHub names it",
  }),
  labels: Type.Array(Type.String()),
  assignees: Type.Array(Type.String()),
  milestone: Nullable(Type.String()),
  created_at: Type.String(),
  updated_at: Type.String(),
  closed_at: Nullable(Type.String()),
  comments_count: Type.Integer(),
}

export function issueFieldsOf(issue: GitHubIssue) {
  return {
    number: issue.number,
    state: issue.state,
    state_reason: issue.state_reason ?? null,
    author: loginOf(issue.user),
    author_association: issue.author_association ?? 'NONE',
    labels: labelsOf(issue),
    assignees: (issue.assignees ?? []).map(loginOf),
    milestone: issue.milestone?.title ?? null,
    created_at: issue.created_at,
    updated_at: issue.updated_at,
    closed_at: issue.closed_at ?? null,
    comments_count: issue.comments,
  }
}

export function authorOf({ user, author_association }: GitHubIssue): Author {
  return { login: loginOf(user), association: author_association ?? 'NONE' }
}

/** `owner/repo#1`, in GitHub's own spelling of the names. */
export function issueName(issue: GitHubIssue): string {
  return `${repositoryOf(issue).join('/')}#${issue.number}`
}

/** Owner and name of the issue's repository as GitHub spells them, also after a rename. */
export function repositoryOf(
  issue: Pick<GitHubIssue, 'repository_url'>,
): [owner: string, repo: string] {
  const [owner = '', repo = ''] = issue.repository_url.split('/').slice(-2)
  return [owner, repo]
}

export function issueFacts(issue: GitHubIssue): string {
  const fields = issueFieldsOf(issue)
  return facts({
    State: fields.state_reason ? `${fields.state} (${fields.state_reason})` : fields.state,
    Author: `${fields.author} (${fields.author_association.toLowerCase()})`,
    Created: fields.created_at,
    Closed: fields.closed_at,
    Labels: fields.labels.join(', '),
    Assignees: fields.assignees.join(', '),
    Milestone: fields.milestone,
    Comments: fields.comments_count,
  })
}

/** Labels come as objects, and from old Enterprise servers as strings. */
function labelsOf(issue: GitHubIssue): string[] {
  return issue.labels.flatMap((label) => (typeof label === 'string' ? label : (label.name ?? [])))
}
