import { ServiceError } from '../../core/errors.ts'
import type { FetchContext } from '../../core/provider.ts'
import { issueTag } from '../common/tags.ts'
import type { IssueRef } from './comments.ts'
import { type GitHubIssue, repositoryOf } from './fields.ts'

export const ISSUE = '/repos/{owner}/{repo}/issues/{issue_number}'

/** What GitHub answers for what hangs on an issue that is elsewhere now: it redirects the issue alone. */
const NOT_HERE = new Set<ServiceError['code']>(['not_found', 'upstream_error'])

export interface IssueRead<T> {
  readonly issue: GitHubIssue
  /** Where it is now, after a rename or a transfer. */
  readonly ref: IssueRef
  readonly rest: T
}

/**
 * An issue with what hangs on it, read side by side; of one that was transferred what hangs on it is
 * read where it is now, in a second round. Where that may not be read `nothing` stands for it: the
 * engine refuses such an answer as that of any repository that is not allowed.
 * @param read with how many comments there are, where that is known already
 * @throws ServiceError as `GitHub.get`
 */
export async function readIssue<T>(
  { allowed, github }: Pick<FetchContext, 'allowed' | 'github'>,
  { issue_number, owner, repo }: IssueRef,
  read: (place: IssueRef, comments?: number) => Promise<T>,
  nothing: T,
): Promise<IssueRead<T>> {
  const asked = { owner, repo, issue_number }
  const reading = read(asked)
  // What fails while the issue itself is awaited has been heard.
  reading.catch(() => {})
  const issue = await github.get<GitHubIssue>(ISSUE, 'number', { params: asked })
  const [realOwner, realRepo] = repositoryOf(issue)
  const ref: IssueRef = { owner: realOwner, repo: realRepo, issue_number: issue.number }
  try {
    return { issue, ref, rest: await reading }
  } catch (error) {
    const isElsewhere = nameOf(ref) !== nameOf(asked)
    if (!(error instanceof ServiceError) || !isElsewhere || !NOT_HERE.has(error.code)) throw error
    return { issue, ref, rest: allowed(ref) ? await read(ref, issue.comments) : nothing }
  }
}

/** Of where it is now: what is told of it there is told of this answer. */
export const tagOf = ({ issue_number, owner, repo }: IssueRef) =>
  issueTag(owner.toLowerCase(), repo.toLowerCase(), issue_number)

const nameOf = ({ issue_number, owner, repo }: IssueRef) =>
  `${owner}/${repo}#${issue_number}`.toLowerCase()
