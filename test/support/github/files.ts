/** Builders for what is in a repository: commits that change files. */
import {
  changeTree,
  EMPTY_TREE,
  type FileContent,
  type GitCommit,
  type GitPerson,
  writeCommit,
} from './git.ts'
import type { Repository, UserBody, World } from './types.ts'
import { type RepositoryRef, repositoryOf, timestamp, touch } from './world.ts'

export interface CommitOptions {
  /** The branch that moves to the new commit; the default branch unless given. */
  branch?: string
  /** Where a branch that is not there yet starts: a branch or tag; from nothing unless given. */
  from?: string
  message?: string
  /** A login, or the whole person. */
  author?: string | Partial<GitPerson>
  committer?: string | Partial<GitPerson>
  date?: string
  /** Further parents, which make it a merge. */
  merges?: readonly string[]
}

/** One commit in which these paths become this; null deletes. The repository says that it was pushed to. */
export function addFiles(
  world: World,
  ref: RepositoryRef,
  files: Readonly<Record<string, FileContent>>,
  options: CommitOptions = {},
): GitCommit {
  const repository = repositoryOf(world, ref)
  const date = options.date ?? timestamp(world.now())
  const commit = commitFiles(repository, files, { ...options, date })
  repository.body = Object.freeze({ ...repository.body, pushed_at: date })
  touch(world)
  return commit
}

/** The commit alone: the repository's body stays as it was recorded. */
export function commitFiles(
  repository: Repository,
  files: Readonly<Record<string, FileContent>>,
  options: CommitOptions & { date: string },
): GitCommit {
  const { git } = repository
  const { branch = String(repository.body.default_branch), date, from, merges = [] } = options
  const { message = `Change ${Object.keys(files).join(', ')}` } = options
  const start = git.branches.get(branch) ?? (from && (git.branches.get(from) ?? git.tags.get(from)))
  const parent = start ? git.commits.get(start) : undefined
  const author = personOf(options.author ?? 'octocat', date)
  const commit = writeCommit(git, {
    tree: changeTree(git, parent?.tree ?? EMPTY_TREE, files).sha,
    parents: [...(parent ? [parent.sha] : []), ...merges],
    author,
    committer: options.committer ? personOf(options.committer, date) : author,
    message,
  })
  git.branches.set(branch, commit.sha)
  return commit
}

/** A tag, or a tag moved; an annotated one is an object of its own. */
export function addTag(
  world: World,
  ref: RepositoryRef,
  name: string,
  sha: string,
  { annotated = false } = {},
): void {
  const { git } = repositoryOf(world, ref)
  git.tags.set(name, sha)
  if (annotated) git.annotated.add(name)
  touch(world)
}

/** The account behind an author, by the address that GitHub gives to each account; none for others. */
export function accountOf(world: World, { email }: GitPerson): UserBody | undefined {
  const login = /^(?:\d+\+)?([^@]+)@users\.noreply\.github\.com$/.exec(email)?.[1]
  return login === undefined ? undefined : world.profiles.get(login.toLowerCase())
}

function personOf(person: string | Partial<GitPerson>, date: string): GitPerson {
  if (typeof person === 'string') {
    return { name: person, email: `${person}@users.noreply.github.com`, date }
  }
  return { name: 'octocat', email: 'octocat@users.noreply.github.com', date, ...person }
}
