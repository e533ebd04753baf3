import type { Coverable } from '../load.ts'

const OF_ISSUE = ['issues', 'issue_comment', 'sub_issues', 'pull_request']
const OF_PULL = [
  'issue_comment',
  'pull_request',
  'pull_request_review',
  'pull_request_review_comment',
  'pull_request_review_thread',
]
const OF_REFS = ['push', 'create', 'delete']

/** Events by which GitHub tells of changes of what a tag names, by the tag's kind. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  issue: OF_ISSUE,
  issues: OF_ISSUE,
  pull: OF_PULL,
  pulls: OF_PULL,
  checks: ['check_run', 'check_suite', 'status'],
  branch: OF_REFS,
  refs: OF_REFS,
  repo: ['repository', 'push', ...OF_ISSUE],
  // That it is renamed, deleted, or made private.
  access: ['repository'],
}
/** Events by which GitHub tells who may read what is private. */
const OF_PRIVATE = ['member', 'membership', 'organization', 'team']

/**
 * All events that must come so that no change of an answer goes unheard; undefined where there are
 * changes of which none tells.
 */
export function neededEvents({ tags, visibility }: Coverable): ReadonlySet<string> | undefined {
  const needed = new Set(visibility === 'public' ? [] : OF_PRIVATE)
  for (const tag of tags) {
    const events = NEEDED[tag.slice(0, tag.indexOf(':'))]
    if (!events) return undefined
    for (const event of events) needed.add(event)
  }
  return needed
}
