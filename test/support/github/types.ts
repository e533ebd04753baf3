/**
 * The simulated world: plain data. Bodies are what GitHub would send, byte for byte; they are frozen and
 * replaced as a whole (`updateIssue` and friends), which is what lets answers be serialised once.
 */
import type { KeyObject } from 'node:crypto'
import type { Git } from './git.ts'
import type { Work } from './work-types.ts'

export type Resource = 'core' | 'search' | 'code_search' | 'graphql'
export type ApiVersion = '2022-11-28' | '2026-03-10'
/** Permission names and levels as GitHub writes them, for example `{ issues: 'read' }`. */
export type Permissions = Record<string, 'read' | 'write' | 'admin'>

export interface Body {
  readonly [key: string]: unknown
}

export interface UserBody extends Body {
  readonly login: string
  readonly id: number
  readonly type: string
}

export interface LabelBody extends Body {
  readonly id: number
  readonly name: string
}

export interface RepositoryBody extends Body {
  readonly id: number
  readonly name: string
  readonly full_name: string
  readonly private: boolean
  readonly owner: UserBody
  readonly open_issues_count: number
  readonly updated_at: string
}

export interface IssueBody extends Body {
  readonly id: number
  readonly number: number
  readonly title: string
  readonly body: string | null
  readonly state: string
  readonly user: UserBody | null
  readonly labels: readonly LabelBody[]
  readonly comments: number
  readonly created_at: string
  readonly updated_at: string
  /** Present on a pull request, absent on an issue: the way to tell them apart in a list. */
  readonly pull_request?: unknown
}

export interface CommentBody extends Body {
  readonly id: number
  readonly body: string
  readonly user: UserBody | null
  readonly created_at: string
  readonly updated_at: string
}

export interface ReleaseBody extends Body {
  readonly id: number
  readonly tag_name: string
  readonly draft: boolean
  readonly prerelease: boolean
  readonly created_at: string
}

export interface Comment {
  body: CommentBody
}

export interface Issue {
  repository: Repository
  body: IssueBody
  /** The body in lists where the recording differs from "without closed_by". */
  listed?: IssueBody
  comments: Comment[]
  /** Of a pull request, the oldest first. */
  threads: ReviewThread[]
  /** What a pull request closes when it is merged, and which pull requests close an issue. */
  closes: Issue[]
  closedBy: Issue[]
  /** Where else it was spoken of, the oldest first. */
  mentions: Mention[]
  /** What happened to it: labels, states, people. */
  events: Body[]
  parent?: Issue
  subIssues: Issue[]
  deleted?: true
  movedTo?: Issue
}

/** A comment, issue or pull request that names another one. */
export interface Mention {
  source: Issue
  actor: UserBody | null
  createdAt: string
  /** "Fixes #1" instead of "see #1". */
  closes: boolean
}

export interface ReviewCommentBody extends CommentBody {
  readonly diff_hunk: string
  readonly path: string
}

/** What a review says about some lines, and what was answered. */
export interface ReviewThread {
  id: number
  path: string
  /** Null where the lines are no longer in the diff. */
  line: number | null
  startLine: number | null
  side: 'LEFT' | 'RIGHT'
  isResolved: boolean
  isOutdated: boolean
  resolvedBy: UserBody | null
  comments: { body: ReviewCommentBody }[]
}

export interface DiscussionBody extends Body {
  readonly id: number
  readonly number: number
  readonly title: string
  readonly body: string
  readonly state: string
  readonly state_reason: string | null
  readonly user: UserBody | null
  readonly author_association: string
  readonly category: DiscussionCategory
  readonly labels: readonly LabelBody[]
  readonly upvotes: number
  readonly locked: boolean
  readonly created_at: string
  readonly updated_at: string
  readonly closed_at: string | null
  readonly answer_chosen_at: string | null
  readonly answer_chosen_by: UserBody | null
}

export interface DiscussionCategory extends Body {
  readonly id: number
  readonly name: string
  readonly slug: string
  readonly emoji: string
  readonly is_answerable: boolean
}

/** As webhooks show them: REST has no discussions. */
export interface Discussion {
  repository: Repository
  body: DiscussionBody
  comments: DiscussionComment[]
  answer?: DiscussionComment
  deleted?: true
}

export interface DiscussionCommentBody extends CommentBody {
  readonly author_association: string
  readonly upvotes: number
  /** Set where it was deleted and its replies stay. */
  readonly deleted_at: string | null
  readonly minimized_reason: string | null
}

export interface DiscussionComment {
  discussion: Discussion
  body: DiscussionCommentBody
  replyTo?: DiscussionComment
  replies: DiscussionComment[]
}

/** A recorded answer, served to whoever asks for the same path and query. */
export interface Recording {
  status: number
  body: string
  contentType: string
  location?: string
  lastModified?: string
}

