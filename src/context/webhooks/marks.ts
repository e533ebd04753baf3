import {
  branchTag,
  checksTag,
  discussionsTag,
  discussionTag,
  issuesTag,
  issueTag,
  ownerAccessTag,
  pullChecksTag,
  pullsTag,
  pullTag,
  refsTag,
  releasesTag,
  repositoryAccessTag,
  repositoryTag,
  runsTag,
} from '../common/tags.ts'
import {
  accountsOf,
  branchesOf,
  type Checked,
  namesOf,
  numberOf,
  type Payload,
  pullsOf,
  type RepositoryName,
  repositoryOf,
  textsOf,
} from './payload.ts'

/** What an event makes stale, and what it takes away; both as tags. */
export interface Marks {
  readonly changed: readonly string[]
  readonly revoked: readonly string[]
}

type Rule = (payload: Payload, at: RepositoryName) => Marks

const changed = (...tags: string[]): Marks => ({ changed: tags, revoked: [] })
const revoked = (...tags: string[]): Marks => ({ changed: [], revoked: tags })

/** Actions after which something may not be shown again, not even while GitHub fails. */
const GONE = new Set<unknown>(['deleted', 'transferred'])
/** Actions that change the count of open issues and pull requests, which a repository shows. */
const COUNTED = new Set<unknown>(['opened', 'closed', 'reopened', 'deleted', 'transferred'])
const HIDDEN = new Set<unknown>(['renamed', 'transferred', 'privatized', 'deleted'])

const checks =
  (checkedOf: (payload: Payload) => readonly (Checked | undefined)[]): Rule =>
  (payload, at) => {
    const checked = checkedOf(payload)
    const refs = textsOf(...checked.flatMap((one) => [one?.head_sha, one?.head_branch]))
    return changed(
      ...refs.map((ref) => checksTag(...at, ref)),
      ...pullsOf(checked, at).map((number) => pullChecksTag(...at, number)),
    )
  }

/** A run of GitHub Actions, and the checks that its jobs are. */
const runs =
  (checkedOf: (payload: Payload) => readonly (Checked | undefined)[]): Rule =>
  (payload, at) => {
    const { changed: tags } = checks(checkedOf)(payload, at)
    return changed(runsTag(...at), ...tags)
  }

/** A pull request is an issue too, by the same number. */
const pull: Rule = ({ action, pull_request }, at) => {
  const number = numberOf(pull_request)
  return changed(
    ...(number === undefined ? [] : [pullTag(...at, number), issueTag(...at, number)]),
    pullsTag(...at),
    issuesTag(...at),
    ...(COUNTED.has(action) ? [repositoryTag(...at)] : []),
  )
}

const issue: Rule = ({ action, issue }, at) => {
  const number = numberOf(issue)
  const tags = number === undefined ? [] : [issueTag(...at, number)]
  const gone = GONE.has(action)
  return {
    changed: [
      ...(gone ? [] : tags),
      issuesTag(...at),
      ...(COUNTED.has(action) ? [repositoryTag(...at)] : []),
    ],
    revoked: gone ? tags : [],
  }
}

const comment: Rule = ({ issue }, at) => {
  const number = numberOf(issue)
  if (number === undefined) return changed(issuesTag(...at))
  const tags = [issueTag(...at, number), issuesTag(...at)]
  return issue?.pull_request
    ? changed(...tags, pullTag(...at, number), pullsTag(...at))
    : changed(...tags)
}

/** Parent and child may lie in two repositories. */
const subIssue: Rule = ({ parent_issue, parent_issue_repo, sub_issue, sub_issue_repo }, at) => {
  const ends = [
    [parent_issue, repositoryOf(parent_issue_repo) ?? at],
    [sub_issue, repositoryOf(sub_issue_repo) ?? at],
  ] as const
  const tags = ends.flatMap(([end, where]) => {
    const number = numberOf(end)
    return number === undefined ? [] : [issueTag(...where, number), issuesTag(...where)]
  })
  return changed(...new Set(tags))
}

const discussion: Rule = ({ action, discussion }, at) => {
  const number = numberOf(discussion)
  const tags = number === undefined ? [] : [discussionTag(...at, number)]
  const lists = discussionsTag(...at)
  return GONE.has(action) ? { changed: [lists], revoked: tags } : changed(...tags, lists)
}

const repository: Rule = (payload, at) => {
  const { action } = payload
  if (HIDDEN.has(action))
    return revoked(...namesOf(payload, at).map((name) => repositoryAccessTag(...name)))
  if (action === 'publicized') return changed(repositoryAccessTag(...at))
  // The default branch may be another one.
  return changed(repositoryTag(...at), ...(action === 'edited' ? [refsTag(...at)] : []))
}

const refs: Rule = (_payload, at) => changed(refsTag(...at))

/** The branch that a full ref names, if it is one. */
const branchesIn = (ref: unknown) =>
  textsOf(ref).flatMap((name) => /^refs\/heads\/(.+)$/s.exec(name)?.[1] ?? [])

/** Events of one repository (docs.github.com/webhooks/webhook-events-and-payloads). */
const OF_REPOSITORY: Readonly<Record<string, Rule>> = {
  // A repository shows when it was last pushed to.
  push: ({ ref }, at) =>
    changed(
      refsTag(...at),
      repositoryTag(...at),
      ...branchesIn(ref).map((branch) => branchTag(...at, branch)),
    ),
  create: refs,
  delete: refs,
  issues: issue,
  issue_comment: comment,
  sub_issues: subIssue,
  pull_request: pull,
  pull_request_review: ({ pull_request }, at) => pull({ pull_request }, at),
  pull_request_review_comment: ({ pull_request }, at) => pull({ pull_request }, at),
  pull_request_review_thread: ({ pull_request }, at) => pull({ pull_request }, at),
  check_run: checks(({ check_run }) => [check_run, check_run?.check_suite]),
  check_suite: checks(({ check_suite }) => [check_suite]),
  workflow_run: runs(({ workflow_run }) => [workflow_run]),
  workflow_job: runs(({ workflow_job }) => [workflow_job]),
  status: (payload, at) =>
    changed(...textsOf(payload.sha, ...branchesOf(payload)).map((ref) => checksTag(...at, ref))),
  release: (_payload, at) => changed(releasesTag(...at)),
  discussion,
  discussion_comment: ({ discussion: about }, at) => discussion({ discussion: about ?? {} }, at),
  repository,
  public: (_payload, at) => changed(repositoryAccessTag(...at)),
}

/** Events that change who may see what of an account. */
const OF_ACCOUNT = new Set([
  'installation',
  'installation_repositories',
  'installation_target',
  'member',
  'membership',
  'organization',
  'team',
  'team_add',
])

/** Events that are acted upon. */
export const KNOWN_EVENTS: ReadonlySet<string> = new Set([
  ...Object.keys(OF_REPOSITORY),
  ...OF_ACCOUNT,
])

/** What a delivery means for kept answers; undefined where the event means nothing to them. */
export function marksOf(event: string, payload: Payload): Marks | undefined {
  if (OF_ACCOUNT.has(event)) return revoked(...accountsOf(payload).map(ownerAccessTag))
  const rule = Object.hasOwn(OF_REPOSITORY, event) ? OF_REPOSITORY[event] : undefined
  const at = repositoryOf(payload.repository)
  return rule && at && rule(payload, at)
}
