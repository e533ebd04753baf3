import actors from './actors.ts'
import blame from './blame.ts'
import discussions from './discussions.ts'
import issues from './issues.ts'
import pullRequests from './pull-requests.ts'
import query from './query.ts'
import repository from './repository.ts'
import reviewThreads from './review-threads.ts'
import type { Resolvers } from './types.ts'

/** A new area is one file and one line here; the order does not matter. */
export const RESOLVERS: readonly Resolvers[] = [
  actors,
  blame,
  discussions,
  issues,
  pullRequests,
  query,
  repository,
  reviewThreads,
]
