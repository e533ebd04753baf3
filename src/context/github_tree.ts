import { Type } from '@sinclair/typebox'
import { type Draft, defineProvider, type Piece } from '../core/provider.ts'
import { oneLine } from '../core/quote.ts'
import { blockFields, type Omission, Path, Ref, repositoryParams } from '../core/schemas.ts'
import { createPace } from '../core/tokens.ts'
import { isSha, policyFor } from './common/freshness.ts'
import { facts, lines } from './common/render.ts'
import { refsTag } from './common/tags.ts'
import { windowsOf } from './common/windows.ts'
import { compileGlob } from './tree/glob.ts'
import { type Group, type Layout, layOut, type TreeEntry } from './tree/layout.ts'
import { entryLine, ListedEntry } from './tree/lines.ts'
import { readTree, type Tree } from './tree/source.ts'

/** Entries of a piece: they are kept or left out together. */
const TOGETHER = 50

const Depth = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description }))

export const githubTree = defineProvider({
  type: 'github_tree',
  blockType: 'github_tree',
  title: 'File tree',
  description:
    'The files and folders of a repository with their sizes: as deep as fits, below a path, or by a pattern.',
  uri: 'github://{owner}/{repo}/tree/{ref}/{+path}',
  params: Type.Object(
    {
      ...repositoryParams,
      path: Type.Optional({ ...Path, description: 'Folder to begin at, the root unless given' }),
      ref: Type.Optional(Ref),
      depth: Depth('Levels of folders shown; as many as `limit` allows unless given'),
      min_depth: Depth('Only what is at least so many levels deep; take it from `omitted[].next`'),
      pattern: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 200,
          description:
            'Only files whose whole path matches: `*`, `?`, `**`, `{a,b}`; without a slash, files of such a name anywhere',
        }),
      ),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 10_000,
          default: 1_000,
          description: 'Entries at most',
        }),
      ),
      offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 1_000_000,
          default: 0,
          description: 'Entries to skip; take it from `omitted[].next`',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    path: Type.String({ description: 'Empty for the root' }),
    ref: Type.String(),
    depth: Type.Integer({ description: 'Levels of folders shown' }),
    files: Type.Integer({ description: 'Files at all depths, as far as GitHub lists them' }),
    truncated: Type.Boolean({ description: 'Whether GitHub lists no more of so large a tree' }),
    entries: Type.Array(ListedEntry),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', depth: 2 },
  cache: { freshFor: 300, staleFor: 3_600, keepFor: 86_400 },
  tags: ({ owner, repo, ref }) => (isSha(ref) ? [] : [refsTag(owner, repo)]),
  async fetch(params, { github, webUrl }) {
    const { owner, repo, ref, depth, min_depth = 1, pattern, limit = 1_000, offset = 0 } = params
    const root = (params.path ?? '').replace(/^\/+|\/+$/g, '')
    const matches = pattern === undefined ? () => true : compileGlob(pattern)
    const deep = depth !== 1 || min_depth > 1 || pattern !== undefined
    const tree = await readTree(github, { owner, repo, path: root, ref }, deep)
    const options = {
      root,
      depth: depth && Math.max(depth, min_depth),
      minDepth: min_depth,
      limit,
      matches,
    }
    const layout = await layOut(tree, options, createPace())
    const asked: Asked = {
      owner: tree.owner,
      repo: tree.repo,
      ...(root && { path: root }),
      ...(ref && { ref }),
      ...(pattern && { pattern }),
      limit,
    }
    const place = { root, ref: ref ?? 'HEAD', minDepth: min_depth, webUrl }
    return {
      repository: { owner: tree.owner, repo: tree.repo },
      visibility: 'repository',
      ...windowOf(tree, layout, asked, { ...place, offset, limit }),
      cache: () => policyFor(ref),
    }
  },
})

/** Params that every request for the rest repeats. */
type Asked = Readonly<Record<string, string | number>>

interface Place {
  readonly root: string
  readonly ref: string
  readonly minDepth: number
  readonly webUrl: string
  readonly offset: number
  readonly limit: number
}

interface EntriesPiece extends Piece {
  readonly entries: readonly TreeEntry[]
  /** Of the first entry, in the whole layout. */
  readonly position: number
}

