import type { components } from '@octokit/openapi-types'
import { Type } from '@sinclair/typebox'
import { invalid } from '../core/errors.ts'
import { type Draft, defineProvider, type Kept, type Piece } from '../core/provider.ts'
import { blockFields, Nullable, repositoryParams } from '../core/schemas.ts'
import { type PartWindow, partWindowOf, partWindowParams } from './common/partWindow.ts'
import { facts, lines } from './common/render.ts'
import { refsTag, releasesTag, repositoryTag } from './common/tags.ts'
import { PARTS, type Part, type Place, partFields, readPart } from './repo/parts.ts'

type Repository = components['schemas']['full-repository']

export const githubRepo = defineProvider({
  type: 'github_repo',
  blockType: 'github_repository',
  title: 'Repository',
  description:
    'What a repository is: description, language, topics, licence, activity and counts; and what it is made of, part by part.',
  uri: 'github://{owner}/{repo}',
  params: Type.Object(
    {
      ...repositoryParams,
      include: Type.Optional(
        Type.Array(Type.String({ pattern: `^(?:${PARTS.join('|')})$` }), {
          maxItems: PARTS.length,
          uniqueItems: true,
          description:
            '`languages`, `tree`, `releases` (the latest), `commits`, `contributors`, `readme`; all of them for the architecture at a glance',
        }),
      ),
      ...partWindowParams,
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    description: Nullable(Type.String()),
    stars: Type.Integer(),
    forks: Type.Integer(),
    language: Nullable(Type.String({ description: 'The most used language' })),
    default_branch: Type.String(),
    topics: Type.Array(Type.String()),
    license: Nullable(
      Type.String({ description: 'SPDX identifier, or the name where there is none' }),
    ),
    archived: Type.Boolean(),
    open_issues: Type.Integer({
      description: 'Open issues and pull requests together, as GitHub counts them',
    }),
    pushed_at: Nullable(Type.String()),
    visibility: Type.String(),
    ...partFields,
  }),
  example: { owner: 'octocat', repo: 'Hello-World' },
  cache: { freshFor: 300, staleFor: 3600, keepFor: 86_400 },
  tags: ({ owner, repo, include = [] }) => [
    repositoryTag(owner, repo),
    ...(include.some((part) => OF_REFS.has(part)) ? [refsTag(owner, repo)] : []),
    ...(include.includes('releases') ? [releasesTag(owner, repo)] : []),
  ],
  async fetch(params, { github }) {
    const { owner, repo, include = [] } = params
    const place = { owner, repo }
    const window = windowOf(params)
    const wanted = PARTS.filter((part) => include.includes(part))
    const [repository, ...found] = await Promise.all([
      github.get<Repository>('/repos/{owner}/{repo}', 'full_name', { params: place }),
      ...wanted.map((part) => readPart(part, github, place, window)),
    ])
    const present = { owner: repository.owner.login, repo: repository.name }
    const visibility = visibilityOf(repository) === 'public' ? 'public' : 'private'
    const parts = found
      .filter((part) => part !== undefined && 'pieces' in part)
      .map((part) => underName(part, present))
    const refused = found.filter((part) => part !== undefined && 'what' in part)
    return {
      repository: present,
      visibility,
      said: [{ ...present, visibility }],
      omitted: [...refused, ...parts.flatMap(({ omitted }) => omitted)],
      blocks: [draftOf(repository, parts, window)],
    }
  },
})

/** @throws ServiceError `invalid_request` for a window of anything but the contributors: the others have types of their own */
function windowOf(params: PartWindow & { readonly include?: readonly string[] }) {
  const window = partWindowOf(params)
  if (window && params.include?.[0] !== 'contributors') {
    throw invalid(
      '/params/include',
      'must be contributors where offset or limit is given. For more of the others ask github_tree, github_releases or github_commits.',
    )
  }
  return window
}

