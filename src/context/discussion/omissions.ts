import type { Piece } from '../../core/provider.ts'
import type { Omission } from '../../core/schemas.ts'
import { startingAfter } from '../common/graph.ts'
import type { CommentPiece, Thread } from './comments.ts'

/** What an omission of comments refers to. */
export interface DiscussionRef {
  readonly owner: string
  readonly repo: string
  readonly discussion_number: number
}

/** GitHub's largest page. */
const LARGEST = 100

export interface Window {
  readonly after?: string | undefined
  readonly limit: number
  readonly max_replies?: number
  /** Replies to this comment instead of comments. */
  readonly reply_to?: string
}

export function commentsOmission(
  ref: DiscussionRef,
  { after, limit, ...more }: Window,
  count: number | undefined,
  reason: string,
): Omission {
  const window = { ...startingAfter(after), limit: Math.min(LARGEST, limit), ...more }
  return {
    what: more.reply_to === undefined ? 'comments' : 'replies',
    ...(count === undefined ? {} : { count }),
    reason,
    next: { context_type: 'github_discussion_comments', params: { ...ref, ...window } },
  }
}

/** Replies that were not fetched. */
export function missingReplies(
  { id, missing, end }: Thread,
  ref: DiscussionRef,
  reason: string,
): Omission[] {
  if (missing === 0) return []
  const window = { after: end, limit: missing, reply_to: id }
  return [commentsOmission(ref, window, missing, reason)]
}

interface Run {
  readonly after: string | undefined
  comments: number
  replies: number
}

/**
 * One omission for each unbroken run of comments that were lost with all their replies; of the other
 * threads one for the comment alone, and one for each run of replies.
 */
export function omittedComments(
  threads: readonly Thread[],
  lost: ReadonlySet<Piece>,
  ref: DiscussionRef,
  maxReplies: number,
  reason: string,
): Omission[] {
  const omitted: Omission[] = []
  let run: Run | undefined
  const endRun = () => {
    if (!run) return
    const { after, comments, replies } = run
    const window = { after, limit: comments, max_replies: maxReplies }
    omitted.push(commentsOmission(ref, window, comments + replies, reason))
    run = undefined
  }
  for (const { id, piece, replies } of threads) {
    if (lost.has(piece) && replies.every((reply) => lost.has(reply))) {
      run ??= { after: piece.after, comments: 0, replies: 0 }
      run.comments += 1
      run.replies += replies.length
      continue
    }
    endRun()
    if (lost.has(piece)) {
      const alone = { after: piece.after, limit: 1, max_replies: 0 }
      omitted.push(commentsOmission(ref, alone, 1, reason))
    }
    omitted.push(...omittedReplies(id, replies, lost, ref, reason))
  }
  endRun()
  return omitted
}

/** One omission for each unbroken run of replies. */
export function omittedReplies(
  id: string,
  replies: readonly CommentPiece[],
  lost: ReadonlySet<Piece>,
  ref: DiscussionRef,
  reason: string,
): Omission[] {
  const runs: { after: string | undefined; limit: number }[] = []
  let open = false
  for (const reply of replies) {
    const isLost = lost.has(reply)
    const run = runs.at(-1)
    if (isLost && open && run) run.limit += 1
    else if (isLost) runs.push({ after: reply.after, limit: 1 })
    open = isLost
  }
  return runs.map((run) => commentsOmission(ref, { ...run, reply_to: id }, run.limit, reason))
}
