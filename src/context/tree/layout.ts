import type { Pace } from '../../core/tokens.ts'
import type { Leaf, Tree } from './source.ts'

/** An entry as it is shown: a leaf, or a folder of which the inside is not. */
export type TreeEntry =
  | Leaf
  | {
      readonly path: string
      readonly type: 'dir'
      readonly size: null
      /** Files below it; null where GitHub did not tell. */
      readonly files: number | null
    }

/** Entries of one folder that follow on one another in the layout. */
export interface Group {
  /** Empty for the root. */
  readonly folder: string
  readonly depth: number
  readonly entries: readonly TreeEntry[]
}

export interface Layout {
  /** Folders in reading order, each with its own entries before the folders in it. */
  readonly groups: readonly Group[]
  /** Levels of folders shown, counted from the folder asked for. */
  readonly depth: number
  /** Leaves at all depths. */
  readonly files: number
  /** Leaves below `depth`; undefined where that is not known. */
  readonly deeper: number | undefined
}

export interface LayoutOptions {
  /** Where the layout begins: entries of this folder have depth 1. */
  readonly root: string
  readonly depth: number | undefined
  readonly minDepth: number
  /** Without `depth`: as deep as this many entries allow. */
  readonly limit: number
  readonly matches: (path: string) => boolean
}

interface Folder {
  readonly path: string
  readonly depth: number
  readonly leaves: Leaf[]
  readonly folders: Map<string, Folder>
  files: number
  closed: boolean
}

/** Arranges a tree by folders; pauses as `pace` says. */
export async function layOut(tree: Tree, options: LayoutOptions, pace: Pace): Promise<Layout> {
  const { minDepth } = options
  const { top, leavesAt, foldersAt } = await growTree(tree, options, pace)
  const deepest = Math.max(minDepth, leavesAt.length - 1, foldersAt.length - 1)
  const depth = options.depth ?? depthWithin(options, leavesAt, foldersAt, deepest)
  const deeper = sum(leavesAt.slice(depth + 1))
  const isClosed = tree.closed.some((path) => depthOf(path, options.root) === depth)
  return {
    groups: groupsOf(top, depth, minDepth),
    depth,
    files: sum(leavesAt),
    deeper: isClosed && !tree.truncated ? undefined : deeper,
  }
}

async function growTree({ leaves, closed }: Tree, { root, matches }: LayoutOptions, pace: Pace) {
  const top: Folder = {
    path: root,
    depth: 0,
    leaves: [],
    folders: new Map(),
    files: 0,
    closed: false,
  }
  const leavesAt: number[] = [0]
  const foldersAt: number[] = [0]

  const folderFor = (path: string, files: number): Folder => {
    let folder = top
    for (const name of namesOf(path, root)) {
      let next = folder.folders.get(name)
      if (!next) {
        const depth = folder.depth + 1
        const whole = folder.path ? `${folder.path}/${name}` : name
        next = { path: whole, depth, leaves: [], folders: new Map(), files: 0, closed: false }
        folder.folders.set(name, next)
        foldersAt[depth] = (foldersAt[depth] ?? 0) + 1
      }
      next.files += files
      folder = next
    }
    return folder
  }

  for (const leaf of leaves) {
    if (matches(leaf.path)) {
      const folder = folderFor(parentOf(leaf.path), 1)
      folder.leaves.push(leaf)
      leavesAt[folder.depth + 1] = (leavesAt[folder.depth + 1] ?? 0) + 1
    }
    await (pace() ?? null)
  }
  for (const path of closed) folderFor(path, 0).closed = true
  return { top, leavesAt, foldersAt }
}

/** The greatest depth at which no more than `limit` entries are shown. */
function depthWithin(
  { limit, minDepth }: LayoutOptions,
  leavesAt: readonly number[],
  foldersAt: readonly number[],
  deepest: number,
): number {
  let leaves = 0
  let depth = minDepth
  for (let next = minDepth; next <= deepest; next += 1) {
    leaves += leavesAt[next] ?? 0
    if (leaves + (foldersAt[next] ?? 0) <= limit) depth = next
  }
  return depth
}

function groupsOf(top: Folder, depth: number, minDepth: number): Group[] {
  const groups: Group[] = []
  const ahead = [top]
  for (let folder = ahead.pop(); folder; folder = ahead.pop()) {
    const inside = [...folder.folders.values()]
    const isShown = folder.depth + 1 >= minDepth
    const shut = inside.filter(({ closed }) => closed || folder.depth + 1 === depth)
    if (isShown) {
      const entries = [...folder.leaves, ...shut.map(shutEntry)]
      if (entries.length > 0) groups.push({ folder: folder.path, depth: folder.depth, entries })
    }
    if (folder.depth + 1 < depth) {
      ahead.push(...inside.filter(({ closed }) => !closed).reverse())
    }
  }
  return groups
}

function shutEntry({ closed, files, path }: Folder): TreeEntry {
  return { path, type: 'dir', size: null, files: closed ? null : files }
}

const sum = (numbers: readonly (number | undefined)[]) =>
  numbers.reduce<number>((total, number) => total + (number ?? 0), 0)

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')))

function namesOf(path: string, root: string): string[] {
  const inside = root ? path.slice(root.length + 1) : path
  return inside === '' ? [] : inside.split('/')
}

const depthOf = (path: string, root: string) => namesOf(path, root).length
