import { paged } from '../pages.ts'
import { serialise } from '../serialise.ts'
import { findIssue, refuseSince } from './issues.ts'
import { repositoryRoutes } from './repository.ts'

/** Oldest first, as GitHub orders them. */
export default repositoryRoutes({
  path: 'issues/{issue_number}/comments',
  permission: 'issues=read',
  handle: (ask, repository) => {
    const issue = findIssue(ask, repository)
    if ('status' in issue) return issue
    const refused = refuseSince(ask.query, 'IssueComment')
    if (refused) return refused
    const since = Date.parse(ask.query.get('since') ?? '')
    const comments = since
      ? issue.comments.filter(({ body }) => Date.parse(body.updated_at) >= since)
      : issue.comments
    const path = `/repositories/${repository.body.id}/issues/${issue.body.number}/comments`
    return paged(ask, path, comments, ({ body }) => serialise('other', ask.version, body))
  },
})
