/** Commits as the API words them. */
import { diffTrees } from './diff.ts'
import { commitAt, EMPTY_TREE, type GitCommit, historyOf } from './git.ts'
import { documented } from './recordings.ts'
import type { Body, Repository, UserBody, World } from './types.ts'
import type { FileBody } from './work-types.ts'
import { nodeId, type RepositoryRef, repositoryOf, touch } from './world.ts'

const DOCUMENTED = '6dcb09b5b57875f334f61aebed695e2e4193db5e'

/** By all that GitHub takes: branch, tag, sha, HEAD, and `pull/1/head`. */
export function commitNamed(repository: Repository, ref: string): GitCommit | undefined {
  const { git, work, body } = repository
  const pull = work.pulls.get(Number(/^(?:refs\/)?pull\/(\d+)\/head$/.exec(ref)?.[1]))
  if (pull) return git.commits.get(headShaOf(repository, Number(pull.issue.body.number)) ?? '')
  return commitAt(git, ref, String(body.default_branch))
}

/** A pull request's head follows its branch as long as it is open. */
export function headShaOf({ git, work }: Repository, number: number): string | undefined {
  const pull = work.pulls.get(number)
  if (!pull) return undefined
  const { head, issue } = pull
  const own = head.repository === issue.repository && issue.body.state === 'open'
  return (own && git.branches.get(head.ref)) || head.sha
}

const bodies = new WeakMap<GitCommit, Map<string, Body>>()

/** A commit as lists show it. */
export function commitBody(world: World, repository: Repository, commit: GitCommit): Body {
  const { full_name } = repository.body
  const set = repository.work.documented.get(commit.sha)
  if (set) return set
  const known = bodies.get(commit) ?? new Map<string, Body>()
  bodies.set(commit, known)
  const found = known.get(full_name)
  if (found) return found
  const body = Object.freeze(makeBody(world, full_name, commit))
  known.set(full_name, body)
  return body
}

let template: string | undefined

function makeBody(world: World, fullName: string, commit: GitCommit): Body {
  template ??= JSON.stringify((documented('GET', '/repos/{owner}/{repo}/commits') as Body[])[0])
  const { author, committer, message, parents, sha, tree } = commit
  const text = template.replaceAll('octocat/Hello-World', fullName).replaceAll(DOCUMENTED, sha)
  const body = JSON.parse(text) as Body & { commit: Body }
  const api = `https://api.github.com/repos/${fullName}`
  return {
    ...body,
    node_id: nodeId('Commit', Number.parseInt(sha.slice(0, 12), 16)),
    commit: {
      ...body.commit,
      author,
      committer,
      message: message.replace(/\n+$/, ''),
      tree: { sha: tree, url: `${api}/git/trees/${tree}` },
    },
    author: accountOf(world, author.email),
    committer: accountOf(world, committer.email),
    parents: parents.map((parent) => ({
      sha: parent,
      url: `${api}/commits/${parent}`,
      html_url: `https://github.com/${fullName}/commit/${parent}`,
    })),
  }
}

/** GitHub knows an account by its e-mail address; nobody's gives null. */
function accountOf(world: World, email: string): UserBody | null {
  const login = /^(?:\d+\+)?(.+)@users\.noreply\.github\.com$/.exec(email)?.[1]
  return world.profiles.get((login ?? '').toLowerCase()) ?? null
}

const changes = new WeakMap<GitCommit, FileBody[]>()

/** What a commit changes against its first parent. */
export function filesOfCommit({ git, work, body }: Repository, commit: GitCommit): FileBody[] {
  const set = work.files.get(commit.sha)
  if (set) return set
  let files = changes.get(commit)
  if (!files) {
    const parent = git.commits.get(commit.parents[0] ?? '')
    files = diffTrees(git, parent?.tree ?? EMPTY_TREE, commit.tree, body.full_name)
    changes.set(commit, files)
  }
  return files
}

/** Says what a commit changes, where that is more than a test wants to commit. */
export function setCommitFiles(
  world: World,
  ref: RepositoryRef,
  sha: string,
  files: FileBody[],
): void {
  repositoryOf(world, ref).work.files.set(sha, files)
  touch(world)
}

export interface Comparison {
  mergeBase: GitCommit | undefined
  /** What head has and base has not, oldest first. */
  ahead: GitCommit[]
  behind: number
}

/** What `git log base..head` says, and where the two parted. */
export function compareCommits({ git }: Repository, base: string, head: string): Comparison {
  const inBase = historyOf(git, base)
  const inHead = historyOf(git, head)
  const [ofBase, ofHead] = [new Set(inBase), new Set(inHead)]
  return {
    mergeBase: inHead.find((commit) => ofBase.has(commit)),
    ahead: inHead.filter((commit) => !ofBase.has(commit)).reverse(),
    behind: inBase.filter((commit) => !ofHead.has(commit)).length,
  }
}

/** The files between where two commits parted and the second, those that were set for single commits included. */
export function filesBetween(
  repository: Repository,
  { mergeBase, ahead }: Comparison,
  head: string,
) {
  const { git, work, body } = repository
  const set = new Map(
    ahead.flatMap(({ sha }) => work.files.get(sha) ?? []).map((file) => [file.filename, file]),
  )
  if (set.size > 0) return [...set.values()]
  const to = git.commits.get(head)?.tree ?? EMPTY_TREE
  return diffTrees(git, mergeBase?.tree ?? EMPTY_TREE, to, body.full_name)
}
