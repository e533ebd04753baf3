import { facts } from '../common/render.ts'
import {
  commentPieces,
  commentsOmission,
  type GitHubComment,
  keptComments,
  omittedComments,
  pickComment,
} from '../issue/comments.ts'
import { pullRepository } from './fields.ts'
import { type PartRequest, type PullPart, partDraft } from './parts.ts'

const USUAL = 30

/** What was said below the pull request, oldest first: to GitHub it is an issue too. */
export async function readComments(request: PartRequest): Promise<PullPart> {
  const { context, most = USUAL, window = {} } = request
  const { owner, pull_number, repo } = request.place
  const { limit = most, offset = 0 } = window
  const [pull, { items }] = await Promise.all([
    request.pull,
    context.github.list<GitHubComment>('/repos/{owner}/{repo}/issues/{issue_number}/comments', {
      params: { owner, repo, issue_number: pull_number },
      offset,
      limit,
      pick: pickComment,
    }),
  ])
  const ref = { ...pullRepository(pull), issue_number: pull.number }
  const end = offset + items.length
  // What was read at the same time may know of one more.
  const total = Math.max(pull.comments, items.length > 0 ? end : 0)
  const left = total - end
  return {
    draft: partDraft({
      type: 'github_issue_comments',
      name: 'Comments',
      pull,
      from: context,
      facts: facts({ Comments: `${items.length} of ${total}` }),
      pieces: commentPieces(items, offset),
      nothing: 'No comments.',
      fields: (kept) => ({ offset, total, comments: keptComments(kept) }),
      omit: (dropped, cut, reason) => omittedComments([...dropped, ...cut], ref, reason),
    }),
    omitted:
      left > 0 && items.length > 0
        ? [commentsOmission(ref, { offset: end, limit: Math.min(left, 1_000) }, left, 'limit')]
        : [],
  }
}
