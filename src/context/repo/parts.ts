import type { components } from '@octokit/openapi-types'
import { Type } from '@sinclair/typebox'
import { ServiceError } from '../../core/errors.ts'
import type { GitHub } from '../../core/github.ts'
import type { Kept, Piece } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { Nullable, type Omission } from '../../core/schemas.ts'
import { createPace } from '../../core/tokens.ts'
import type { PartWindow } from '../common/partWindow.ts'
import { facts } from '../common/render.ts'
import { readText } from '../file/content.ts'
import { layOut } from '../tree/layout.ts'
import { entryLine, ListedEntry } from '../tree/lines.ts'
import { readTree } from '../tree/source.ts'
import { readContributors } from './contributors.ts'
import {
  type GitHubRelease,
  notesOf,
  releaseFields,
  releaseFieldsOf,
  releaseHeading,
} from './releases.ts'

/** What a repository can be asked for besides itself, in reading order. */
export const PARTS = ['languages', 'tree', 'releases', 'commits', 'contributors', 'readme'] as const
export type PartName = (typeof PARTS)[number]

/** A part with its place in the answer. */
export interface Part {
  readonly pieces: readonly Piece[]
  /** Its fields, with no more than what was kept; not asked where nothing was. */
  fields(kept: readonly Kept[]): Record<string, unknown>
  /** The request that fetches what was left out of it. */
  readonly next: NonNullable<Omission['next']>
  /** What was not fetched. */
  readonly omitted: readonly Omission[]
}

export interface Place {
  readonly owner: string
  readonly repo: string
}

/** An object always has this: languages have no field that all have. */
const ANY = 'constructor'
const COMMITS = 10
const ENTRIES = 100

const Commit = Type.Object({
  sha: Type.String(),
  date: Nullable(Type.String()),
  author: Type.String({
    description: 'Login, or the name in the commit where there is no account',
  }),
  subject: Type.String({ description: 'First line of the message' }),
})

const { assets: _assets, ...releaseWithoutAssets } = releaseFields

/** Fields that are there where their part was asked for, and is there. */
export const partFields = {
  languages: Type.Optional(
    Type.Array(Type.Object({ name: Type.String(), percent: Type.Number() }), {
      description: 'By bytes of code, the most used first',
    }),
  ),
  tree: Type.Optional(Type.Array(ListedEntry, { description: 'The top of the tree' })),
  latest_release: Type.Optional(Type.Object(releaseWithoutAssets)),
  commits: Type.Optional(Type.Array(Commit, { description: 'The newest of the default branch' })),
  contributors: Type.Optional(
    Type.Array(Type.Object({ login: Type.String(), commits: Type.Integer() }), {
      description: 'Who has the most commits',
    }),
  ),
  readme: Type.Optional(Type.String()),
  readme_path: Type.Optional(Type.String()),
}

type Read = (
  github: GitHub,
  place: Place,
  rank: number,
  window?: PartWindow,
) => Promise<Part | undefined>

const readers: Readonly<Record<PartName, Read>> = {
  languages: readLanguages,
  tree: readTop,
  releases: readLatestRelease,
  commits: readCommits,
  contributors: readContributors,
  readme: readReadme,
}

/**
 * A part; undefined where the repository has none (404, or 409 where it is empty), an omission where
 * the credential may not read it.
 * @throws ServiceError `upstream_*`
 */
export async function readPart(
  name: PartName,
  github: GitHub,
  place: Place,
  window?: PartWindow,
): Promise<Part | Omission | undefined> {
  try {
    return await readers[name](github, place, FIRST_RANK + RANKS.indexOf(name), window)
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    const { code, upstreamStatus } = error
    if (upstreamStatus === 404 || upstreamStatus === 409) return undefined
    if (code === 'upstream_forbidden') return { what: name, reason: 'forbidden' }
    throw error
  }
}

/** What says the most of a repository in the fewest words comes first. */
const RANKS: readonly PartName[] = [
  'languages',
  'tree',
  'readme',
  'releases',
  'commits',
  'contributors',
]
const FIRST_RANK = 3

async function readLanguages(github: GitHub, place: Place, rank: number) {
  const params = { ...place }
  const sizes = await github.get<Record<string, number>>('/repos/{owner}/{repo}/languages', ANY, {
    params,
  })
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0)
  if (total === 0) return undefined
  const languages = Object.entries(sizes).map(([name, size]) => ({
    name,
    percent: Math.round((size / total) * 1_000) / 10,
  }))
  const text = languages.map(({ name, percent }) => `${name} ${percent} %`).join(', ')
  const piece = whole('languages', facts({ Languages: text }), rank)
  return {
    pieces: [{ ...piece, by: 'service' as const }],
    fields: () => ({ languages }),
    next: again(place, 'languages'),
    omitted: [],
  }
}

