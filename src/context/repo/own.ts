import type { components } from '@octokit/openapi-types'
import { Type } from '@sinclair/typebox'
import { defineProvider, type Piece } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { blockFields, Nullable, type Omission } from '../../core/schemas.ts'
import { facts } from '../common/render.ts'
import { repositoryWord } from '../common/visibility.ts'
import { type Window, windowsOf } from '../common/windows.ts'

type Repository = components['schemas']['repository']

const LIMIT = 100

interface RepositoryPiece extends Piece {
  readonly repository: Repository
  /** In GitHub's list. */
  readonly position: number
}

/**
 * The repositories that the credential owns or was given access to, the last pushed to first. Not a
 * context type of its own: doors list it where they say whose credential is used.
 */
export const ownRepositories = defineProvider({
  type: 'own_repositories',
  blockType: 'own_repositories',
  title: 'Own repositories',
  description: 'The repositories that the credential owns or was given access to.',
  uri: 'github://repos',
  params: Type.Object({}, { additionalProperties: false }),
  block: Type.Object({
    ...blockFields,
    repositories: Type.Array(
      Type.Object({
        full_name: Type.String(),
        url: Type.String(),
        description: Nullable(Type.String()),
        private: Type.Boolean(),
        default_branch: Type.String(),
      }),
    ),
  }),
  example: {},
  cache: { freshFor: 60, staleFor: 300, keepFor: 900 },
  filtered: true,
  tags: () => [],
  async fetch(_params, { allowed, github, webUrl }) {
    const query = { sort: 'pushed' }
    const { items, more } = await github.list<Repository>('/user/repos', { query, limit: LIMIT })
    const pieces = items.flatMap((repository, position) =>
      allowed({ owner: repository.owner.login, repo: repository.name })
        ? [pieceOf(repository, position)]
        : [],
    )
    return {
      visibility: 'private',
      said: items.map(repositoryWord),
      omitted: more ? [theRest({ offset: items.length, limit: LIMIT })] : [],
      blocks: [
        {
          id: 'own_repositories',
          title: 'Own repositories',
          url: `${webUrl}/repos`,
          head: '# Own repositories, the last pushed to first',
          by: 'service',
          pieces,
          fields: (kept) => ({
            repositories: kept.map(({ piece }) => fieldsOf((piece as RepositoryPiece).repository)),
          }),
          omit: (dropped, _cut, reason) =>
            windowsOf(dropped.map((piece) => (piece as RepositoryPiece).position)).map(
              (window) => ({ ...theRest(window), count: window.limit, reason }),
            ),
        },
      ],
    }
  },
})

/** The same list, where it can be asked for window by window. */
const theRest = (params: Window): Omission => ({
  what: 'repositories',
  reason: 'limit',
  next: { context_type: 'github_user', params: { ...params } },
})

function pieceOf(repository: Repository, position: number): RepositoryPiece {
  const { default_branch: branch, description, full_name, pushed_at } = repository
  const visibility = repository.private ? 'private' : 'public'
  const said = { Visibility: visibility, 'Default branch': branch, 'Last push': pushed_at }
  return {
    part: 'repositories',
    heading: `## ${oneLine(full_name)}\n${facts(said)}`,
    text: description ?? '',
    by: 'repository',
    rank: position,
    whole: true,
    repository,
    position,
  }
}

function fieldsOf(repository: Repository) {
  return {
    full_name: repository.full_name,
    url: repository.html_url,
    description: repository.description,
    private: repository.private,
    default_branch: repository.default_branch,
  }
}
