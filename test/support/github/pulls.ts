/** Builders for pull requests and their reviews, and how the API words them. */
import { profileOf } from './accounts.ts'
import { commitBody, commitNamed, compareCommits, filesBetween, headShaOf } from './commits.ts'
import { addIssue, type IssueOptions, userOf } from './content.ts'
import { commitFiles } from './files.ts'
import { writeCommit } from './git.ts'
import { documented } from './recordings.ts'
import type { Body, Issue, Repository, ReviewCommentBody, UserBody, World } from './types.ts'
import type { FileBody, Pull, ReviewBody } from './work-types.ts'
import { nextId, nodeId, type RepositoryRef, repositoryOf, timestamp, touch } from './world.ts'

const PULL = '/repos/{owner}/{repo}/pulls/{pull_number}'

export interface PullOptions extends Omit<IssueOptions, 'pull_request'> {
  /** The branch that it comes from; one of its own, with one commit, unless given. */
  head?: string
  /** The branch that it goes to; the default branch unless given. */
  base?: string
  /** The fork that it comes from; null for one that is gone. */
  fork?: Repository | null
  draft?: boolean
  /** Fields of the body: `mergeable`, `mergeable_state`, `changed_files` … */
  own?: Body
  /** What becomes of `mergeable: null` after somebody has asked. */
  computes?: Body
  files?: FileBody[]
}

/** Commits are what git says: a head branch that is not there yet gets one commit without files. */
export function addPull(world: World, ref: RepositoryRef, options: PullOptions = {}): Pull {
  const repository = repositoryOf(world, ref)
  const {
    head,
    base,
    fork,
    draft = false,
    own = {},
    computes,
    files,
    closes = [],
    ...issue
  } = options
  const added = addIssue(world, repository, { ...issue, pull_request: true })
  const number = added.body.number
  const baseRef = base ?? String(repository.body.default_branch)
  const baseSha = branchSha(repository, baseRef, added)
  const headRef = head ?? `topic-${number}`
  const headSha =
    fork === undefined
      ? branchSha(repository, headRef, added, baseRef)
      : (commitNamed(fork ?? repository, headRef)?.sha ?? loneCommit(repository, added, baseSha))
  if (fork) copyCommits(fork, repository)
  const pull: Pull = {
    issue: added,
    own: { draft, ...own },
    base: { ref: baseRef, sha: baseSha },
    head: {
      ref: headRef,
      sha: headSha,
      login: (fork ?? repository).body.owner.login,
      repository: fork === undefined ? repository : fork,
    },
    reviews: [],
    ...(files && { files }),
    ...(computes && { computes }),
  }
  if (fork === null) pull.head.login = 'somebody'
  repository.work.pulls.set(number, pull)
  touch(world)
  return pull
}

function branchSha(repository: Repository, branch: string, { body }: Issue, from?: string): string {
  const known = repository.git.branches.get(branch)
  if (known) return known
  const message = from ? `Work on ${body.title}` : 'Begin'
  const options = { branch, date: body.created_at, message, ...(from && { from }) }
  return commitFiles(repository, {}, options).sha
}

/** A commit that no branch of the repository leads to, as those of forks. */
function loneCommit({ git }: Repository, { body }: Issue, parent: string): string {
  const { tree = '' } = git.commits.get(parent) ?? {}
  const author = { name: 'somebody', email: 'somebody@example.com', date: body.created_at }
  return writeCommit(git, { tree, parents: [parent], author, message: `Work on ${body.title}` }).sha
}

/** A fork's objects are the repository's too, as on GitHub. */
function copyCommits({ git: from }: Repository, { git: to }: Repository): void {
  for (const [sha, blob] of from.blobs) to.blobs.set(sha, blob)
  for (const [sha, tree] of from.trees) to.trees.set(sha, tree)
  for (const [sha, commit] of from.commits) to.commits.set(sha, commit)
}

/** Changes of its own fields; those of an issue are changed by `updateIssue(world, pull.issue, …)`. */
export function updatePull(world: World, pull: Pull, own: Body): void {
  pull.own = { ...pull.own, ...own }
  touch(world)
}

/** Merged now, which closes it. */
export function mergePull(world: World, pull: Pull, by: string): void {
  const now = timestamp(world.now())
  pull.head.sha = headShaOf(pull.issue.repository, pull.issue.body.number) ?? pull.head.sha
  pull.own = { ...pull.own, merged: true, merged_at: now, merged_by: profileOf(world, by) }
  const marker = pull.issue.body.pull_request as Body
  pull.issue.body = Object.freeze({
    ...pull.issue.body,
    state: 'closed',
    closed_at: now,
    updated_at: now,
    pull_request: { ...marker, merged_at: now },
  })
  touch(world)
}

export interface FileOptions {
  filename: string
  status?: string
  additions?: number
  deletions?: number
  patch?: string
  previous_filename?: string
  sha?: string
}

/** A changed file; its counts are the patch's unless given. Without a patch it is binary or too large to show. */
export function fileBody(options: FileOptions): FileBody {
  const { filename, patch, status = 'modified', previous_filename, sha } = options
  const count = (mark: RegExp) => patch?.match(mark)?.length ?? 0
  const { additions = count(/^\+/gm), deletions = count(/^-/gm) } = options
  const ref = sha ?? 'bbcd538c8e72b8c175046e27cc8f907076331401'
  return Object.freeze({
    sha: ref,
    filename,
    status,
    additions,
    deletions,
    changes: additions + deletions,
    blob_url: `https://github.com/octocat/Hello-World/blob/${ref}/${encodeURI(filename)}`,
    raw_url: `https://github.com/octocat/Hello-World/raw/${ref}/${encodeURI(filename)}`,
    contents_url: `https://api.github.com/repos/octocat/Hello-World/contents/${encodeURI(filename)}?ref=${ref}`,
    ...(patch !== undefined && { patch }),
    ...(previous_filename !== undefined && { previous_filename }),
  })
}

