/**
 * A repository's objects as git has them: blobs, trees and commits by their real SHA-1, and the refs that lead
 * to them. Content only: how the API words it is the routes' business.
 */
import { hash } from 'node:crypto'

export type FileMode = '100644' | '100755' | '120000' | '160000'

export interface GitBlob {
  readonly kind: 'blob'
  readonly sha: string
  readonly bytes: Buffer
}

export interface GitEntry {
  readonly name: string
  /** '40000' is a folder, '120000' a symbolic link, '160000' a commit of another repository. */
  readonly mode: FileMode | '40000'
  readonly sha: string
}

export interface GitTree {
  readonly kind: 'tree'
  readonly sha: string
  /** In git's order, in which a folder sorts as if its name ended in a slash. */
  readonly entries: readonly GitEntry[]
}

export interface GitPerson {
  readonly name: string
  readonly email: string
  /** As the API writes it: `2026-01-31T12:00:00Z`. */
  readonly date: string
}

export interface GitCommit {
  readonly kind: 'commit'
  readonly sha: string
  /** The tree's. */
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: GitPerson
  readonly committer: GitPerson
  readonly message: string
}

export interface Git {
  readonly blobs: Map<string, GitBlob>
  readonly trees: Map<string, GitTree>
  readonly commits: Map<string, GitCommit>
  /** Shas of commits by name. */
  readonly branches: Map<string, string>
  readonly tags: Map<string, string>
  /** Names of tags that are objects of their own, with a message, instead of mere names. */
  readonly annotated: Set<string>
}

/** What a path becomes: text, bytes, something other than a plain file, or nothing any more. */
export type FileContent =
  | string
  | Buffer
  | { readonly executable: string | Buffer }
  | { readonly symlink: string }
  /** The commit of another repository; its address stands in `.gitmodules`. */
  | { readonly submodule: string }
  | null

/** A leaf of a tree with its whole path. */
export interface GitFile {
  readonly path: string
  readonly mode: FileMode
  readonly sha: string
}

/** What a first commit starts from. */
export const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

export function newGit(): Git {
  const empty: GitTree = { kind: 'tree', sha: EMPTY_TREE, entries: [] }
  return {
    blobs: new Map(),
    trees: new Map([[EMPTY_TREE, empty]]),
    commits: new Map(),
    branches: new Map(),
    tags: new Map(),
    annotated: new Set(),
  }
}

function shaOf(kind: string, bytes: Buffer): string {
  return hash('sha1', Buffer.concat([Buffer.from(`${kind} ${bytes.length}\0`), bytes]))
}

function writeBlob(git: Git, content: string | Buffer): GitBlob {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const sha = shaOf('blob', bytes)
  const blob = git.blobs.get(sha) ?? { kind: 'blob', sha, bytes }
  git.blobs.set(sha, blob)
  return blob
}

/** The tree of these files, with all its folders. */
function writeTree(git: Git, files: Iterable<GitFile>): GitTree {
  const entries: GitEntry[] = []
  const folders = new Map<string, GitFile[]>()
  for (const file of files) {
    const slash = file.path.indexOf('/')
    if (slash < 0) {
      entries.push({ name: file.path, mode: file.mode, sha: file.sha })
      continue
    }
    const name = file.path.slice(0, slash)
    const inside = folders.get(name) ?? []
    inside.push({ ...file, path: file.path.slice(slash + 1) })
    folders.set(name, inside)
  }
  for (const [name, inside] of folders) {
    entries.push({ name, mode: '40000', sha: writeTree(git, inside).sha })
  }
  return keepTree(git, entries)
}

function keepTree(git: Git, entries: GitEntry[]): GitTree {
  const sortName = ({ name, mode }: GitEntry) => Buffer.from(mode === '40000' ? `${name}/` : name)
  const sorted = entries
    .map((entry) => ({ entry, key: sortName(entry) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ entry }) => entry)
  const lines = sorted.map(({ name, mode, sha }) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(sha, 'hex')]),
  )
  const tree: GitTree = { kind: 'tree', sha: shaOf('tree', Buffer.concat(lines)), entries: sorted }
  git.trees.set(tree.sha, tree)
  return tree
}

