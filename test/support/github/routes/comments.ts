import { notFound, text } from '../replies.ts'
import { serialise } from '../serialise.ts'
import type { ApiVersion, CommentBody, Reply, Repository } from '../types.ts'
import { isPresent } from './issues.ts'
import { repositoryRoutes } from './repository.ts'

const write = (version: ApiVersion, body: CommentBody | undefined): Reply =>
  body ? text(200, serialise('other', version, body)) : notFound()

function ofIssues({ issues }: Repository, id: number): CommentBody | undefined {
  for (const issue of issues.values()) {
    const found = isPresent(issue) && issue.comments.find(({ body }) => body.id === id)
    if (found) return found.body
  }
  return undefined
}

function ofReviews({ issues }: Repository, id: number): CommentBody | undefined {
  for (const { threads } of issues.values()) {
    const found = threads.flatMap(({ comments }) => comments).find(({ body }) => body.id === id)
    if (found) return found.body
  }
  return undefined
}

/** One comment by its id. */
export default [
  ...repositoryRoutes({
    path: 'issues/comments/{comment_id}',
    permission: 'issues=read',
    handle: ({ params, version }, repository) =>
      write(version, ofIssues(repository, Number(params.comment_id))),
  }),
  ...repositoryRoutes({
    path: 'pulls/comments/{comment_id}',
    permission: 'pull_requests=read',
    handle: ({ params, version }, repository) =>
      write(version, ofReviews(repository, Number(params.comment_id))),
  }),
  ...repositoryRoutes({
    path: 'comments/{comment_id}',
    permission: 'contents=read',
    handle: ({ params, version }, { commitComments }) =>
      write(
        version,
        commitComments.find(({ id }) => id === Number(params.comment_id)),
      ),
  }),
]
