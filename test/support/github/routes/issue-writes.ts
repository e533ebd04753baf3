/** Issues and comments as they are made (docs.github.com/rest/issues). */
import { addComments, addIssue } from '../content.ts'
import { allows } from '../principals.ts'
import { invalid, notAccessible, refusal, text, withHeaders } from '../replies.ts'
import { serialise } from '../serialise.ts'
import type { Ask, Reply, Repository } from '../types.ts'
import { findIssue } from './issues.ts'
import { repositoryRoutes } from './repository.ts'

const PERMISSION = 'issues=write'

/** Who makes it, or GitHub's refusal: writing needs a permission in public repositories too. */
function writerOf({ principal }: Ask): string | Reply {
  if (principal.kind === 'anonymous' || principal.kind === 'app')
    return refusal(401, 'Requires authentication')
  const by = principal.kind === 'user' ? 'personal access token' : 'integration'
  const { permissions } = principal.token
  if (permissions && !allows(permissions, PERMISSION)) return notAccessible(by, PERMISSION)
  return principal.kind === 'user'
    ? principal.account.login
    : `${principal.installation.app.slug}[bot]`
}

const created = (version: Ask['version'], body: Readonly<Record<string, unknown>>): Reply =>
  withHeaders(text(201, serialise('other', version, body)), 'Location', String(body.url))

function createIssue(ask: Ask, repository: Repository): Reply {
  const user = writerOf(ask)
  if (typeof user !== 'string') return user
  if (repository.body.has_issues === false) return refusal(410, 'Issues are disabled for this repo')
  const given = (ask.body ?? {}) as {
    title?: unknown
    body?: string
    labels?: string[]
    assignees?: string[]
  }
  if (typeof given.title !== 'string' || given.title === '')
    return invalid('Issue', 'title', 'missing_field')
  const stranger = given.assignees?.find((login) => !ask.world.profiles.has(login.toLowerCase()))
  if (stranger !== undefined) return invalid('Issue', 'assignees', 'invalid', { value: stranger })
  const assignees = (given.assignees ?? []).map((login) =>
    ask.world.profiles.get(login.toLowerCase()),
  )
  const { title, body = null, labels = [] } = given
  const issue = addIssue(ask.world, repository, { title, body, labels, user, assignees })
  return created(ask.version, issue.body)
}

function createComment(ask: Ask, repository: Repository): Reply {
  const user = writerOf(ask)
  if (typeof user !== 'string') return user
  const issue = findIssue(ask, repository)
  if ('status' in issue) return issue
  const { body } = (ask.body ?? {}) as { body?: unknown }
  if (typeof body !== 'string' || body === '')
    return invalid('IssueComment', 'body', 'missing_field')
  const [comment] = addComments(ask.world, issue, 1, () => ({ body, user }))
  return comment ? created(ask.version, comment.body) : refusal(500, 'Server Error')
}

const writing = (path: string, handle: (ask: Ask, repository: Repository) => Reply) =>
  repositoryRoutes({ method: 'POST', path, permission: PERMISSION, handle })

export default [
  ...writing('issues', createIssue),
  ...writing('issues/{issue_number}/comments', createComment),
]
