import { Type } from '@sinclair/typebox'
import { ServiceError } from '../core/errors.ts'
import type { Listing } from '../core/github.ts'
import { defineProvider } from '../core/provider.ts'
import {
  blockFields,
  Nullable,
  type Omission,
  Path,
  Ref,
  repositoryParams,
  Timestamp,
} from '../core/schemas.ts'
import {
  Commit,
  commitPieces,
  type GitHubCommit,
  isCommitPiece,
  keptCommits,
  sourceOfRef,
} from './change/commits.ts'
import { DELIVERED, policyFor } from './common/freshness.ts'
import { presentName } from './common/presentName.ts'
import { facts, lines } from './common/render.ts'
import { refsTag } from './common/tags.ts'
import { windowsOf } from './common/windows.ts'

const RANK = 10

export const githubCommits = defineProvider({
  type: 'github_commits',
  blockType: 'github_commits',
  title: 'Recent commits',
  description:
    'Commits of a branch, newest first: all, or those that changed a path, by an author, in a time.',
  uri: 'github://{owner}/{repo}/commits/{+ref}',
  params: Type.Object(
    {
      ...repositoryParams,
      ref: Type.Optional(Ref),
      path: Type.Optional(
        Type.String({ ...Path, description: 'Commits that changed this file or folder' }),
      ),
      author: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 254,
          pattern: '^[^\\s]+$',
          description: 'Login or e-mail address of the author',
        }),
      ),
      since: Type.Optional(Timestamp),
      until: Type.Optional(Timestamp),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 1_000, default: 30, description: 'Commits at most' }),
      ),
      offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 1_000_000,
          default: 0,
          description: 'Commits to skip, from the newest on',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    ref: Nullable(Type.String({ description: 'What was asked for; null for the default branch' })),
    path: Nullable(Type.String()),
    commits: Type.Array(Commit),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', limit: 10 },
  cache: DELIVERED,
  tags: ({ owner, repo }) => [refsTag(owner, repo)],
  async fetch(params, { github, webUrl }) {
    const { author, limit = 30, offset = 0, owner, path, ref, repo, since, until } = params
    const { items, more } = await github
      .list<GitHubCommit>('/repos/{owner}/{repo}/commits', {
        params: { owner, repo },
        query: { sha: ref, path: path?.replace(/^\/+|\/+$/g, ''), author, since, until },
        offset,
        limit,
      })
      .catch(noneWhereEmpty)
    const repository = await presentName(github, { owner, repo }, repositoryIn(items))
    const name = `${repository.owner}/${repository.repo}`
    const pieces = commitPieces(items, offset, RANK, sourceOfRef(ref))
    const omission = (window: { offset: number; limit: number }, reason: string): Omission => ({
      what: 'commits',
      reason,
      next: { context_type: 'github_commits', params: { ...params, ...repository, ...window } },
    })
    return {
      repository,
      visibility: 'repository',
      omitted: more ? [omission({ offset: offset + items.length, limit }, 'limit')] : [],
      cache: () => policyFor(ref),
      blocks: [
        {
          id: `github_commits:${name}@${ref ?? 'HEAD'}${path ? `:${path}` : ''}`,
          title: `Commits of ${name}`,
          url: `${webUrl}/${name}/commits${ref ? `/${encodeURI(ref)}` : ''}`,
          head: lines(
            `# ${items.length} commits of ${name}${ref ? ` at ${ref}` : ''}, newest first`,
            facts({ Path: path, Author: author, Since: since, Until: until }),
          ),
          by: 'service',
          pieces,
          fields: (kept) => ({ ref: ref ?? null, path: path ?? null, commits: keptCommits(kept) }),
          omit: (dropped, cut, reason) =>
            windowsOf([...dropped, ...cut].filter(isCommitPiece).map((p) => p.position)).map(
              (window) => ({ ...omission(window, reason), count: window.limit }),
            ),
        },
      ],
    }
  },
})

/** GitHub says 409 of a repository that has no commit yet. */
function noneWhereEmpty(error: unknown): Listing<GitHubCommit> {
  if (error instanceof ServiceError && error.upstreamStatus === 409)
    return { items: [], more: false }
  throw error
}

/** GitHub's own spelling of the names, also after a rename: it stands in the commits' addresses alone. */
function repositoryIn([commit]: readonly GitHubCommit[]) {
  const [, owner, repo] = /\/repos\/([^/]+)\/([^/]+)\/commits\//.exec(commit?.url ?? '') ?? []
  return owner && repo ? { owner, repo } : undefined
}
