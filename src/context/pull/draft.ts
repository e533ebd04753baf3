import { Type } from '@sinclair/typebox'
import type { Draft, Piece } from '../../core/provider.ts'
import { blockFields, Nullable } from '../../core/schemas.ts'
import { facts, lines, loginOf } from '../common/render.ts'
import {
  type GitHubPull,
  pullAuthor,
  pullFacts,
  pullFields,
  pullFieldsOf,
  pullName,
  pullRepository,
} from './fields.ts'

/** The pull request itself. */
export const pullBlock = Type.Object({
  ...blockFields,
  ...pullFields,
  body: Type.String(),
  mergeable: Type.Union([Type.Boolean(), Type.Null()], {
    description: 'Null while GitHub is finding out, and when it is closed',
  }),
  mergeable_state: Type.String({
    description:
      '`clean`, `dirty` (conflicts), `blocked`, `behind`, `unstable`, `draft`, `unknown`',
  }),
  merged_by: Nullable(Type.String()),
  auto_merge: Type.Boolean({ description: 'Whether it is merged as soon as it can be' }),
  additions: Type.Integer(),
  deletions: Type.Integer(),
  changed_files: Type.Integer(),
  commits_count: Type.Integer(),
  comments_count: Type.Integer(),
  review_comments_count: Type.Integer(),
})

/** @param alone without its text: a window of one part is for who has read this */
export function pullDraft(pull: GitHubPull, alone: boolean): Draft {
  const by = pullAuthor(pull)
  const text = pull.body?.trim() ?? ''
  const body: Piece = { part: 'body', text: text || '(no description)', by, rank: 0 }
  const own = {
    mergeable: pull.mergeable,
    mergeable_state: pull.mergeable_state,
    merged_by: pull.merged_by ? loginOf(pull.merged_by) : null,
    auto_merge: pull.auto_merge !== null,
    additions: pull.additions,
    deletions: pull.deletions,
    changed_files: pull.changed_files,
    commits_count: pull.commits,
    comments_count: pull.comments,
    review_comments_count: pull.review_comments,
  }
  return {
    id: `github_pull_request:${pullName(pull)}`,
    title: pull.title,
    url: pull.html_url,
    head: lines(
      `# Pull request ${pullName(pull)}`,
      pull.html_url,
      pullFacts(pull),
      facts({
        Mergeable: pull.state === 'open' && mergeability(pull),
        'Merged by': own.merged_by,
        Files: own.changed_files,
        Changes: `+${own.additions} −${own.deletions}`,
        Commits: own.commits_count,
        Comments: own.comments_count,
        'Review comments': own.review_comments_count,
      }),
    ),
    by,
    pieces: alone ? [] : [body],
    fields(kept) {
      const shown = kept.find(({ piece }) => piece === body)?.text ?? ''
      return { ...pullFieldsOf(pull), body: text && shown, ...own }
    },
    omit(dropped, cut, reason) {
      if (![...dropped, ...cut].includes(body)) return []
      const params = { ...pullRepository(pull), pull_number: pull.number, include: [] }
      return [
        { what: 'body', count: 1, reason, next: { context_type: 'github_pull_request', params } },
      ]
    },
  }
}

function mergeability({ auto_merge, mergeable, mergeable_state }: GitHubPull): string {
  const auto = auto_merge ? ', merges itself as soon as it can' : ''
  if (mergeable === null) return `not known yet, GitHub is finding out${auto}`
  return `${mergeable ? 'yes' : 'no'} (${mergeable_state === 'dirty' ? 'conflicts' : mergeable_state})${auto}`
}
