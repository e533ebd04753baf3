import { timelineOf } from '../events.ts'
import { paged } from '../pages.ts'
import { mayRead } from '../principals.ts'
import type { Issue } from '../types.ts'
import { findIssue, isPresent } from './issues.ts'
import { repositoryRoutes } from './repository.ts'

/** What other repositories say of it is shown only to those who may read them: here, to all or to none. */
const isPublic = (issue: Issue) => isPresent(issue) && !issue.repository.body.private

export default repositoryRoutes({
  path: 'issues/{issue_number}/timeline',
  permission: 'issues=read',
  handle: (ask, repository) => {
    const issue = findIssue(ask, repository)
    if ('status' in issue) return issue
    const path = `/repositories/${repository.body.id}/issues/${issue.body.number}/timeline`
    const visible = (other: Issue) =>
      isPublic(other) || (other.repository === repository && mayRead(ask.principal, repository))
    return paged(ask, path, timelineOf(issue, visible), (event) => JSON.stringify(event))
  },
})
