import type { Route } from '../types.ts'
import actions from './actions.ts'
import app from './app.ts'
import checks from './checks.ts'
import commits from './commits.ts'
import issueComments from './issue-comments.ts'
import issues from './issues.ts'
import labels from './labels.ts'
import meta from './meta.ts'
import moved from './moved.ts'
import pulls from './pulls.ts'
import recorded from './recorded.ts'
import repository from './repository.ts'
import searchIssues from './search-issues.ts'
import users from './users.ts'

/** A new resource is one file and one line here; the order does not matter. */
export const ROUTES: readonly Route[] = [
  ...actions,
  ...app,
  ...checks,
  ...commits,
  ...issueComments,
  ...issues,
  ...labels,
  ...meta,
  ...moved,
  ...pulls,
  ...recorded,
  ...repository,
  ...searchIssues,
  ...users,
]