export interface Repository {
  body: RepositoryBody
  issues: Map<number, Issue>
  /** Numbers are never given twice. */
  lastNumber: number
  labels: LabelBody[]
  /** Its commits, with all that is in them. Empty until files are added. */
  git: Git
  /** Its pull requests, checks and workflow runs. */
  work: Work
  releases: ReleaseBody[]
  commitComments: CommentBody[]
  /** Bytes by language where they were documented; else they are counted. */
  languages?: Readonly<Record<string, number>>
  /** By number; they share the issues' numbers. */
  discussions: Map<number, Discussion>
  /** Pull requests by the shas of the commits that they brought in, besides those of their own branches. */
  landed: Map<string, Issue[]>
  /** Logins, in lower case, that may read it although it is private; the owner always may. */
  readers: Set<string>
  /** Answers with 451, as after a DMCA notice. */
  blocked?: true
  /** By path below the repository, with the query. */
  recordings: Map<string, Recording>
  /** Finished answers by request, valid for one revision of the world. */
  memo: Map<string, Reply>
  memoRevision: number
}

export interface Account {
  login: string
  id: number
  /** Requests per window by resource, where they differ from the world's. */
  limits: Partial<Record<Resource, number>>
}

export interface Token {
  secret: string
  /** Exactly one of the two says whose it is. */
  login?: string
  installation?: Installation
  /** Fine-grained: only these, and only private repositories are checked. Absent: a classic token, may all. */
  permissions?: Permissions
  /** Owners whose single sign-on this token has not been through: 403 with X-GitHub-SSO. */
  ssoExpiredFor?: readonly string[]
  /** Repository ids an installation token is narrowed to. */
  repositories?: ReadonlySet<number>
  validFrom?: number
  expiresAt?: number
}

export interface App {
  id: number
  clientId: string
  slug: string
  publicKey: KeyObject
  body: Body
  /** Milliseconds until a minted token is accepted: GitHub's replicas learn of it late. */
  tokenDelayMs: number
}

export interface Installation {
  id: number
  app: App
  login: string
  /** 'all' of the account's repositories, or the chosen ones by id. */
  repositories: 'all' | Set<number>
  permissions: Permissions
  limits: Partial<Record<Resource, number>>
  suspended?: true
}

export interface SecondaryLimits {
  maxConcurrent?: number
  pointsPerMinute?: number
  retryAfterSeconds: number
  status: 403 | 429
}

export interface World {
  /** Bumped by every change; whoever changes maps by hand calls `touch(world)`. */
  revision: number
  repositories: Map<number, Repository>
  /** Repository ids by lower-case owner/name, former names included. */
  names: Map<string, number>
  /** Users and organizations by lower-case login, as they appear inside other bodies. */
  profiles: Map<string, UserBody>
  /** Full bodies by lower-case login, where they were recorded or documented. */
  organizations: Map<string, UserBody>
  accounts: Map<string, Account>
  tokens: Map<string, Token>
  apps: Map<number, App>
  installations: Map<number, Installation>
  /** Recorded answers outside of repositories, by path and query. */
  recordings: Map<string, Recording>
  limits: Record<Resource, number>
  anonymousLimits: Record<Resource, number>
  primaryStatus: 403 | 429
  /** Off unless a number is set. GitHub's own: 100 at once, 900 points a minute. */
  secondary: SecondaryLimits
  /** 'opaque' makes ETags unpredictable, as if GitHub had changed how it computes them. */
  etagScheme: 'github' | 'opaque'
  /** 'next-only' leaves first and last out of Link, as GitHub does where it pages by cursor. */
  pagination: 'numbered' | 'next-only'
  /** GitHub's own: 100,000 entries, 7 MB. */
  treeLimits: { entries: number; bytes: number }
  /** Code searches say that they ran out of time. */
  searchesIncomplete: boolean
  /** Milliseconds since 1970; limits, tokens and `updated_at` go by it. */
  now: () => number
  nextId: number
}

export type Principal =
  | { kind: 'anonymous'; name: string }
  | { kind: 'user'; name: string; account: Account; token: Token }
  | { kind: 'installation'; name: string; installation: Installation; token: Token }
  | { kind: 'app'; name: string; app: App }

export interface Budget {
  limit: number
  used: number
  remaining: number
  /** Seconds since 1970. */
  reset: number
}

/** One request, as routes see it. */
export interface Ask {
  world: World
  origin: string
  /** Where the store of logs listens: another host than the API's. */
  blobOrigin: string
  method: string
  pathname: string
  /** With the question mark, or empty. */
  search: string
  query: URLSearchParams
  accept: string
  version: ApiVersion
  principal: Principal
  params: Record<string, string>
  body: unknown
  budget: (resource: Resource) => Budget
}

export interface Reply {
  status: number
  body: Buffer
  contentType: string
  mediaType: string
  /** Flat list of names and values: what only this answer has, such as Link. */
  headers: string[]
  lastModified?: string
  /** 'private' has an ETag and may be kept; 'no-cache' is search and rate_limit; 'none' is an error. */
  caching: 'private' | 'no-cache' | 'none'
  etags: Map<string, string>
  gzipped?: Buffer
}

export interface Route {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** As in GitHub's own documentation; `{+rest}` takes all that follows. */
  path: string
  resource?: Resource
  /** Costs nothing and is answered even when the budget is gone. */
  free?: true
  /** Refuses anonymous callers with 401. */
  authenticated?: true
  /** Points of the primary limit; 1 unless given. */
  cost?: (ask: Ask) => number
  handle: (ask: Ask) => Reply
}
