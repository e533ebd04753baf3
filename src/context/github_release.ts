import { Type } from '@sinclair/typebox'
import { type Draft, defineProvider, type Piece } from '../core/provider.ts'
import { oneLine } from '../core/quote.ts'
import { blockFields, repositoryParams } from '../core/schemas.ts'
import { lines } from './common/render.ts'
import { releasesTag } from './common/tags.ts'
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
    },
    { additionalProperties: false },
  ),
  block: Type.Object({ ...blockFields, ...releaseFields }),
  example: { owner: 'octocat', repo: 'Hello-World', tag: 'latest' },
  cache: { freshFor: 300, staleFor: 3_600, keepFor: 86_400 },
  tags: ({ owner, repo }) => [releasesTag(owner, repo)],
  async fetch({ owner, repo, tag = 'latest' }, { github }) {
    const base = '/repos/{owner}/{repo}/releases'
    const release =
      tag === 'latest'
        ? await github.get<GitHubRelease>(`${base}/latest`, 'tag_name', { params: { owner, repo } })
        : await github.get<GitHubRelease>(`${base}/tags/{tag}`, 'tag_name', {
            params: { owner, repo, tag },
          })
    const [realOwner, realRepo] = repositoryOf(release) ?? [owner, repo]
    const place = { owner: realOwner, repo: realRepo }
    return {
      repository: place,
      // Strangers see no drafts.
      visibility: release.draft ? 'private' : 'repository',
      omitted: [],
      blocks: [draftOf(release, place)],
    }
  },
})

interface AssetsPiece extends Piece {
  readonly assets: readonly Asset[]
}

function draftOf(release: GitHubRelease, { owner, repo }: { owner: string; repo: string }): Draft {
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
    pieces: [notes, ...assetPieces(assets)],
    fields(kept) {
      const shown = kept.find(({ piece }) => piece === notes)?.text ?? ''
      return {
        ...about,
        notes: notesOf(release) && shown,
        assets: kept.flatMap(({ piece }) =>
          'assets' in piece ? (piece as AssetsPiece).assets : [],
        ),
      }
    },
    omit: (dropped, cut, reason) =>
      [...dropped, ...cut].map((piece) => ({
        what: piece.part,
        count: 'assets' in piece ? (piece as AssetsPiece).assets.length : 1,
        reason,
        next: { context_type: 'github_release', params: { owner, repo, tag: about.tag } },
      })),
  }
}

function assetPieces(assets: readonly Asset[]): AssetsPiece[] {
  const pieces: AssetsPiece[] = []
  for (let at = 0; at < assets.length; at += TOGETHER) {
    const some = assets.slice(at, at + TOGETHER)
    pieces.push({
      part: 'assets',
      ...(at === 0 && { heading: '## Assets: name, bytes, downloads' }),
      text: some.map(({ name, size, downloads }) => `${name} ${size} ${downloads}`).join('\n'),
      by: 'repository',
      rank: 1,
      whole: true,
      assets: some,
    })
  }
  return pieces
}
