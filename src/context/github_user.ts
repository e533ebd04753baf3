import type { components } from '@octokit/openapi-types'
import { Type } from '@sinclair/typebox'
import { type Draft, defineProvider, type Piece } from '../core/provider.ts'
import { blockFields, Nullable, type Omission } from '../core/schemas.ts'
import { facts, lines } from './common/render.ts'
import { repositoryWord } from './common/visibility.ts'
import { windowsOf } from './common/windows.ts'

type Schemas = components['schemas']
type Profile = Schemas['public-user'] | Schemas['private-user']
type Repository = Schemas['minimal-repository']

/** Shown unless more or fewer are asked for. */
const REPOSITORIES = 30

const Listed = Type.Object({
  full_name: Type.String(),
  url: Type.String(),
  description: Nullable(Type.String()),
  language: Nullable(Type.String()),
  stars: Type.Integer(),
  fork: Type.Boolean(),
  archived: Type.Boolean(),
  private: Type.Boolean(),
  pushed_at: Nullable(Type.String()),
})

export const githubUser = defineProvider({
  type: 'github_user',
  blockType: 'github_user',
  title: 'User or organisation',
  description:
    'The profile of an account and its public repositories, the last pushed first; without a login those of the credential itself.',
  uri: 'github://{login}',
  pages: ['github://orgs/{login}', 'github://orgs/{login}/repositories'],
  filtered: true,
  params: Type.Object(
    {
      login: Type.Optional(
        Type.String({
          pattern: '^[A-Za-z0-9](?:[A-Za-z0-9]|[-_](?=[A-Za-z0-9])){0,38}(?:\\[bot\\])?$',
          description:
            'Name of the user or organisation; the account of the credential unless given',
          examples: ['octocat'],
        }),
      ),
      limit: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100,
          default: REPOSITORIES,
          description: 'Repositories at most',
        }),
      ),
      offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100_000,
          default: 0,
          description: 'Repositories to skip; take it from `omitted[].next`',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    login: Type.String(),
    kind: Type.String({ description: '`User`, `Organization` or `Bot`' }),
    name: Nullable(Type.String()),
    bio: Nullable(Type.String()),
    company: Nullable(Type.String()),
    location: Nullable(Type.String()),
    website: Nullable(Type.String()),
    followers: Type.Integer(),
    public_repositories: Type.Integer(),
    created_at: Type.String(),
    repositories: Type.Array(Listed, {
      description: 'Those that this service may show',
    }),
  }),
  example: { login: 'octocat', limit: 10 },
  cache: { freshFor: 300, staleFor: 3_600, keepFor: 86_400 },
  account: ({ login }) => login,
  tags: () => [],
  async fetch({ login, limit = REPOSITORIES, offset = 0 }, { allowed, github }) {
    const at = login === undefined ? '/user' : '/users/{login}'
    const params: Record<string, string> = login === undefined ? {} : { login }
    const [profile, { items, more }] = await Promise.all([
      github.get<Profile>(at, 'login', { params }),
      limit === 0
        ? { items: [], more: false }
        : github.list<Repository>(`${at}/repos`, {
            params,
            query: { sort: 'pushed' },
            offset,
            limit,
          }),
    ])
    const asked = login === undefined ? {} : { login: profile.login }
    const next = (window: { offset: number; limit: number }) => ({
      context_type: 'github_user',
      params: { ...asked, ...window },
    })
    const pieces = items.flatMap((repository, index) =>
      allowed({ owner: repository.owner.login, repo: repository.name })
        ? [pieceOf(repository, offset + index)]
        : [],
    )
    const rest: Omission = {
      what: 'repositories',
      reason: 'limit',
      next: next({ offset: offset + items.length, limit: limit || REPOSITORIES }),
    }
    const isMore = more || (limit === 0 && profile.public_repos > 0)
    return {
      visibility: 'private',
      said: items.map(repositoryWord),
      omitted: isMore ? [rest] : [],
      blocks: [draftOf(profile, pieces, next)],
    }
  },
})

interface RepositoryPiece extends Piece {
  readonly repository: Repository
  /** In GitHub's list. */
  readonly position: number
}

function draftOf(
  profile: Profile,
  repositories: readonly RepositoryPiece[],
  next: (window: { offset: number; limit: number }) => NonNullable<Omission['next']>,
): Draft {
  const fields = fieldsOf(profile)
  // What they say of themselves has no standing in anybody's repository.
  const by = { login: fields.login, association: 'NONE' }
  const bio: Piece = { part: 'bio', text: fields.bio ?? '', by, rank: 0 }
  const isRepository = (piece: Piece): piece is RepositoryPiece => 'repository' in piece
  return {
    id: `github_user:${fields.login}`,
    title: fields.name || fields.login,
    url: profile.html_url,
    head: lines(
      `# ${fields.kind === 'Organization' ? 'Organisation' : fields.kind} ${fields.login}`,
      profile.html_url,
      facts({
        Company: fields.company,
        Location: fields.location,
        Website: fields.website,
        Followers: fields.followers,
        'Public repositories': fields.public_repositories,
        Since: fields.created_at,
      }),
    ),
    by,
    pieces: [...(fields.bio ? [bio] : []), ...repositories],
    fields: (kept) => ({
      ...fields,
      bio: fields.bio && (kept.find(({ piece }) => piece === bio)?.text ?? ''),
      repositories: kept.flatMap(({ piece }) => (isRepository(piece) ? [listed(piece)] : [])),
    }),
    omit(dropped, cut, reason) {
      const lost = [...dropped, ...cut]
      const whole = { what: 'bio', count: 1, reason, next: next({ offset: 0, limit: 0 }) }
      const windows = windowsOf(lost.filter(isRepository).map(({ position }) => position))
      return [
        ...(lost.includes(bio) ? [whole] : []),
        ...windows.map((window) => ({
          what: 'repositories',
          count: window.limit,
          reason,
          next: next(window),
        })),
      ]
    },
  }
}

function fieldsOf(profile: Profile) {
  return {
    login: profile.login,
    kind: profile.type,
    name: profile.name || null,
    bio: profile.bio?.trim() || null,
    company: profile.company || null,
    location: profile.location || null,
    website: profile.blog || null,
    followers: profile.followers,
    public_repositories: profile.public_repos,
    created_at: profile.created_at,
  }
}

function pieceOf(repository: Repository, position: number): RepositoryPiece {
  return {
    part: 'repositories',
    heading: lines(
      `## ${repository.full_name}`,
      facts({
        Language: repository.language,
        Stars: repository.stargazers_count ?? 0,
        Pushed: repository.pushed_at?.slice(0, 10),
        Fork: repository.fork && 'yes',
        Archived: repository.archived && 'yes',
        Private: repository.private && 'yes',
      }),
    ),
    text: repository.description || 'No description.',
    by: repository.description ? 'repository' : 'service',
    rank: 1 + position,
    whole: true,
    repository,
    position,
  }
}

function listed({ repository }: RepositoryPiece) {
  return {
    full_name: repository.full_name,
    url: repository.html_url,
    description: repository.description,
    language: repository.language ?? null,
    stars: repository.stargazers_count ?? 0,
    fork: repository.fork,
    archived: repository.archived ?? false,
    private: repository.private,
    pushed_at: repository.pushed_at ?? null,
  }
}
