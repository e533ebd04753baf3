import type { components } from '@octokit/openapi-types'
import { Type } from '@sinclair/typebox'
import type { Answer, Author, RepositoryWord } from '../../core/provider.ts'
import { IssueNumber, Nullable } from '../../core/schemas.ts'
import { facts, lines, loginOf } from '../common/render.ts'

export type GitHubPull = components['schemas']['pull-request']
export type ListedPull = components['schemas']['pull-request-simple']

export const PullNumber = Type.Integer({
  ...IssueNumber,
  description: 'Number of the pull request (a numeric string is accepted)',
})

/** What every form of a pull request tells. */
export const pullFields = {
  number: Type.Integer(),
  state: Type.String({ description: '`open`, `closed` or `merged`' }),
  draft: Type.Boolean(),
  author: Type.String({ description: 'Login; `ghost` for a deleted account' }),
  author_association: Type.String({
    description: "The author's relation to the repository, as GitHub names it",
  }),
  labels: Type.Array(Type.String()),
  assignees: Type.Array(Type.String()),
  reviewers: Type.Array(Type.String(), {
    description: 'People and teams that are asked for a review and have not given it',
  }),
  milestone: Nullable(Type.String()),
  base: Type.String({ description: 'The branch that it goes to' }),
  base_sha: Type.String(),
  head: Type.String({ description: 'The branch that it comes from' }),
  head_sha: Type.String(),
  head_repository: Nullable(
    Type.String({ description: 'Where that branch is; null when the fork is gone' }),
  ),
  created_at: Type.String(),
  updated_at: Type.String(),
  closed_at: Nullable(Type.String()),
  merged_at: Nullable(Type.String()),
}

export function pullFieldsOf(pull: GitHubPull | ListedPull) {
  return {
    number: pull.number,
    state: pull.merged_at ? 'merged' : pull.state,
    draft: pull.draft ?? false,
    author: loginOf(pull.user),
    author_association: pull.author_association ?? 'NONE',
    labels: pull.labels.map(({ name }) => name),
    assignees: (pull.assignees ?? []).map(loginOf),
    reviewers: [
      ...(pull.requested_reviewers ?? []).map(loginOf),
      ...(pull.requested_teams ?? []).map(({ slug }) => slug),
    ],
    milestone: pull.milestone?.title ?? null,
    base: pull.base.ref,
    base_sha: pull.base.sha,
    head: pull.head.ref,
    head_sha: pull.head.sha,
    head_repository: headRepository(pull),
    created_at: pull.created_at,
    updated_at: pull.updated_at,
    closed_at: pull.closed_at ?? null,
    merged_at: pull.merged_at ?? null,
  }
}

/** GitHub's description says that it is always there; for deleted forks it is null. */
function headRepository({ head }: GitHubPull | ListedPull): string | null {
  const repository: { readonly full_name: string } | null = head.repo
  return repository?.full_name ?? null
}

export function pullAuthor({ author_association, user }: GitHubPull | ListedPull): Author {
  return { login: loginOf(user), association: author_association ?? 'NONE' }
}

/** Owner and name of the repository that it goes to, as GitHub spells them, also after a rename. */
export function pullRepository({ base }: GitHubPull | ListedPull): {
  owner: string
  repo: string
} {
  return { owner: base.repo.owner.login, repo: base.repo.name }
}

export function pullVisibility(pull: GitHubPull | ListedPull): Answer['visibility'] {
  return isPublic(pull) ? 'public' : 'private'
}

const isPublic = ({ base }: GitHubPull | ListedPull) => base.repo.private === false

/** What it says of the repository that it goes to. */
export const pullWord = (pull: GitHubPull | ListedPull): RepositoryWord => ({
  ...pullRepository(pull),
  visibility: isPublic(pull) ? 'public' : 'private',
})

/** `owner/repo#1` */
export function pullName(pull: GitHubPull | ListedPull): string {
  const { owner, repo } = pullRepository(pull)
  return `${owner}/${repo}#${pull.number}`
}

export function pullFacts(pull: GitHubPull | ListedPull): string {
  const fields = pullFieldsOf(pull)
  return lines(
    facts({
      State: fields.draft && fields.state === 'open' ? 'open (draft)' : fields.state,
      Author: `${fields.author} (${fields.author_association.toLowerCase()})`,
      Created: fields.created_at,
      Merged: fields.merged_at,
      Closed: !fields.merged_at && fields.closed_at,
    }),
    facts({
      Branches: `${headName(pull)} → ${fields.base}`,
      Labels: fields.labels.join(', '),
      Assignees: fields.assignees.join(', '),
      'Review asked of': fields.reviewers.join(', '),
      Milestone: fields.milestone,
    }),
  )
}

/** The branch, with its owner where that is another's. */
function headName({ base, head }: GitHubPull | ListedPull): string {
  const repository = headRepository({ base, head } as ListedPull)
  if (repository === null) return `${head.ref} (of a repository that is gone)`
  return repository === base.repo.full_name ? head.ref : `${repository}:${head.ref}`
}
