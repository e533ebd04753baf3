import type { components } from '@octokit/openapi-types'
import { Type } from '@sinclair/typebox'
import { type Draft, defineProvider, type Piece } from '../core/provider.ts'
import { blockFields, Nullable, repositoryParams } from '../core/schemas.ts'
import { facts, lines } from './render.ts'
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
    const repository = await github.get<Repository>('/repos/{owner}/{repo}', 'full_name', {
      params: { owner, repo },
    })
    return {
      repository: { owner: repository.owner.login, repo: repository.name },
      visibility: visibilityOf(repository) === 'public' ? 'public' : 'private',
      omitted: [],
      blocks: [draftOf(repository)],
    }
  },
})

function draftOf(repository: Repository): Draft {
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
  return {
    id: `github_repository:${repository.full_name}`,
    title: repository.full_name,
    url: repository.html_url,
    head: lines(`# ${repository.full_name}`, repository.html_url),
    by: 'service',
    pieces: [description, counts, ...(fields.topics.length > 0 ? [topics] : [])],
    fields(kept) {
      const shown = kept.find(({ piece }) => piece === description)?.text ?? ''
      return {
        ...fields,
        description: fields.description && shown,
        topics: kept.some(({ piece }) => piece === topics) ? fields.topics : [],
      }
    },
    omit: (dropped, cut, reason) =>
      [...dropped, ...cut].map(({ part }) => ({
        what: part,
        count: part === 'topics' ? fields.topics.length : 1,
        reason,
        next: {
          context_type: 'github_repo',
          params: { owner: repository.owner.login, repo: repository.name },
        },
      })),
  }
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
