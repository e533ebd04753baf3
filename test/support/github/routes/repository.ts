import { mayRead, refusePermission } from '../principals.ts'
import { blocked, moved, notFound, text, withLastModified } from '../replies.ts'
import { serialise } from '../serialise.ts'
import type { Ask, Reply, Repository, Route } from '../types.ts'

export interface RepositoryRoute {
  /** Below the repository, for example `issues/{issue_number}`; empty for itself. */
  path: string
  /** As in X-Accepted-GitHub-Permissions. */
  permission: string
  method?: Route['method']
  /** The answer depends on the time, or on more than who asks: made anew for each request. */
  unkept?: true
  /** The answer depends on who asks. */
  perCaller?: true
  handle: (ask: Ask, repository: Repository) => Reply
}

/** Answers kept for one repository. */
const KEPT = 5_000

/**
 * A resource of a repository: reachable by name and by id, refused, redirected and kept in one place. The
 * answer may depend on the request and the world, but not on who asks unless it says so: it is shared by all
 * who may read it.
 */
export function repositoryRoutes(definition: RepositoryRoute): Route[] {
  const { method = 'GET', permission } = definition
  const path = definition.path && `/${definition.path}`
  const handle = (ask: Ask): Reply => {
    const found = findRepository(ask)
    if ('status' in found) return found
    const refused = refusePermission(ask.principal, found, permission)
    if (refused) return refused
    if (found.blocked) return blocked(found.body.updated_at)
    return method === 'GET' && !definition.unkept
      ? kept(ask, found, definition)
      : definition.handle(ask, found)
  }
  return [
    { method, path: `/repos/{owner}/{repo}${path}`, handle },
    { method, path: `/repositories/{repository_id}${path}`, handle },
  ]
}

function findRepository(ask: Ask): Repository | Reply {
  const { world, params, principal } = ask
  const { owner = '', repo = '', repository_id } = params
  const name = `${owner}/${repo}`
  const id = repository_id ? Number(repository_id) : world.names.get(name.toLowerCase())
  const repository = world.repositories.get(id ?? -1)
  if (!repository || !mayRead(principal, repository)) return notFound()
  if (repository_id || repository.body.full_name.toLowerCase() === name.toLowerCase()) {
    return repository
  }
  const rest = ask.pathname.split('/').slice(4).join('/')
  const path = `/repositories/${repository.body.id}${rest && `/${rest}`}`
  return moved(ask, path + ask.search)
}

function kept(ask: Ask, repository: Repository, definition: RepositoryRoute): Reply {
  const { handle, perCaller } = definition
  const { memo } = repository
  if (repository.memoRevision !== ask.world.revision || memo.size > KEPT) {
    memo.clear()
    repository.memoRevision = ask.world.revision
  }
  const caller = perCaller ? ask.principal.name : ''
  const key = `${caller} ${ask.version} ${ask.origin} ${ask.world.pagination} ${ask.accept} ${ask.pathname}${ask.search}`
  let reply = memo.get(key)
  if (!reply) {
    reply = handle(ask, repository)
    memo.set(key, reply)
  }
  return reply
}

export default repositoryRoutes({
  path: '',
  permission: 'metadata=read',
  handle: ({ version }, { body }) =>
    withLastModified(text(200, serialise('repository', version, body)), body.updated_at),
})
