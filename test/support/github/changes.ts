/** What happens to a world while it is being watched. Everything that changes content bumps `updated_at`. */
import { countOpenIssues, replaceIssueBody } from './content.ts'
import type { Issue, IssueBody, Repository, RepositoryBody, World } from './types.ts'
import type { Work } from './work-types.ts'
import {
  nextId,
  nodeId,
  type RepositoryRef,
  registerIssue,
  repositoryOf,
  timestamp,
  touch,
} from './world.ts'

export function updateRepository(
  world: World,
  ref: RepositoryRef,
  patch: Partial<RepositoryBody>,
): void {
  const repository = repositoryOf(world, ref)
  const updated_at = timestamp(world.now())
  repository.body = Object.freeze({ ...repository.body, updated_at, ...patch })
  touch(world)
}

export function updateIssue(world: World, issue: Issue, patch: Partial<IssueBody>): void {
  const before = issue.body.state
  const now = timestamp(world.now())
  const closed_at = patch.state === 'closed' ? { closed_at: now } : {}
  replaceIssueBody(issue, { updated_at: now, ...closed_at, ...patch })
  if (issue.body.state !== before) {
    countOpenIssues(issue.repository, issue.body.state === 'open' ? 1 : -1)
  }
  touch(world)
}

/** The old name answers 301 (307 unless GET or HEAD) with /repositories/:id until another one takes it. */
export function renameRepository(world: World, from: RepositoryRef, to: string): Repository {
  const repository = repositoryOf(world, from)
  const old = repository.body.full_name
  const fullName = to.includes('/') ? to : `${repository.body.owner.login}/${to}`
  repository.body = Object.freeze({
    ...renamed(repository.body, old, fullName),
    name: fullName.slice(fullName.indexOf('/') + 1),
    updated_at: timestamp(world.now()),
  })
  for (const issue of repository.issues.values()) {
    issue.body = Object.freeze(renamed(issue.body, old, fullName))
    if (issue.listed) issue.listed = Object.freeze(renamed(issue.listed, old, fullName))
    for (const comment of issue.comments) {
      comment.body = Object.freeze(renamed(comment.body, old, fullName))
    }
  }
  repository.labels = repository.labels.map((label) => renamed(label, old, fullName))
  repository.releases = repository.releases.map((release) => renamed(release, old, fullName))
  renameWork(repository.work, (body) => renamed(body, old, fullName))
  world.names.set(fullName.toLowerCase(), repository.body.id)
  touch(world)
  return repository
}

function renameWork(work: Work, rename: <T extends object>(body: T) => T): void {
  const all = <T extends object>(bodies: readonly T[]) =>
    bodies.map(rename).map(Object.freeze) as T[]
  for (const pull of work.pulls.values()) {
    pull.own = rename(pull.own)
    pull.reviews = all(pull.reviews)
    for (const { comments } of pull.issue.threads) {
      for (const comment of comments) comment.body = Object.freeze(rename(comment.body))
    }
    if (pull.commits) pull.commits = all(pull.commits)
    if (pull.files) pull.files = all(pull.files)
  }
  for (const [sha, statuses] of work.statuses) work.statuses.set(sha, all(statuses))
  for (const [sha, body] of work.documented) work.documented.set(sha, rename(body))
  for (const [sha, files] of work.files) work.files.set(sha, all(files))
  for (const check of work.checkRuns) check.body = Object.freeze(rename(check.body))
  for (const run of work.runs.values()) {
    run.body = Object.freeze(rename(run.body))
    for (const job of run.jobs) job.body = Object.freeze(rename(job.body))
  }
}

/** Urls and full_name carry the name; what people wrote does not change. */
function renamed<T extends object>(body: T, from: string, to: string): T {
  const name = new RegExp(`${from.replaceAll('.', '\\.')}(?=["/{]|\\.git)`, 'g')
  const changed = JSON.parse(JSON.stringify(body).replaceAll(name, to), (_key, value) =>
    value?.full_name === to ? { ...value, name: to.slice(to.indexOf('/') + 1) } : value,
  )
  for (const key of ['title', 'body'] as const) {
    if (key in body) changed[key] = (body as Record<string, unknown>)[key]
  }
  return changed
}

export function deleteRepository(world: World, ref: RepositoryRef): void {
  world.repositories.delete(repositoryOf(world, ref).body.id)
  touch(world)
}

/** 451 from now on, as after a DMCA notice. */
export function blockRepository(world: World, ref: RepositoryRef): void {
  repositoryOf(world, ref).blocked = true
  touch(world)
}

/** 410 from now on. */
export function deleteIssue(world: World, issue: Issue): void {
  issue.deleted = true
  if (issue.body.state === 'open') countOpenIssues(issue.repository, -1)
  touch(world)
}

/** The old address answers 301 with the new one. */
export function transferIssue(world: World, issue: Issue, ref: RepositoryRef): Issue {
  const target = repositoryOf(world, ref)
  const number = target.lastNumber + 1
  const id = nextId(world)
  const from = issue.repository.body.full_name
  const move = <T extends object>(body: T): T =>
    JSON.parse(
      JSON.stringify(renamed(body, from, target.body.full_name)).replaceAll(
        `/issues/${issue.body.number}`,
        `/issues/${number}`,
      ),
    )
  const body: IssueBody = { ...move(issue.body), id, node_id: nodeId('Issue', id), number }
  const moved = registerIssue(target, body)
  moved.comments = issue.comments.map((comment) => ({ body: Object.freeze(move(comment.body)) }))
  issue.movedTo = moved
  if (body.state === 'open') {
    countOpenIssues(issue.repository, -1)
    countOpenIssues(target, 1)
  }
  touch(world)
  return moved
}
