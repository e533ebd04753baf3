import { Type } from '@sinclair/typebox'
import { type Draft, defineProvider, type Piece } from '../core/provider.ts'
import { oneLine } from '../core/quote.ts'
import { blockFields, type Omission, repositoryParams } from '../core/schemas.ts'
import { lines } from './common/render.ts'
import { releasesTag } from './common/tags.ts'
import { type Window, windowsOf } from './common/windows.ts'
import {
  type GitHubRelease,
  notesOf,
  releaseFacts,
  releaseFields,
  releaseFieldsOf,
  repositoryOf,
} from './repo/releases.ts'

/** Assets of a piece: they are kept or left out together. */
const TOGETHER = 50

type Asset = ReturnType<typeof releaseFieldsOf>['assets'][number]

export const githubRelease = defineProvider({
  type: 'github_release',
  blockType: 'github_release',
  title: 'Release',
  description: 'One release by its tag, or the latest: notes, and assets with sizes and downloads.',
  uri: 'github://{owner}/{repo}/releases/tag/{+tag}',
  pages: ['github://{owner}/{repo}/releases/{tag}'],
  params: Type.Object(
    {
      ...repositoryParams,
      tag: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 255,
          pattern: '^[^\\x00-\\x20\\x7f]+$',
          default: 'latest',
          description: 'Tag of the release; `latest` for what the repository calls its latest',
          examples: ['v1.0.0'],
        }),
      ),
      offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100_000,
          description: 'Assets to skip; then the assets come alone, without the notes',
        }),
      ),
      limit: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 1_000,
          description: 'Assets at most; 0 for the notes alone. All unless given',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({ ...blockFields, ...releaseFields }),
  example: { owner: 'octocat', repo: 'Hello-World', tag: 'latest' },
  cache: { freshFor: 300, staleFor: 3_600, keepFor: 86_400 },
  tags: ({ owner, repo }) => [releasesTag(owner, repo)],
  async fetch({ owner, repo, tag = 'latest', offset, limit }, { github }) {
    const base = '/repos/{owner}/{repo}/releases'
    const release =
      tag === 'latest'
        ? await github.get<GitHubRelease>(`${base}/latest`, 'tag_name', { params: { owner, repo } })
        : await github.get<GitHubRelease>(`${base}/tags/{tag}`, 'tag_name', {
            params: { owner, repo, tag },
          })
    const [realOwner, realRepo] = repositoryOf(release) ?? [owner, repo]
    const place = { owner: realOwner, repo: realRepo }
    const { assets } = release
    const next = (window: Partial<Window>) => ({
      context_type: 'github_release',
      params: { ...place, tag: release.tag_name, ...window },
    })
    const end = (offset ?? 0) + (limit ?? assets.length)
    return {
      repository: place,
      // Strangers see no drafts.
      visibility: release.draft ? 'private' : 'repository',
      omitted:
        limit !== 0 && end < assets.length
          ? [
              {
                what: 'assets',
                count: assets.length - end,
                reason: 'limit',
                next: next({ offset: end, limit: limit ?? assets.length }),
              },
            ]
          : [],
      blocks: [draftOf(release, place, { offset, limit }, next)],
    }
  },
})

interface AssetsPiece extends Piece {
  readonly assets: readonly Asset[]
  /** Of the first asset, in the whole list. */
  readonly position: number
}

const isAssets = (piece: Piece): piece is AssetsPiece => 'assets' in piece

function draftOf(
  release: GitHubRelease,
  { owner, repo }: { readonly owner: string; readonly repo: string },
  { limit, offset }: { readonly [Part in keyof Window]: number | undefined },
  next: (window: Partial<Window>) => NonNullable<Omission['next']>,
): Draft {
  const { assets, ...about } = releaseFieldsOf(release)
  const notes: Piece = {
    part: 'notes',
    text: notesOf(release) || '(no notes)',
    by: notesOf(release) ? 'repository' : 'service',
    rank: 0,
  }
  return {
    id: `github_release:${owner}/${repo}@${about.tag}`,
    title: about.name || about.tag,
    url: release.html_url,
    head: lines(
      `# Release ${oneLine(about.tag)} of ${owner}/${repo}`,
      release.html_url,
      releaseFacts(release),
    ),
    by: 'repository',
    pieces: [
      ...(offset === undefined ? [notes] : []),
      ...assetPieces(assets, offset ?? 0, limit ?? assets.length),
    ],
    fields(kept) {
      const shown = kept.find(({ piece }) => piece === notes)?.text ?? ''
      return {
        ...about,
        notes: notesOf(release) && shown,
        assets: kept.flatMap(({ piece }) => (isAssets(piece) ? piece.assets : [])),
      }
    },
    omit(dropped, cut, reason) {
      const lost = [...dropped, ...cut]
      const places = lost
        .filter(isAssets)
        .flatMap((piece) => piece.assets.map((_asset, at) => piece.position + at))
      return [
        ...(lost.includes(notes)
          ? [{ what: 'notes', count: 1, reason, next: next({ limit: 0 }) }]
          : []),
        ...windowsOf(places, 1_000).map((window) => ({
          what: 'assets',
          count: window.limit,
          reason,
          next: next(window),
        })),
      ]
    },
  }
}

function assetPieces(assets: readonly Asset[], offset: number, limit: number): AssetsPiece[] {
  const pieces: AssetsPiece[] = []
  const end = Math.min(assets.length, offset + limit)
  for (let at = offset; at < end; at += TOGETHER) {
    const some = assets.slice(at, Math.min(end, at + TOGETHER))
    pieces.push({
      part: 'assets',
      ...(at === offset && { heading: '## Assets: name, bytes, downloads' }),
      text: some.map(({ name, size, downloads }) => `${name} ${size} ${downloads}`).join('\n'),
      by: 'repository',
      rank: 1,
      whole: true,
      assets: some,
      position: at,
    })
  }
  return pieces
}
