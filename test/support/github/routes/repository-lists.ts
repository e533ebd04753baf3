/** Repositories of an account, and all those of the caller. */
import { paged } from '../pages.ts'
import { mayRead } from '../principals.ts'
import { notAccessible, notFound, refusal } from '../replies.ts'
import { serialise } from '../serialise.ts'
import type { Ask, Reply, Repository, RepositoryBody, Route } from '../types.ts'

/** What lists leave out of a repository. */
const WHOLE_ONLY = ['organization', 'parent', 'source', 'network_count', 'subscribers_count']
const listed = new WeakMap<RepositoryBody, RepositoryBody>()

function listItem({ body }: Repository): RepositoryBody {
  let item = listed.get(body)
  if (!item) {
    const kept = Object.entries(body).filter(([key]) => !WHOLE_ONLY.includes(key))
    item = Object.freeze(Object.fromEntries(kept)) as RepositoryBody
    listed.set(body, item)
  }
  return item
}

function order(query: URLSearchParams): (a: Repository, b: Repository) => number {
  const sort = query.get('sort') ?? 'full_name'
  const key = { created: 'created_at', updated: 'updated_at', pushed: 'pushed_at' }[sort]
  const ascending = query.get('direction') ?? (key ? 'desc' : 'asc')
  const sign = ascending === 'asc' ? 1 : -1
  const value = ({ body }: Repository) => String(body[key ?? 'full_name'] ?? '').toLowerCase()
  return (a, b) => (value(a) < value(b) ? -sign : value(a) > value(b) ? sign : 0)
}

function write(ask: Ask, path: string, found: Repository[]): Reply {
  return paged(ask, path, found.sort(order(ask.query)), (repository) =>
    serialise('repository', ask.version, listItem(repository)),
  )
}

const ofUser: Route = {
  method: 'GET',
  path: '/users/{username}/repos',
  handle: (ask) => {
    const owner = ask.world.profiles.get((ask.params.username ?? '').toLowerCase())
    if (!owner) return notFound()
    const found = [...ask.world.repositories.values()].filter(
      ({ body }) => body.owner.login === owner.login && !body.private,
    )
    return write(ask, `/user/${owner.id}/repos`, found)
  },
}

/** What the caller owns or was given access to: public repositories of others are not among them. */
const own: Route = {
  method: 'GET',
  path: '/user/repos',
  handle: (ask) => {
    const { principal, query, world } = ask
    if (principal.kind === 'anonymous') return refusal(401, 'Requires authentication')
    if (principal.kind !== 'user') return notAccessible('integration', 'metadata=read')
    const login = principal.account.login.toLowerCase()
    const visibility = query.get('visibility') ?? 'all'
    const found = [...world.repositories.values()].filter(
      (repository) =>
        mayRead(principal, repository) &&
        (repository.body.owner.login.toLowerCase() === login || repository.readers.has(login)) &&
        (visibility === 'all' || (visibility === 'private') === repository.body.private),
    )
    return write(ask, '/user/repos', found)
  },
}

export default [ofUser, own]
