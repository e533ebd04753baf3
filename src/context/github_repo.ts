import type { components } from '@octokit/openapi-types'
import { Type } from '@sinclair/typebox'
import { defineProvider } from '../core/provider.ts'
import { blockFields, Nullable, repositoryParams } from '../core/schemas.ts'
import { facts, lines, paragraphs } from './render.ts'
import { repositoryTag } from './tags.ts'

type Repository = components['schemas']['full-repository']

export const githubRepo = defineProvider({
  type: 'github_repo',
  blockType: 'github_repository',
  title: 'Repository',
  description: 'What a repository is: description, language, topics, licence, activity and counts.',
  uri: 'github://{owner}/{repo}',
  params: Type.Object(repositoryParams, { additionalProperties: false }),
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
  }),
  example: { owner: 'octocat', repo: 'Hello-World' },
  cache: { freshFor: 300, staleFor: 3600, keepFor: 86_400 },
  tags: ({ owner, repo }) => [repositoryTag(owner, repo)],
  async fetch({ owner, repo }, { github }) {
    const repository = await github.get<Repository>('/repos/{owner}/{repo}', {
      params: { owner, repo },
    })
    const fields = fieldsOf(repository)
    return {
      repository: { owner: repository.owner.login, repo: repository.name },
      visibility: fields.visibility === 'public' ? 'public' : 'private',
      omitted: [],
      blocks: [
        {
          id: `github_repository:${repository.full_name}`,
          title: repository.full_name,
          url: repository.html_url,
          head: headOf(repository, fields),
          pieces: [],
          fields: () => fields,
          omit: () => [],
        },
      ],
    }
  },
})

function fieldsOf(repository: Repository) {
  const { license, visibility } = repository
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
    visibility: visibility ?? (repository.private ? 'private' : 'public'),
  }
}

function headOf(repository: Repository, fields: ReturnType<typeof fieldsOf>): string {
  const counts = facts({
    Stars: fields.stars,
    Forks: fields.forks,
    'Open issues and pull requests': fields.open_issues,
    Language: fields.language,
    License: fields.license ?? 'none stated',
  })
  const state = facts({
    'Default branch': fields.default_branch,
    'Last push': fields.pushed_at ?? 'never',
    Visibility: fields.visibility,
    Archived: fields.archived && 'yes, read-only',
  })
  return paragraphs(
    lines(`# ${repository.full_name}`, repository.html_url),
    fields.description ?? 'No description.',
    lines(counts, facts({ Topics: fields.topics.join(', ') }), state),
  )
}
