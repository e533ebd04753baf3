import type { components } from '@octokit/openapi-types'
import { Type } from '@sinclair/typebox'
import { oneLine } from '../../core/quote.ts'
import { Nullable } from '../../core/schemas.ts'
import { facts, lines, loginOf } from '../common/render.ts'

export type GitHubRelease = components['schemas']['release']

const Asset = Type.Object({
  name: Type.String(),
  size: Type.Integer({ description: 'Bytes' }),
  downloads: Type.Integer(),
  url: Type.String({ description: 'Where it is downloaded' }),
})

/** What every form of a release tells. */
export const releaseFields = {
  tag: Type.String(),
  name: Nullable(Type.String()),
  author: Type.String({ description: 'Login; `ghost` for a deleted account' }),
  draft: Type.Boolean(),
  prerelease: Type.Boolean(),
  created_at: Type.String({ description: 'Date of the commit that was released' }),
  published_at: Nullable(Type.String()),
  notes: Type.String(),
  assets: Type.Array(Asset),
}

/** All but the notes, which are cut to fit. */
export function releaseFieldsOf(release: GitHubRelease) {
  return {
    tag: release.tag_name,
    name: release.name,
    author: loginOf(release.author),
    draft: release.draft,
    prerelease: release.prerelease,
    created_at: release.created_at,
    published_at: release.published_at,
    assets: release.assets.map(({ name, size, download_count, browser_download_url }) => ({
      name,
      size,
      downloads: download_count,
      url: browser_download_url,
    })),
  }
}

export const notesOf = ({ body }: GitHubRelease): string => body?.trim() ?? ''

export function releaseFacts(release: GitHubRelease): string {
  const { author, draft, name, prerelease, published_at, tag } = releaseFieldsOf(release)
  return facts({
    Name: name !== tag && name,
    State: draft ? 'draft' : prerelease && 'prerelease',
    Published: published_at,
    Author: author,
  })
}

export function releaseHeading(release: GitHubRelease, assets: string | false): string {
  return lines(`## ${oneLine(release.tag_name)}`, releaseFacts(release), assets)
}

/** Owner and name as GitHub spells them, also after a rename. */
export function repositoryOf({ url }: Pick<GitHubRelease, 'url'>): [string, string] | undefined {
  const [, owner, repo] = /\/repos\/([^/]+)\/([^/]+)\/releases\//.exec(url) ?? []
  return owner !== undefined && repo !== undefined ? [owner, repo] : undefined
}
