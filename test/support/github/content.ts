/** Builders for scale: each clones a recorded body and changes names, numbers, ids and texts consistently. */
import { profileOf } from './accounts.ts'
import { documented, recordedScenarios } from './recordings.ts'
import type {
  Comment,
  CommentBody,
  Issue,
  IssueBody,
  LabelBody,
  Repository,
  RepositoryBody,
  UserBody,
  World,
} from './types.ts'
import {
  nextId,
  nodeId,
  type RepositoryRef,
  registerIssue,
  registerRepository,
  repositoryOf,
  timestamp,
  touch,
} from './world.ts'

/** Fields not named here may be given too: they end up in the body as they are. */
export interface RepositoryOptions {
  owner: string
  name: string
  id?: number
  private?: boolean
  /** Logins that may read it although it is private. */
  readers?: readonly string[]
  [field: string]: unknown
}
export interface IssueOptions {
  number?: number
  id?: number
  title?: string
  body?: string | null
  state?: 'open' | 'closed'
  created_at?: string
  updated_at?: string
  /** A login, a whole user, or null for a deleted account. */
  user?: string | UserBody | null
  labels?: readonly (string | LabelBody)[]
  /** `true` makes it a pull request. */
  pull_request?: unknown
  [field: string]: unknown
}
export interface CommentOptions {
  id?: number
  body?: string
  created_at?: string
  updated_at?: string
  user?: string | UserBody | null
  [field: string]: unknown
}

interface Templates {
  repository: string
  issue: string
  comment: string
}
let cloned: Templates | undefined

function templates(): Templates {
  if (cloned) return cloned
  const requests = recordedScenarios().flat()
  const repository = requests.find((request) => request.path.endsWith('/hello-world'))?.response
  const issue = requests.find(
    (request) => request.path.endsWith('/issues') && request.path.includes('paginate-issues'),
  )?.response as IssueBody
  const comments = documented('GET', '/repos/{owner}/{repo}/issues/{issue_number}/comments')
  cloned = {
    repository: JSON.stringify(repository),
    issue: JSON.stringify(issue).replaceAll(
      /octokit-fixture-org\/tmp-scenario-paginate-issues-[\w-]+/g,
      'octocat/Hello-World',
    ),
    comment: JSON.stringify((comments as CommentBody[])[0]),
  }
  return cloned
}

export function addRepository(world: World, options: RepositoryOptions): Repository {
  const { owner, name, readers = [], ...overrides } = options
  const type = world.accounts.has(owner.toLowerCase()) ? 'User' : 'Organization'
  const profile = profileOf(world, owner, type)
  const id = options.id ?? nextId(world)
  const fullName = `${profile.login}/${name}`
  const text = templates().repository.replaceAll('octokit-fixture-org/hello-world', fullName)
  const { organization: _, ...template } = JSON.parse(text) as RepositoryBody
  const now = timestamp(world.now())
  const isPrivate = options.private ?? false
  const repository = registerRepository(world, {
    ...template,
    id,
    node_id: nodeId('Repository', id),
    name,
    full_name: fullName,
    owner: profile,
    ...(profile.type === 'Organization' && { organization: profile }),
    private: isPrivate,
    visibility: isPrivate ? 'private' : 'public',
    created_at: now,
    updated_at: now,
    pushed_at: now,
    ...overrides,
  } as RepositoryBody)
  for (const reader of readers) repository.readers.add(reader.toLowerCase())
  return repository
}

/** The next free number unless `number` is given; `created_at` and `updated_at` are now unless given. */
export function addIssue(world: World, ref: RepositoryRef, options: IssueOptions = {}): Issue {
  const repository = repositoryOf(world, ref)
  const number = options.number ?? repository.lastNumber + 1
  const id = options.id ?? nextId(world)
  const name = repository.body.full_name
  const text = templates()
    .issue.replaceAll('octocat/Hello-World', name)
    .replaceAll('/issues/1', `/issues/${number}`)
  const { user, labels, pull_request, ...overrides } = options
  const now = timestamp(world.now())
  const body: IssueBody = {
    ...(JSON.parse(text) as IssueBody),
    id,
    node_id: nodeId('Issue', id),
    number,
    title: `Test issue ${number}`,
    created_at: now,
    updated_at: options.created_at ?? now,
    ...(user !== undefined && { user: userOf(world, user) }),
    ...(labels && { labels: labels.map((label) => labelOf(world, repository, label)) }),
    ...(pull_request !== undefined && pullRequest(name, number, pull_request)),
    ...overrides,
  }
  const issue = registerIssue(repository, body)
  if (body.state === 'open') countOpenIssues(repository, 1)
  touch(world)
  return issue
}

/** Comments one minute apart, the last one now, each with what `overrides(i)` gives it, i from 0. */
export function addComments(
  world: World,
  issue: Issue,
  count: number,
  overrides: (i: number) => CommentOptions = () => ({}),
): Comment[] {
  const base = `octocat/Hello-World`
  const { full_name } = issue.repository.body
  const now = world.now()
  const added = Array.from({ length: count }, (_, i): Comment => {
    const { user, ...rest } = overrides(i)
    const id = rest.id ?? nextId(world)
    const text = templates()
      .comment.replaceAll(base, full_name)
      .replaceAll('/issues/1347', `/issues/${issue.body.number}`)
      .replaceAll(/(comments\/|issuecomment-)1"/g, `$1${id}"`)
    const at = rest.created_at ?? timestamp(now - (count - 1 - i) * 60_000)
    const body: CommentBody = {
      ...(JSON.parse(text) as CommentBody),
      id,
      node_id: nodeId('IssueComment', id),
      created_at: at,
      updated_at: at,
      ...(user !== undefined && { user: userOf(world, user) }),
      ...rest,
    }
    return { body: Object.freeze(body) }
  })
  issue.comments.push(...added)
  replaceIssueBody(issue, { comments: issue.comments.length, updated_at: timestamp(now) })
  touch(world)
  return added
}

/** GitHub counts pull requests as open issues. */
export function countOpenIssues(repository: Repository, change: number): void {
  const open = repository.body.open_issues_count + change
  const counts = { open_issues_count: open, open_issues: open }
  repository.body = Object.freeze({ ...repository.body, ...counts })
}

export function replaceIssueBody(issue: Issue, patch: Partial<IssueBody>): void {
  issue.body = Object.freeze({ ...issue.body, ...patch })
  if (issue.listed) issue.listed = Object.freeze({ ...issue.listed, ...patch })
}

export function userOf(world: World, user: string | UserBody | null): UserBody | null {
  return typeof user === 'string' ? profileOf(world, user) : user
}

export function labelOf(world: World, repository: Repository, label: string | LabelBody) {
  if (typeof label !== 'string') return label
  const known = repository.labels.find((candidate) => candidate.name === label)
  if (known) return known
  const id = nextId(world)
  const made: LabelBody = {
    id,
    node_id: nodeId('Label', id),
    url: `https://api.github.com/repos/${repository.body.full_name}/labels/${encodeURIComponent(label)}`,
    name: label,
    color: 'ededed',
    default: false,
    description: null,
  }
  repository.labels.push(made)
  return made
}

function pullRequest(fullName: string, number: number, given: unknown): Partial<IssueBody> {
  const page = `https://github.com/${fullName}/pull/${number}`
  const marker = {
    url: `https://api.github.com/repos/${fullName}/pulls/${number}`,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    merged_at: null,
  }
  return { html_url: page, draft: false, pull_request: given === true ? marker : given }
}
