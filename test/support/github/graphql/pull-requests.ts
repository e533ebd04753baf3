import type { Issue } from '../types.ts'
import { common, numbered, type OfIssue, related } from './issues.ts'
import type { Resolvers } from './types.ts'

export const pullUrl = ({ body, repository }: Issue) =>
  `https://github.com/${repository.body.full_name}/pull/${body.number}`

const mergedAt = ({ of: { body } }: OfIssue): unknown =>
  (body.pull_request as { merged_at?: string | null }).merged_at ?? null

export default {
  Repository: { pullRequest: numbered('PullRequest') },
  PullRequest: {
    ...common,
    closingIssuesReferences: related(({ closes }) => closes),
    isDraft: ({ of: { body } }: OfIssue) => body.draft === true,
    merged: (source: OfIssue) => mergedAt(source) !== null,
    mergedAt,
    state: (source: OfIssue) =>
      mergedAt(source) === null ? source.of.body.state.toUpperCase() : 'MERGED',
    url: ({ of: pull }: OfIssue) => pullUrl(pull),
  },
} satisfies Resolvers
