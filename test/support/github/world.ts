import { newGit } from './git.ts'
import type { Issue, IssueBody, Repository, UserBody, World } from './types.ts'
import { newWork } from './work-types.ts'

/** A world without content: GitHub's limits, the real clock. */
export function emptyWorld(): World {
  return {
    revision: 0,
    repositories: new Map(),
    names: new Map(),
    profiles: new Map(),
    organizations: new Map(),
    accounts: new Map(),
    tokens: new Map(),
    apps: new Map(),
    installations: new Map(),
    recordings: new Map(),
    limits: { core: 5000, search: 30, code_search: 10, graphql: 5000 },
    anonymousLimits: { core: 60, search: 10, code_search: 10, graphql: 0 },
    primaryStatus: 403,
    secondary: { retryAfterSeconds: 60, status: 403 },
    etagScheme: 'github',
    pagination: 'numbered',
    treeLimits: { entries: 100_000, bytes: 7 * 1024 * 1024 },
    searchesIncomplete: false,
    now: Date.now,
    nextId: 3_000_000_000,
  }
}

/** Tells the simulator that content changed: finished answers are made anew. */
export function touch(world: World): void {
  world.revision++
}

export type RepositoryRef = Repository | string

/** By current name only: what a former name leads to is the router's business. */
export function repositoryOf(world: World, ref: RepositoryRef): Repository {
  if (typeof ref !== 'string') return ref
  const repository = world.repositories.get(world.names.get(ref.toLowerCase()) ?? -1)
  if (!repository) throw new Error(`no repository ${ref} in this world`)
  return repository
}

export function issueOf(world: World, ref: RepositoryRef, number: number): Issue {
  const issue = repositoryOf(world, ref).issues.get(number)
  if (!issue) throw new Error(`no issue ${number}`)
  return issue
}

export function registerRepository(world: World, body: Repository['body']): Repository {
  const known = world.repositories.get(body.id)
  const repository = known ?? {
    body,
    issues: new Map(),
    lastNumber: 0,
    labels: [],
    git: newGit(),
    work: newWork(),
    releases: [],
    commitComments: [],
    discussions: new Map(),
    landed: new Map(),
    readers: new Set(),
    recordings: new Map(),
    memo: new Map(),
    memoRevision: -1,
  }
  repository.body = Object.freeze(body)
  world.repositories.set(body.id, repository)
  world.names.set(body.full_name.toLowerCase(), body.id)
  registerProfile(world, body.owner)
  touch(world)
  return repository
}

export function registerIssue(repository: Repository, body: IssueBody): Issue {
  const issue: Issue = {
    repository,
    body: Object.freeze(body),
    comments: [],
    threads: [],
    closes: [],
    closedBy: [],
    mentions: [],
    events: [],
    subIssues: [],
  }
  repository.issues.set(body.number, issue)
  repository.lastNumber = Math.max(repository.lastNumber, body.number)
  return issue
}

export function registerProfile(world: World, user: UserBody | null): void {
  if (user && !world.profiles.has(user.login.toLowerCase())) {
    world.profiles.set(user.login.toLowerCase(), Object.freeze(user))
  }
}

export function nextId(world: World): number {
  return world.nextId++
}

/** Node ids in GitHub's older form, which spells the kind and the id. */
export function nodeId(kind: string, id: number): string {
  return Buffer.from(`0${kind.length}:${kind}${id}`).toString('base64')
}

/** GitHub's times have whole seconds. */
export function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}
