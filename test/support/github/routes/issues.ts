import { paged } from '../pages.ts'
import { gone, invalid, moved, notFound, text, withLastModified } from '../replies.ts'
import { serialise } from '../serialise.ts'
import type { ApiVersion, Ask, Issue, IssueBody, Reply, Repository } from '../types.ts'
import { repositoryRoutes } from './repository.ts'

/** What lists show of an issue: all but who closed it. */
const listed = new WeakMap<IssueBody, IssueBody>()

function listItem({ body, listed: recorded }: Issue): IssueBody {
  if (recorded) return recorded
  let item = listed.get(body)
  if (!item) {
    const { closed_by: _, ...shown } = body
    item = Object.freeze(shown) as IssueBody
    listed.set(body, item)
  }
  return item
}

export const writeListItem = (version: ApiVersion) => (issue: Issue) =>
  serialise('issue', version, listItem(issue))

export function isPresent({ deleted, movedTo }: Issue): boolean {
  return !deleted && !movedTo
}

/** The issue, or GitHub's 404, 410 or 301; the description of what hangs on one has no 301 (issues/list-comments). */
export function findIssue(ask: Ask, repository: Repository, isItself = false): Issue | Reply {
  const number = ask.params.issue_number ?? ''
  const issue = /^\d+$/.test(number) ? repository.issues.get(Number(number)) : undefined
  if (!issue) return notFound()
  if (issue.deleted) return gone()
  if (!issue.movedTo) return issue
  if (!isItself) return notFound()
  const { repository: target, body } = issue.movedTo
  return moved(ask, `/repositories/${target.body.id}/issues/${body.number}`)
}

function matches(query: URLSearchParams): (issue: Issue) => boolean {
  const state = query.get('state') ?? 'open'
  const labels = (query.get('labels') ?? '').toLowerCase().split(',').filter(Boolean)
  const since = Date.parse(query.get('since') ?? '')
  const creator = query.get('creator')?.toLowerCase()
  return (issue) => {
    const { body } = issue
    if (!isPresent(issue)) return false
    if (state !== 'all' && body.state !== (state === 'closed' ? 'closed' : 'open')) return false
    if (creator && body.user?.login.toLowerCase() !== creator) return false
    if (since && Date.parse(body.updated_at) < since) return false
    return labels.every((name) => body.labels.some((label) => label.name.toLowerCase() === name))
  }
}

function order(query: URLSearchParams): (a: Issue, b: Issue) => number {
  const sort = query.get('sort')
  const sign = query.get('direction') === 'asc' ? 1 : -1
  const key = sort === 'comments' ? 'comments' : sort === 'updated' ? 'updated_at' : 'created_at'
  return ({ body: a }, { body: b }) => {
    const [left, right] = [a[key], b[key]]
    return sign * (left === right ? a.number - b.number : left < right ? -1 : 1)
  }
}

/** GitHub refuses a `since` that is no time. */
export function refuseSince(query: URLSearchParams, resource: string): Reply | undefined {
  const since = query.get('since')
  return since !== null && Number.isNaN(Date.parse(since)) ? invalid(resource, 'since') : undefined
}

const list = repositoryRoutes({
  path: 'issues',
  permission: 'issues=read',
  handle: (ask, repository) => {
    const refused = refuseSince(ask.query, 'Issue')
    if (refused) return refused
    const issues = [...repository.issues.values()].filter(matches(ask.query))
    const path = `/repositories/${repository.body.id}/issues`
    return paged(ask, path, issues.sort(order(ask.query)), writeListItem(ask.version))
  },
})

const get = repositoryRoutes({
  path: 'issues/{issue_number}',
  permission: 'issues=read',
  handle: (ask, repository) => {
    const issue = findIssue(ask, repository, true)
    if ('status' in issue) return issue
    const reply = text(200, serialise('issue', ask.version, issue.body))
    return withLastModified(reply, issue.body.updated_at)
  },
})

export default [...list, ...get]