async function readTop(github: GitHub, place: Place, rank: number) {
  const tree = await readTree(github, { ...place, path: '', ref: undefined }, false)
  const all = { root: '', depth: 1, minDepth: 1, limit: ENTRIES, matches: () => true }
  const { groups } = await layOut(tree, all, createPace())
  const entries = groups[0]?.entries ?? []
  if (entries.length === 0) return undefined
  const shown = entries.slice(0, ENTRIES)
  const next = (params: object) => ({
    context_type: 'github_tree',
    params: { ...place, ...params },
  })
  const text = shown.map(entryLine).join('\n')
  const top = { depth: 1, offset: ENTRIES }
  return {
    pieces: [whole('tree', text, rank, '## Files, sizes in bytes')],
    fields: () => ({ tree: shown }),
    next: next({ depth: 1 }),
    // The end of the list tells by itself what lies deeper.
    omitted:
      entries.length > ENTRIES
        ? [{ what: 'tree', count: entries.length - ENTRIES, reason: 'limit', next: next(top) }]
        : tree.closed.length > 0
          ? [{ what: 'tree', reason: 'depth', next: next({ min_depth: 2 }) }]
          : [],
  }
}

async function readLatestRelease(github: GitHub, place: Place, rank: number) {
  const params = { ...place }
  const path = '/repos/{owner}/{repo}/releases/latest'
  const release = await github.get<GitHubRelease>(path, 'tag_name', { params })
  const { assets: _, ...about } = releaseFieldsOf(release)
  const piece: Piece = {
    part: 'releases',
    heading: releaseHeading(release, false).replace('## ', '## Latest release: '),
    text: notesOf(release) || '(no notes)',
    by: 'repository',
    rank,
  }
  return {
    pieces: [piece],
    fields: ([kept]: readonly Kept[]) => ({
      latest_release: { ...about, notes: notesOf(release) && (kept?.text ?? '') },
    }),
    next: { context_type: 'github_release', params: { ...place, tag: release.tag_name } },
    omitted: [
      {
        what: 'releases',
        reason: 'latest_only',
        next: { context_type: 'github_releases', params: { ...place } },
      },
    ],
  }
}

type GitHubCommit = Pick<components['schemas']['commit'], 'sha' | 'commit' | 'author'>

async function readCommits(github: GitHub, place: Place, rank: number) {
  const { items, more } = await github.list<GitHubCommit>('/repos/{owner}/{repo}/commits', {
    params: { ...place },
    limit: COMMITS,
  })
  if (items.length === 0) return undefined
  const commits = items.map(({ author, commit, sha }) => ({
    sha,
    date: commit.author?.date ?? null,
    author: loginOf(author) ?? commit.author?.name ?? 'unknown',
    subject: oneLine(commit.message.split('\n', 1)[0] ?? ''),
  }))
  const text = commits
    .map(
      (one) =>
        `${one.sha.slice(0, 7)} ${one.date?.slice(0, 10) ?? 'undated'} ${oneLine(one.author)}: ${one.subject}`,
    )
    .join('\n')
  const next = (params: object) => ({
    context_type: 'github_commits',
    params: { ...place, ...params },
  })
  return {
    pieces: [whole('commits', text, rank, '## Newest commits')],
    fields: () => ({ commits }),
    next: next({ limit: COMMITS }),
    omitted: more ? [{ what: 'commits', reason: 'limit', next: next({ offset: COMMITS }) }] : [],
  }
}

const loginOf = (user: GitHubCommit['author']): string | undefined =>
  user && 'login' in user ? user.login : undefined

async function readReadme(github: GitHub, place: Place, rank: number) {
  const file = await github.get<components['schemas']['content-file']>(
    '/repos/{owner}/{repo}/readme',
    'path',
    { params: { ...place } },
  )
  const next = { context_type: 'github_file', params: { ...place, path: file.path } }
  const text = file.encoding === 'base64' && readText(Buffer.from(file.content, 'base64'))?.text
  const piece: Piece = {
    part: 'readme',
    heading: `## ${oneLine(file.path)}`,
    text: text || '',
    by: 'repository',
    rank,
  }
  return {
    pieces: text ? [piece] : [],
    fields: ([kept]: readonly Kept[]) => ({
      readme_path: file.path,
      readme: kept?.text ?? '',
    }),
    next,
    omitted: text || file.size === 0 ? [] : [{ what: 'readme', reason: 'no_text', next }],
  }
}

function whole(part: PartName, text: string, rank: number, heading?: string): Piece {
  return { part, ...(heading && { heading }), text, by: 'repository', rank, whole: true }
}

function again(place: Place, part: PartName) {
  return { context_type: 'github_repo', params: { ...place, include: [part] } }
}
