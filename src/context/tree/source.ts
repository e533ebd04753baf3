import type { components } from '@octokit/openapi-types'
import { invalid, ServiceError } from '../../core/errors.ts'
import type { GitHub } from '../../core/github.ts'

type GitTree = Pick<components['schemas']['git-tree'], 'tree' | 'truncated' | 'url'>
type GitEntry = GitTree['tree'][number]
type Contents = components['schemas']['content-tree']
type Listed = NonNullable<Contents['entries']>[number]

export interface TreePlace {
  readonly owner: string
  readonly repo: string
  /** Without slashes at its ends; empty for the root. */
  readonly path: string
  readonly ref: string | undefined
}

export interface Leaf {
  /** From the root of the repository. */
  readonly path: string
  readonly type: 'file' | 'symlink' | 'submodule'
  /** Bytes; null for a submodule. */
  readonly size: number | null
}

export interface Tree {
  /** As GitHub spells them, also after a rename. */
  readonly owner: string
  readonly repo: string
  /** In git's order. */
  readonly leaves: readonly Leaf[]
  /** Folders of which it is not known what is in them. */
  readonly closed: readonly string[]
  /** Whether GitHub lists no more: those of `closed` have to be asked for one by one. */
  readonly truncated: boolean
  /** Whether the folder itself has more entries than GitHub lists of one that it cut. */
  readonly incomplete: boolean
}

/** GitHub's contents API lists no more of a folder. */
const MOST_LISTED = 1_000
const TREES = '/repos/{owner}/{repo}/git/trees/{sha}'
const CONTENTS = '/repos/{owner}/{repo}/contents/{+path}'

/**
 * What is below a folder, in two rounds at most. GitHub cuts a whole tree at 100,000 entries or 7 MB:
 * then the folders that it did not come to, or not to the end of, are closed.
 * @param deep whether what is in the folders of the folder is wanted too
 * @throws ServiceError `not_found`; `invalid_request` for a path that is no folder
 */
export async function readTree(github: GitHub, place: TreePlace, deep: boolean): Promise<Tree> {
  const { owner, repo, ref } = place
  const trees = (sha: string, recursive: boolean) =>
    github.get<GitTree>(TREES, 'tree', {
      params: { owner, repo, sha },
      query: { recursive: recursive ? 1 : undefined },
    })
  if (place.path === '') {
    const top = await orEmpty(trees(ref ?? 'HEAD', deep))
    const entries = top.truncated ? (await trees(ref ?? 'HEAD', false)).tree : []
    return treeOf(place, top, entries)
  }
  const folder = await readFolder(github, place)
  const tree = await trees(folder.sha, deep)
  return treeOf(place, tree, (folder.entries ?? []).map(entryOf))
}

async function readFolder(github: GitHub, { owner, repo, path, ref }: TreePlace) {
  const folder = await github.get<Contents>(CONTENTS, 'type', {
    params: { owner, repo, path },
    query: { ref },
    media: 'object',
  })
  if (folder.type !== 'dir') {
    throw invalid('/params/path', 'is no folder. Ask github_file for it, with this path.')
  }
  return folder
}

/** A repository without a commit has a tree without entries. */
async function orEmpty(tree: Promise<GitTree>): Promise<GitTree> {
  try {
    return await tree
  } catch (error) {
    if (error instanceof ServiceError && error.upstreamStatus === 409) {
      return { tree: [], truncated: false, url: '' }
    }
    throw error
  }
}

/** @param top direct entries of the folder, for where GitHub cut the tree */
function treeOf(
  place: TreePlace,
  { tree, truncated, url }: GitTree,
  top: readonly GitEntry[],
): Tree {
  const [, owner = place.owner, repo = place.repo] =
    /\/repos\/([^/]+)\/([^/]+)\/git\/trees\//.exec(url ?? '') ?? []
  const entries = truncated ? completeEntries(tree, top) : tree
  const inside = (path: string) => (place.path ? `${place.path}/${path}` : path)
  const opened = new Set<string>()
  for (const { path } of entries) {
    const slash = path.lastIndexOf('/')
    if (slash > 0) opened.add(path.slice(0, slash))
  }
  return {
    owner,
    repo,
    truncated,
    incomplete: truncated && place.path !== '' && top.length >= MOST_LISTED,
    leaves: entries.flatMap((entry) =>
      entry.type === 'tree' ? [] : [{ ...leafOf(entry), path: inside(entry.path) }],
    ),
    closed: entries
      .filter(({ path, type }) => type === 'tree' && !opened.has(path))
      .map(({ path }) => inside(path)),
  }
}

/**
 * GitHub lists a folder and then all that is in it, so the last one that it came to is the only one
 * that it may have left half way. That and all after it is taken from the folder's own listing.
 */
function completeEntries(tree: readonly GitEntry[], top: readonly GitEntry[]): GitEntry[] {
  const [last = ''] = tree.at(-1)?.path.split('/') ?? []
  const cut = Math.max(
    0,
    top.findIndex(({ path }) => path === last),
  )
  const complete = new Set(top.slice(0, cut).map(({ path }) => path))
  const isComplete = ({ path }: GitEntry) => complete.has(path.split('/', 1)[0] ?? '')
  return [...tree.filter(isComplete), ...top.slice(cut)]
}

/** In listings a submodule is called a file, but there is nothing to download. */
function entryOf({ name, type, size, sha, download_url }: Listed): GitEntry {
  const mode = type === 'symlink' ? '120000' : '100644'
  const isSubmodule = type === 'submodule' || (type === 'file' && download_url === null)
  const kind = isSubmodule ? 'commit' : type === 'dir' ? 'tree' : 'blob'
  return { path: name, mode, type: kind, size, sha }
}

function leafOf({ mode, size, type }: GitEntry): Omit<Leaf, 'path'> {
  if (type === 'commit') return { type: 'submodule', size: null }
  return { type: mode === '120000' ? 'symlink' : 'file', size: size ?? 0 }
}
