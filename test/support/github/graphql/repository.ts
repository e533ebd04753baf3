import type { Repository } from '../types.ts'
import { actor } from './actors.ts'
import type { Of, Resolvers } from './types.ts'

export const repositoryNode = (repository: Repository): Of<Repository> => ({
  __typename: 'Repository',
  of: repository,
})

type Source = Of<Repository>

export default {
  Repository: {
    id: ({ of: { body } }: Source) => body.node_id,
    databaseId: ({ of: { body } }: Source) => body.id,
    name: ({ of: { body } }: Source) => body.name,
    nameWithOwner: ({ of: { body } }: Source) => body.full_name,
    owner: ({ of: { body } }: Source) => actor(body.owner),
    description: ({ of: { body } }: Source) => body.description ?? null,
    url: ({ of: { body } }: Source) => `https://github.com/${body.full_name}`,
    isPrivate: ({ of: { body } }: Source) => body.private,
    visibility: ({ of: { body } }: Source) =>
      String(body.visibility ?? (body.private ? 'private' : 'public')).toUpperCase(),
    hasDiscussionsEnabled: ({ of: { body, discussions } }: Source) =>
      body.has_discussions === true || discussions.size > 0,
    hasIssuesEnabled: ({ of: { body } }: Source) => body.has_issues !== false,
    isArchived: ({ of: { body } }: Source) => body.archived === true,
    isFork: ({ of: { body } }: Source) => body.fork === true,
  },
} satisfies Resolvers
