import { Type } from '@sinclair/typebox'
import { blockFields, type Omission } from '../../core/schemas.ts'
import {
  Commit,
  commitPieces,
  type GitHubCommit,
  isCommitPiece,
  keptCommits,
} from '../change/commits.ts'
import { facts } from '../common/render.ts'
import { windowsOf } from '../common/windows.ts'
import { type GitHubPull, pullAuthor, pullRepository } from './fields.ts'
import { nextPart, type PartRequest, PULL, type PullPart, partDraft } from './parts.ts'

export const commitsBlock = Type.Object({
  ...blockFields,
  total: Type.Integer({ description: 'Commits of the pull request' }),
  commits: Type.Array(Commit),
})

/** GitHub lists no more (docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request). */
const MOST_COMMITS = 250
const USUAL = 100
const RANK = 60

/** The commits, oldest first. Their authors are what they say; they are as trusted as who proposes them. */
export async function readCommits(request: PartRequest): Promise<PullPart> {
  const { context, most = USUAL, place, window = {} } = request
  const { limit = Math.min(most, MOST_COMMITS), offset = 0 } = window
  const [pull, { items }] = await Promise.all([
    request.pull,
    context.github.list<GitHubCommit>(`${PULL}/commits`, { params: place, offset, limit }),
  ])
  const end = offset + items.length
  const total = pull.commits
  return {
    draft: partDraft({
      type: 'github_pull_request_commits',
      name: 'Commits',
      pull,
      from: context,
      page: '/commits',
      facts: facts({ Commits: `${items.length} of ${total}` }),
      pieces: commitPieces(items, offset, RANK, pullAuthor(pull)),
      nothing: 'No commits here.',
      fields: (kept) => ({ total, commits: keptCommits(kept) }),
      omit: (dropped, cut, reason) =>
        windowsOf([...dropped, ...cut].filter(isCommitPiece).map(({ position }) => position)).map(
          (at) => ({
            what: 'commits',
            count: at.limit,
            reason,
            next: nextPart(pull, 'commits', at),
          }),
        ),
    }),
    omitted: items.length > 0 ? restOfCommits(pull, end, limit) : [],
  }
}

/** Past GitHub's limit the same commits come by comparing the two branches. */
function restOfCommits(pull: GitHubPull, end: number, limit: number): Omission[] {
  if (end >= pull.commits) return []
  if (end >= MOST_COMMITS) return [comparison(pull, end, limit)]
  const next = nextPart(pull, 'commits', {
    offset: end,
    limit: Math.min(limit, MOST_COMMITS - end),
  })
  return [{ what: 'commits', count: pull.commits - end, reason: 'limit', next }]
}

function comparison(pull: GitHubPull, end: number, limit: number): Omission {
  const params = {
    ...pullRepository(pull),
    base: pull.base.sha,
    head: pull.head.sha,
    detail: 'none',
    commits_offset: end,
    commits_limit: limit,
  }
  return {
    what: 'commits',
    count: pull.commits - end,
    reason: 'github_limit',
    next: { context_type: 'github_compare', params },
  }
}