/** What a push changes. */
const OF_REFS: ReadonlySet<string> = new Set([
  'languages',
  'tree',
  'commits',
  'contributors',
  'readme',
])

function draftOf(
  repository: Repository,
  parts: readonly Part[],
  window: PartWindow | undefined,
): Draft {
  const fields = fieldsOf(repository)
  const description: Piece = {
    part: 'description',
    text: fields.description ?? 'No description.',
    by: fields.description === null ? 'service' : 'repository',
    rank: 1,
  }
  const counts: Piece = {
    part: 'counts',
    text: countsOf(fields),
    by: 'service',
    rank: 0,
    whole: true,
  }
  const topics: Piece = {
    part: 'topics',
    text: facts({ Topics: fields.topics.join(', ') }),
    by: 'service',
    rank: 2,
    whole: true,
  }
  const partOf = (piece: Piece) => parts.find(({ pieces }) => pieces.includes(piece))
  return {
    id: `github_repository:${repository.full_name}`,
    title: repository.full_name,
    url: repository.html_url,
    head: lines(`# ${repository.full_name}`, repository.html_url),
    by: 'service',
    // A window of one part is for who has read the rest.
    pieces: [
      ...(window ? [] : [description, counts]),
      ...(fields.topics.length > 0 && !window ? [topics] : []),
      ...parts.flatMap(({ pieces }) => pieces),
    ],
    fields(kept) {
      const shown = kept.find(({ piece }) => piece === description)?.text ?? ''
      return {
        ...fields,
        description: fields.description && shown,
        topics: kept.some(({ piece }) => piece === topics) ? fields.topics : [],
        ...Object.assign({}, ...parts.map((part) => partFieldsOf(part, kept))),
      }
    },
    omit: (dropped, cut, reason) =>
      [...dropped, ...cut].map((piece) => ({
        what: piece.part,
        count: piece === topics ? fields.topics.length : 1,
        reason,
        next: partOf(piece)?.next ?? {
          context_type: 'github_repo',
          params: { owner: repository.owner.login, repo: repository.name },
        },
      })),
  }
}

/** Parts are read side by side with the repository, before its present name is known. */
function underName(part: Part, name: Place): Part {
  const renamed = <Next extends Part['next']>(next: Next) => ({
    ...next,
    params: { ...next.params, ...name },
  })
  return {
    ...part,
    next: renamed(part.next),
    omitted: part.omitted.map((one) => (one.next ? { ...one, next: renamed(one.next) } : one)),
  }
}

function partFieldsOf(part: Part, kept: readonly Kept[]): Record<string, unknown> {
  const own = kept.filter(({ piece }) => part.pieces.includes(piece))
  return own.length > 0 ? part.fields(own) : {}
}

function fieldsOf(repository: Repository) {
  const { license } = repository
  return {
    description: repository.description ?? null,
    stars: repository.stargazers_count,
    forks: repository.forks_count,
    language: repository.language ?? null,
    default_branch: repository.default_branch,
    topics: repository.topics ?? [],
    license:
      (license?.spdx_id === 'NOASSERTION' ? license.name : license?.spdx_id) ??
      license?.name ??
      null,
    archived: repository.archived,
    open_issues: repository.open_issues_count,
    pushed_at: repository.pushed_at ?? null,
    visibility: visibilityOf(repository),
  }
}

function visibilityOf({ private: isPrivate, visibility }: Repository): string {
  return visibility ?? (isPrivate ? 'private' : 'public')
}

function countsOf(fields: ReturnType<typeof fieldsOf>): string {
  return lines(
    facts({
      Stars: fields.stars,
      Forks: fields.forks,
      'Open issues and pull requests': fields.open_issues,
      Language: fields.language,
      License: fields.license ?? 'none stated',
    }),
    facts({
      'Default branch': fields.default_branch,
      'Last push': fields.pushed_at ?? 'never',
      Visibility: fields.visibility,
      Archived: fields.archived && 'yes, read-only',
    }),
  )
}