export interface CommitContent {
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: GitPerson
  readonly committer?: GitPerson
  readonly message: string
}

export function writeCommit(git: Git, content: CommitContent): GitCommit {
  const { tree, parents, author, committer = author, message } = content
  const text = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${signature(author)}`,
    `committer ${signature(committer)}`,
    '',
    message,
  ].join('\n')
  const sha = shaOf('commit', Buffer.from(text))
  const commit: GitCommit = { kind: 'commit', sha, tree, parents, author, committer, message }
  git.commits.set(sha, commit)
  return commit
}

function signature({ name, email, date }: GitPerson): string {
  return `${name} <${email}> ${Math.floor(Date.parse(date) / 1000)} +0000`
}

/** Every file below a tree, in git's order. */
export function filesOf(git: Git, tree: string, folder = ''): GitFile[] {
  return (git.trees.get(tree)?.entries ?? []).flatMap(({ name, mode, sha }) =>
    mode === '40000'
      ? filesOf(git, sha, `${folder}${name}/`)
      : [{ path: folder + name, mode, sha }],
  )
}

/** A tree with some of its paths changed. */
export function changeTree(
  git: Git,
  tree: string,
  changes: Readonly<Record<string, FileContent>>,
): GitTree {
  const files = new Map(filesOf(git, tree).map((file) => [file.path, file]))
  for (const [path, content] of Object.entries(changes)) {
    if (content === null) files.delete(path)
    else files.set(path, { path, ...leafOf(git, content) })
  }
  return writeTree(git, files.values())
}

function leafOf(git: Git, content: Exclude<FileContent, null>): Omit<GitFile, 'path'> {
  if (typeof content === 'string' || Buffer.isBuffer(content)) {
    return { mode: '100644', sha: writeBlob(git, content).sha }
  }
  if ('executable' in content) {
    return { mode: '100755', sha: writeBlob(git, content.executable).sha }
  }
  if ('symlink' in content) return { mode: '120000', sha: writeBlob(git, content.symlink).sha }
  return { mode: '160000', sha: content.submodule }
}

/** What lies at a path of a tree; the empty path is the tree itself. */
export function entryAt(git: Git, tree: string, path: string): GitEntry | undefined {
  let found: GitEntry = { name: '', mode: '40000', sha: tree }
  for (const segment of path.split('/').filter(Boolean)) {
    const inside = found.mode === '40000' ? git.trees.get(found.sha) : undefined
    const next = inside?.entries.find(({ name }) => name === segment)
    if (!next) return undefined
    found = next
  }
  return found
}

/** By branch, tag, `HEAD`, either with `refs/…` in front, or a sha of at least seven digits. */
export function commitAt(git: Git, ref: string, head: string): GitCommit | undefined {
  const name = ref === 'HEAD' ? head : ref.replace(/^(?:refs\/)?(?:heads|tags)\//, '')
  const sha = git.branches.get(name) ?? git.tags.get(name)
  if (sha !== undefined) return git.commits.get(sha)
  if (!/^[0-9a-f]{7,40}$/.test(ref)) return undefined
  const known = git.commits.get(ref)
  if (known || ref.length === 40) return known
  return [...git.commits.values()].find((commit) => commit.sha.startsWith(ref))
}

/** A commit and all before it, newest first. */
export function historyOf(git: Git, sha: string): GitCommit[] {
  const seen = new Set<string>()
  const ahead = [sha]
  const found: GitCommit[] = []
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const commit = git.commits.get(next)
    if (!commit || seen.has(next)) continue
    seen.add(next)
    found.push(commit)
    ahead.push(...commit.parents)
  }
  return found.sort((a, b) => Date.parse(b.committer.date) - Date.parse(a.committer.date))
}
