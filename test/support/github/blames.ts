/** Builders for who wrote which line and why. */
import { hash } from 'node:crypto'
import { userOf } from './content.ts'
import type { Blame, BlamedCommit, Issue, UserBody, World } from './types.ts'
import { type RepositoryRef, repositoryOf, timestamp, touch } from './world.ts'

export interface BlamedCommitOptions {
  /** Forty hexadecimal digits; made from the rest unless given. */
  oid?: string
  message?: string
  committedDate?: string
  /** A login, a whole user, or null where the address belongs to no account. */
  user?: string | UserBody | null
  name?: string
  email?: string
  /** The pull requests that brought it in. */
  pulls?: readonly Issue[]
}

/** A commit for ranges to point at; several ranges may share one. */
export function blamedCommit(world: World, options: BlamedCommitOptions = {}): BlamedCommit {
  const { message = 'Change a line', pulls = [] } = options
  const user = userOf(world, options.user === undefined ? 'octocat' : options.user)
  const name = options.name ?? user?.login ?? 'Somebody'
  const email = options.email ?? `${name}@users.noreply.github.com`
  const committedDate = options.committedDate ?? timestamp(world.now())
  const oid = options.oid ?? hash('sha1', [message, name, email, committedDate].join('\n'))
  return { oid, message, committedDate, author: { name, email, user }, pulls }
}

export interface BlameOptions {
  path: string
  /** The default branch unless given. */
  branch?: string
  /** The branch's commit; made from path and text unless given. */
  sha?: string
  /** From the first line to the last, without gaps. */
  ranges: readonly { lines: readonly string[]; commit: BlamedCommit }[]
}

/** The file at one commit and who wrote its lines; replaces what was set for the same branch and path. */
export function setBlame(world: World, ref: RepositoryRef, options: BlameOptions): Blame {
  const repository = repositoryOf(world, ref)
  const { path, branch = String(repository.body.default_branch), ranges } = options
  const text = ranges.flatMap(({ lines }) => lines.map((line) => `${line}\n`)).join('')
  const others = repository.blames.filter((known) => known.branch !== branch || known.path !== path)
  const sha =
    options.sha ?? others.find((known) => known.branch === branch)?.sha ?? hash('sha1', path + text)
  let before = 0
  const blame: Blame = {
    path,
    branch,
    sha,
    text,
    ranges: ranges.map(({ lines, commit }) => {
      const startingLine = before + 1
      before += lines.length
      return { startingLine, endingLine: before, commit }
    }),
  }
  repository.blames = [...others, blame]
  touch(world)
  return blame
}
