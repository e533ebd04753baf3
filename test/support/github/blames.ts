/** Who wrote which line, as git finds it, and which pull requests brought a commit in. */
import { compareCommits, filesOfCommit, headShaOf } from './commits.ts'
import { keptLines, linesOf } from './diff.ts'
import { entryAt, type Git, type GitCommit } from './git.ts'
import type { Issue, Repository, World } from './types.ts'
import { type RepositoryRef, repositoryOf, touch } from './world.ts'

/** A commit came in by a pull request, as after a squash; those of the pull request's branch need no saying. */
export function landCommit(
  world: World,
  ref: RepositoryRef,
  { sha }: Pick<GitCommit, 'sha'>,
  pull: Issue,
): void {
  const { landed } = repositoryOf(world, ref)
  landed.set(sha, [...(landed.get(sha) ?? []), pull])
  touch(world)
}

/** Pull requests behind a commit, the oldest first. */
export function pullsOf(repository: Repository, sha: string): Issue[] {
  const own = [...repository.work.pulls.values()].filter(({ base, issue }) => {
    const head = headShaOf(repository, issue.body.number) ?? ''
    return compareCommits(repository, base.sha, head).ahead.some((commit) => commit.sha === sha)
  })
  const all = new Set([...(repository.landed.get(sha) ?? []), ...own.map(({ issue }) => issue)])
  return [...all].sort((a, b) => a.body.number - b.body.number)
}

export interface BlameRange {
  startingLine: number
  endingLine: number
  commit: GitCommit
}

interface Look {
  commit: GitCommit
  path: string
  /** Lines whose writer is looked for, by their index in this commit: their index in the end. */
  lines: Map<number, number>
}

/** Each line goes back through the parents that have it already, also under another name. */
export function blame(repository: Repository, start: GitCommit, path: string): BlameRange[] {
  const { git } = repository
  const text = textAt(git, start, path)
  if (!text) return []
  const writers: GitCommit[] = []
  const lines = new Map(linesOf(text).map((_, index) => [index, index]))
  const ahead: Look[] = [{ commit: start, path, lines }]
  for (let look = ahead.pop(); look; look = ahead.pop()) {
    const { commit } = look
    ahead.push(...handOn(repository, look))
    for (const index of look.lines.values()) writers[index] = commit
  }
  return rangesOf(writers)
}

/** What the parents have already, taken out of `look`. */
function handOn(repository: Repository, { commit, path, lines }: Look): Look[] {
  const { git } = repository
  return commit.parents.flatMap((sha): Look[] => {
    const parent = git.commits.get(sha)
    if (!parent) return []
    const before =
      textAt(git, parent, path) === undefined ? formerPath(repository, commit, path) : path
    const known = before === undefined ? undefined : textAt(git, parent, before)
    if (before === undefined || known === undefined) return []
    const handed = new Map<number, number>()
    for (const [to, from] of keptLines(known, textAt(git, commit, path) ?? '')) {
      const index = lines.get(to)
      if (index === undefined) continue
      handed.set(from, index)
      lines.delete(to)
    }
    return handed.size === 0 ? [] : [{ commit: parent, path: before, lines: handed }]
  })
}

function formerPath(repository: Repository, commit: GitCommit, path: string): string | undefined {
  const file = filesOfCommit(repository, commit).find(({ filename }) => filename === path)
  return file?.previous_filename
}

function textAt(git: Git, { tree }: GitCommit, path: string): string | undefined {
  const entry = entryAt(git, tree, path)
  return entry && git.blobs.get(entry.sha)?.bytes.toString()
}

function rangesOf(writers: readonly GitCommit[]): BlameRange[] {
  const ranges: BlameRange[] = []
  writers.forEach((commit, index) => {
    const last = ranges.at(-1)
    if (last?.commit === commit) last.endingLine = index + 1
    else ranges.push({ startingLine: index + 1, endingLine: index + 1, commit })
  })
  return ranges
}
