import type { Invalidations } from '../../cache/invalidations.ts'
import { type CallAnswer, noteAnswer } from '../../core/meter.ts'
import type { CredentialFor } from '../../github/credentialFor.ts'
import type { WriteGitHub } from '../../github/write.ts'
import type { Caller } from '../caller.ts'
import { issuesTag, issueTag, pullTag, repositoryTag } from '../common/tags.ts'
import type { AllowedRepos } from '../request/allowlist.ts'

export interface NewIssue {
  readonly owner: string
  readonly repo: string
  readonly title: string
  readonly body?: string | undefined
  readonly labels?: readonly string[] | undefined
  readonly assignees?: readonly string[] | undefined
}

export interface NewComment {
  readonly owner: string
  readonly repo: string
  readonly issue_number: number
  readonly body: string
}

/** What was made. */
export interface Made {
  /** Of the issue. */
  readonly number: number
  readonly url: string
}

/** Changes issues on GitHub, in the caller's name, where the allowlist lets it. */
export interface IssueWrites {
  /** @throws ServiceError `forbidden`, else as `WriteGitHub` */
  createIssue(issue: NewIssue, caller: Caller): Promise<Made>
  /** To an issue or pull request. @throws ServiceError as `createIssue` */
  addComment(comment: NewComment, caller: Caller): Promise<Made>
}

export interface IssueWriteOptions {
  readonly allowed: AllowedRepos
  readonly credentialFor: CredentialFor
  readonly write: WriteGitHub
  readonly invalidations: Pick<Invalidations, 'mark'>
}

export function createIssueWrites(options: IssueWriteOptions): IssueWrites {
  async function post<T>(
    path: string,
    params: Readonly<Record<string, string | number>>,
    body: object,
    { callerToken, meter, signal, who }: Caller,
  ): Promise<T> {
    const owner = String(params.owner)
    const allowed = who?.policy?.allowed ?? options.allowed
    allowed.check(params)
    const own = who?.policy?.credential
    const credential = await options.credentialFor({ owner, callerToken, own })
    meter.calls += 1
    const watch = { span: meter.span, onAnswer: (said: CallAnswer) => noteAnswer(meter, said) }
    return options.write<T>({ credential, path, params, body, ...watch }, signal())
  }

  /** What was kept of it is old now, also where no webhook says so. */
  const changed = (...tags: string[]) => options.invalidations.mark('changed', tags)

  return {
    async createIssue({ owner, repo, ...issue }, caller) {
      const path = '/repos/{owner}/{repo}/issues'
      const made = await post<MadeIssue>(path, { owner, repo }, issue, caller)
      const at = [owner.toLowerCase(), repo.toLowerCase()] as const
      await changed(issuesTag(...at), repositoryTag(...at))
      return { number: made.number, url: made.html_url }
    },
    async addComment({ owner, repo, issue_number, body }, caller) {
      const path = '/repos/{owner}/{repo}/issues/{issue_number}/comments'
      const params = { owner, repo, issue_number }
      const made = await post<{ html_url: string }>(path, params, { body }, caller)
      const at = [owner.toLowerCase(), repo.toLowerCase()] as const
      // A pull request's talk is that of the issue with its number.
      await changed(issueTag(...at, issue_number), pullTag(...at, issue_number), issuesTag(...at))
      return { number: issue_number, url: made.html_url }
    },
  }
}

interface MadeIssue {
  readonly number: number
  readonly html_url: string
}
