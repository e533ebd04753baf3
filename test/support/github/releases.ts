import { profileOf } from './accounts.ts'
import { documented } from './recordings.ts'
import type { ReleaseBody, UserBody, World } from './types.ts'
import { nextId, nodeId, type RepositoryRef, repositoryOf, timestamp, touch } from './world.ts'

export interface ReleaseOptions {
  tag_name: string
  /** Names of files, or whole assets. */
  assets?: readonly (string | Readonly<Record<string, unknown>>)[]
  /** A login, or null for a deleted account. */
  author?: string | null
  [field: string]: unknown
}

/** A release cloned from the documented one, without assets unless given. */
export function addRelease(world: World, ref: RepositoryRef, options: ReleaseOptions): ReleaseBody {
  const repository = repositoryOf(world, ref)
  const name = repository.body.full_name
  const template = documented('GET', '/repos/{owner}/{repo}/releases/tags/{tag}') as ReleaseBody
  const { assets = [], author = 'octocat', ...overrides } = options
  const id = nextId(world)
  const { tag_name } = options
  const text = JSON.stringify(template)
    .replaceAll('octocat/Hello-World', name)
    .replaceAll(/releases\/1(?=["/{])/g, `releases/${id}`)
    .replaceAll('v1.0.0', tag_name)
  const { assets: documentedAssets, ...body } = JSON.parse(text)
  const now = timestamp(world.now())
  const user = author === null ? null : profileOf(world, author)
  const made: ReleaseBody = Object.freeze({
    ...body,
    id,
    node_id: nodeId('Release', id),
    created_at: now,
    published_at: options.draft ? null : now,
    author: user,
    ...overrides,
    assets: assets.map((asset) => assetOf(world, documentedAssets[0], asset, user)),
  })
  repository.releases.push(made)
  touch(world)
  return made
}

function assetOf(
  world: World,
  template: Readonly<Record<string, unknown>>,
  asset: string | Readonly<Record<string, unknown>>,
  uploader: UserBody | null,
): object {
  const id = nextId(world)
  const given = typeof asset === 'string' ? { name: asset } : asset
  const url = String(template.browser_download_url).replace('example.zip', String(given.name))
  const api = String(template.url).replace(/\d+$/, String(id))
  return { ...template, url: api, browser_download_url: url, id, uploader, ...given }
}