export interface ReviewOptions {
  user?: string | UserBody | null
  /** `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED`, `PENDING`. */
  state?: string
  body?: string
  [field: string]: unknown
}

export function addReview(world: World, pull: Pull, options: ReviewOptions = {}): ReviewBody {
  const { user, ...overrides } = options
  const { head, issue } = pull
  const [example] = documented('GET', `${PULL}/reviews`) as Body[]
  const id = nextId(world)
  const text = JSON.stringify(example)
    .replaceAll('octocat/Hello-World', issue.repository.body.full_name)
    .replaceAll(/\/(pulls?)\/\d+(?=["#])/g, `/$1/${issue.body.number}`)
    .replaceAll('pullrequestreview-80', `pullrequestreview-${id}`)
  const body: ReviewBody = Object.freeze({
    ...JSON.parse(text),
    id,
    node_id: nodeId('PullRequestReview', id),
    commit_id: head.sha,
    submitted_at: timestamp(world.now()),
    ...(user !== undefined && { user: userOf(world, user) }),
    ...overrides,
  })
  pull.reviews.push(body)
  touch(world)
  return body
}

/** Comments on lines, of all threads, oldest first. */
export function reviewCommentsOf({ issue }: Pull): ReviewCommentBody[] {
  return issue.threads
    .flatMap(({ comments }) => comments.map(({ body }) => body))
    .sort((a, b) => a.id - b.id)
}

/** Its files, whether git says so or a test. */
export function filesOfPull({ files, base, issue }: Pull): FileBody[] {
  if (files) return files
  const { repository } = issue
  const head = headShaOf(repository, issue.body.number) ?? ''
  return filesBetween(repository, compareCommits(repository, base.sha, head), head)
}

/** Its commits as lists show them, oldest first. */
export function commitsOfPull(world: World, { commits, base, issue }: Pull): Body[] {
  if (commits) return commits
  const { repository } = issue
  const head = headShaOf(repository, issue.body.number) ?? ''
  const { ahead } = compareCommits(repository, base.sha, head)
  return ahead.map((commit) => commitBody(world, repository, commit))
}

/** Fields that lists leave out. */
const COUNTED = [
  'merged',
  'mergeable',
  'rebaseable',
  'mergeable_state',
  'merged_by',
  'comments',
  'review_comments',
  'maintainer_can_modify',
  'commits',
  'additions',
  'deletions',
  'changed_files',
]

/** The whole body, as for one pull request alone. */
export function pullBody(world: World, pull: Pull): Body {
  const { issue, own } = pull
  const files = filesOfPull(pull)
  const sum = (key: 'additions' | 'deletions') => files.reduce((all, file) => all + file[key], 0)
  return {
    ...pullFacts(pull),
    merged: false,
    mergeable: true,
    rebaseable: true,
    mergeable_state: 'clean',
    merged_by: null,
    comments: issue.comments.length,
    review_comments: reviewCommentsOf(pull).length,
    maintainer_can_modify: false,
    commits: commitsOfPull(world, pull).length,
    additions: sum('additions'),
    deletions: sum('deletions'),
    changed_files: files.length,
    ...own,
  }
}

/** As lists show it. */
export function pullListed(pull: Pull): Body {
  const shown = { ...pullFacts(pull), ...pull.own }
  return Object.fromEntries(Object.entries(shown).filter(([key]) => !COUNTED.includes(key)))
}

let template: string | undefined

function pullFacts(pull: Pull): Body {
  template ??= JSON.stringify((documented('GET', '/repos/{owner}/{repo}/pulls') as Body[])[0])
  const { body, repository } = pull.issue
  const { number } = body
  const sha = headShaOf(repository, number) ?? pull.head.sha
  const text = template
    .replaceAll('octocat/Hello-World', repository.body.full_name)
    .replaceAll('/1347', `/${number}`)
    .replaceAll('6dcb09b5b57875f334f61aebed695e2e4193db5e', sha)
  const made = JSON.parse(text) as Body
  const { title, state, locked, user, labels, milestone, assignee, assignees } = body
  const merged = pull.own.merged_at ?? null
  return {
    ...made,
    id: Number(body.id) + 1,
    node_id: nodeId('PullRequest', body.id),
    number,
    state,
    locked,
    title,
    user,
    body: body.body,
    labels,
    milestone,
    active_lock_reason: body.active_lock_reason ?? null,
    created_at: body.created_at,
    updated_at: body.updated_at,
    closed_at: body.closed_at ?? null,
    merged_at: merged,
    merge_commit_sha: sha,
    assignee,
    assignees,
    requested_reviewers: [],
    requested_teams: [],
    head: endOf(pull.head.repository, pull.head.login, pull.head.ref, sha),
    base: endOf(repository, repository.body.owner.login, pull.base.ref, pull.base.sha),
    author_association: body.author_association,
    auto_merge: null,
  }
}

function endOf(repository: Repository | null, login: string, ref: string, sha: string): Body {
  const user = repository?.body.owner ?? null
  return { label: `${login}:${ref}`, ref, sha, user, repo: repository?.body ?? null }
}
