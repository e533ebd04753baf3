import type { Route } from '../types.ts'
import actions from './actions.ts'
import app from './app.ts'
import checks from './checks.ts'
import comments from './comments.ts'
import commits from './commits.ts'
import contents from './contents.ts'
import contributors from './contributors.ts'
import gitData from './git-data.ts'
import graphql from './graphql.ts'
import issueComments from './issue-comments.ts'
import issueWrites from './issue-writes.ts'
import issues from './issues.ts'
import labels from './labels.ts'
import languages from './languages.ts'
import matchingRefs from './matching-refs.ts'
import meta from './meta.ts'
import moved from './moved.ts'
import pulls from './pulls.ts'
import recorded from './recorded.ts'
import releases from './releases.ts'
import repository from './repository.ts'
import repositoryLists from './repository-lists.ts'
import searchCode from './search-code.ts'
import searchIssues from './search-issues.ts'
import timeline from './timeline.ts'
import users from './users.ts'

/** A new resource is one file and one line here; the order does not matter. */
export const ROUTES: readonly Route[] = [
  ...actions,
  ...app,
  ...checks,
  ...comments,
  ...commits,
  ...contents,
  ...contributors,
  ...gitData,
  ...graphql,
  ...issueComments,
  ...issueWrites,
  ...issues,
  ...labels,
  ...languages,
  ...matchingRefs,
  ...meta,
  ...moved,
  ...pulls,
  ...recorded,
  ...releases,
  ...repository,
  ...repositoryLists,
  ...searchCode,
  ...searchIssues,
  ...timeline,
  ...users,
]