function windowOf(tree: Tree, layout: Layout, asked: Asked, place: Place) {
  const { minDepth, offset, limit } = place
  const { depth, deeper } = layout
  const total = layout.groups.reduce((sum, { entries }) => sum + entries.length, 0)
  const end = Math.min(total, offset + limit)
  const next = (more: Asked) => ({ context_type: 'github_tree', params: { ...asked, ...more } })
  const window = (from: number, count: number) =>
    next({ depth, ...(minDepth > 1 && { min_depth: minDepth }), offset: from, limit: count })
  const omitted: Omission[] = []
  if (end < total) {
    omitted.push({ what: 'entries', count: total - end, reason: 'limit', next: window(end, limit) })
  } else {
    if (deeper !== 0) {
      omitted.push({
        what: 'entries',
        ...(deeper !== undefined && { count: deeper }),
        reason: 'depth',
        next: next({ min_depth: depth + 1 }),
      })
    }
    if (tree.truncated && minDepth === 1) omitted.push(...closedOmissions(tree, asked))
  }
  return { omitted, blocks: [draftOf(tree, layout, { ...place, end, total, window })] }
}

/** GitHub's way to the rest of a tree that it cut: one folder at a time. */
function closedOmissions({ closed, incomplete }: Tree, asked: Asked): Omission[] {
  const reason = 'github_tree_limit'
  const inFolders = closed.map((path) => ({
    what: `entries of ${path}`,
    reason,
    next: { context_type: 'github_tree', params: { ...asked, path } },
  }))
  return incomplete ? [...inFolders, { what: 'entries', reason }] : inFolders
}

interface Shown extends Place {
  readonly end: number
  readonly total: number
  window(from: number, count: number): NonNullable<Omission['next']>
}

function draftOf(tree: Tree, layout: Layout, shown: Shown): Draft {
  const { root, ref, webUrl, offset, end, total, window } = shown
  const name = `${tree.owner}/${tree.repo}`
  const path = `${ref}/${root}`.split('/').map(encodeURIComponent).join('/')
  const url = `${webUrl}/${name}/tree/${path}`
  const pieces: EntriesPiece[] = []
  let position = 0
  for (const group of layout.groups) {
    pieces.push(...piecesOf(group, position, offset, end))
    position += group.entries.length
  }
  return {
    id: `github_tree:${name}@${ref}:${root}`,
    title: root ? `${name}/${root}` : name,
    url: url.replace(/\/$/, ''),
    head: lines(
      `# Files of ${name} at ${oneLine(ref)}, sizes in bytes`,
      facts({
        Entries: end > offset ? `${offset + 1}–${end} of ${total}` : `none of ${total}`,
        Files: layout.files,
        Depth: layout.depth,
        Truncated: tree.truncated && 'GitHub lists no more of so large a tree at once',
      }),
    ),
    by: root ? 'repository' : 'service',
    pieces,
    fields: (kept) => ({
      path: root,
      ref,
      depth: layout.depth,
      files: layout.files,
      truncated: tree.truncated,
      entries: kept.flatMap(({ piece }) => (piece as EntriesPiece).entries),
    }),
    omit: (dropped, _cut, reason) =>
      windowsOf(dropped.flatMap((piece) => positionsOf(piece as EntriesPiece))).map(
        ({ offset: from, limit: count }) => ({
          what: 'entries',
          count,
          reason,
          next: window(from, count),
        }),
      ),
  }
}

/** Those entries of a folder that are in the window. */
function piecesOf({ folder, depth, entries }: Group, start: number, from: number, to: number) {
  const pieces: EntriesPiece[] = []
  const last = Math.min(entries.length, to - start)
  for (let at = Math.max(0, from - start); at < last; at += TOGETHER) {
    const some = entries.slice(at, Math.min(last, at + TOGETHER))
    pieces.push({
      part: 'entries',
      ...(folder && { heading: `## ${oneLine(folder)}/` }),
      text: some.map(entryLine).join('\n'),
      by: 'repository',
      rank: depth,
      whole: true,
      entries: some,
      position: start + at,
    })
  }
  return pieces
}

const positionsOf = ({ position, entries }: EntriesPiece) =>
  entries.map((_entry, index) => position + index)
