import { Type } from '@sinclair/typebox'
import { defineProvider, type Kept, type Piece } from '../core/provider.ts'
import { blockFields, type Omission, repositoryParams } from '../core/schemas.ts'
import { presentName } from './common/presentName.ts'
import { facts } from './common/render.ts'
import { releasesTag } from './common/tags.ts'
import { windowsOf } from './common/windows.ts'
import {
  type GitHubRelease,
  notesOf,
  releaseFields,
  releaseFieldsOf,
  releaseHeading,
  repositoryOf,
} from './repo/releases.ts'

/** Names of assets shown of each release. */
const ASSETS_SHOWN = 10

export const githubReleases = defineProvider({
  type: 'github_releases',
  blockType: 'github_releases',
  title: 'Releases of a repository',
  description: 'Releases, the newest first: notes, dates, and the names of their assets.',
  uri: 'github://{owner}/{repo}/releases',
  params: Type.Object(
    {
      ...repositoryParams,
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 100, default: 10, description: 'Releases at most' }),
      ),
      offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 10_000,
          default: 0,
          description: 'Releases to skip; take it from `omitted[].next`',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({ ...blockFields, releases: Type.Array(Type.Object(releaseFields)) }),
  example: { owner: 'octocat', repo: 'Hello-World', limit: 5 },
  cache: { freshFor: 300, staleFor: 3_600, keepFor: 86_400 },
  tags: ({ owner, repo }) => [releasesTag(owner, repo)],
  async fetch({ owner, repo, limit = 10, offset = 0 }, { github, webUrl }) {
    const { items, more } = await github.list<GitHubRelease>('/repos/{owner}/{repo}/releases', {
      params: { owner, repo },
      offset,
      limit,
    })
    const told = items[0] && repositoryOf(items[0])
    const place = await presentName(
      github,
      { owner, repo },
      told && { owner: told[0], repo: told[1] },
    )
    const name = `${place.owner}/${place.repo}`
    const next = (context_type: string, params: object) => ({
      context_type,
      params: { ...place, ...params },
    })
    const end = offset + items.length
    const rest: Omission = {
      what: 'releases',
      reason: 'limit',
      next: next('github_releases', { offset: end, limit }),
    }
    return {
      repository: place,
      // Strangers see no drafts.
      visibility: items.some(({ draft }) => draft) ? 'private' : 'repository',
      omitted: [
        ...(more ? [rest] : []),
        ...items.flatMap(({ assets, tag_name }) =>
          assets.length > ASSETS_SHOWN
            ? [
                {
                  what: `assets of ${tag_name}`,
                  count: assets.length - ASSETS_SHOWN,
                  reason: 'limit',
                  next: next('github_release', { tag: tag_name, offset: ASSETS_SHOWN }),
                },
              ]
            : [],
        ),
      ],
      blocks: [
        {
          id: `github_releases:${name}`,
          title: `Releases of ${name}`,
          url: `${webUrl}/${name}/releases`,
          head: `# ${items.length} releases of ${name}`,
          by: 'service',
          pieces: items.map((release, index) => pieceOf(release, offset + index)),
          fields: (kept) => ({ releases: kept.map(listed) }),
          omit: (dropped, cut, reason) =>
            windowsOf([...dropped, ...cut].map((piece) => (piece as ReleasePiece).position)).map(
              (window) => ({
                what: 'releases',
                count: window.limit,
                reason,
                next: next('github_releases', window),
              }),
            ),
        },
      ],
    }
  },
})

interface ReleasePiece extends Piece {
  readonly release: GitHubRelease
  /** In GitHub's list. */
  readonly position: number
}

function pieceOf(release: GitHubRelease, position: number): ReleasePiece {
  const names = release.assets.slice(0, ASSETS_SHOWN).map(({ name }) => name)
  const more = release.assets.length - names.length
  const assets = names.length > 0 && `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  return {
    part: 'releases',
    heading: releaseHeading(release, facts({ Assets: assets })),
    text: notesOf(release) || '(no notes)',
    by: 'repository',
    rank: position,
    release,
    position,
  }
}

function listed({ piece, text }: Kept) {
  const { release } = piece as ReleasePiece
  const fields = releaseFieldsOf(release)
  return {
    ...fields,
    notes: notesOf(release) && text,
    assets: fields.assets.slice(0, ASSETS_SHOWN),
  }
}
