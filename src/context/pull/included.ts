import type { Omission } from '../../core/schemas.ts'
import { commentsOmission } from '../issue/comments.ts'
import { readChecks } from './checks.ts'
import { readComments } from './comments.ts'
import { readCommits } from './commits.ts'
import { type GitHubPull, pullRepository } from './fields.ts'
import { pullFilesNext, readFiles } from './files.ts'
import { readLinked } from './links.ts'
import { nextPart, orRefused, type PartName, type PartRequest, type PullPart } from './parts.ts'
import { readReviews } from './reviews.ts'
import { readThreads } from './threads.ts'

/** In the order of the blocks: what needs a second round comes last. */
export function readParts(wanted: ReadonlySet<PartName>, common: PartRequest): Promise<PullPart>[] {
  const alone = common.window !== undefined
  const parts: Promise<PullPart>[] = []
  const read = (
    name: PartName,
    type: string,
    reader: (request: PartRequest) => Promise<PullPart>,
    nothing: Record<string, unknown>,
  ) => {
    const request = { ...common, context: common.context.part() }
    parts.push(orRefused(name, request, reader(request), nothing, `github_pull_request_${type}`))
  }
  if (wanted.has('reviews')) read('reviews', 'reviews', readReviews, { reviews: [] })
  const files = (detail: 'stats' | 'patch') =>
    readFiles({ ...common, context: common.context.part() }, detail)
  // What threads are about is then shown before them.
  const patches = wanted.has('patches') ? files('patch') : undefined
  if (patches) parts.push(patches)
  if (wanted.has('threads') || (wanted.has('reviews') && !alone)) {
    // Asked for by name they all come.
    const all = wanted.has('threads') ? { window: common.window ?? {} } : {}
    read('threads', 'threads', (request) => readThreads({ ...request, ...all }, patches), {
      threads: [],
    })
  }
  if (wanted.has('comments'))
    parts.push(readComments({ ...common, context: common.context.part() }))
  if (wanted.has('files') && !patches) parts.push(files('stats'))
  if (wanted.has('commits')) parts.push(readCommits({ ...common, context: common.context.part() }))
  if (wanted.has('linked')) read('linked', 'linked', readLinked, { linked: [] })
  if (wanted.has('checks') || wanted.has('statuses')) {
    const both = wanted.has('checks') && !alone ? new Set<PartName>(['checks', 'statuses']) : wanted
    const nothing = { sha: '', failing: 0, pending: 0, checks: [] }
    read('checks', 'checks', (request) => readChecks(request, both), nothing)
  }
  return parts
}

/** What comes only on request. */
export function notIncluded(pull: GitHubPull, wanted: ReadonlySet<PartName>): Omission[] {
  const { changed_files, comments, commits } = pull
  const ref = { ...pullRepository(pull), issue_number: pull.number }
  const reason = 'include'
  return [
    ...(comments > 0 && !wanted.has('comments')
      ? [commentsOmission(ref, { offset: 0, limit: Math.min(1_000, comments) }, comments, reason)]
      : []),
    ...(changed_files > 0 && !wanted.has('patches')
      ? [
          {
            what: 'patches',
            count: changed_files,
            reason,
            next: pullFilesNext(pull)({ offset: 0, limit: Math.min(1_000, changed_files) }),
          },
        ]
      : []),
    ...(commits > 0 && !wanted.has('commits')
      ? [
          {
            what: 'commits',
            count: commits,
            reason,
            next: nextPart(pull, 'commits', { offset: 0 }),
          },
        ]
      : []),
    { what: 'linked', reason, next: nextPart(pull, 'linked', { offset: 0 }) },
  ]
}
