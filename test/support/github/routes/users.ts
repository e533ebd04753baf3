import { addedOrganization, profilePage } from '../profiles.ts'
import { notAccessible, notFound, refusal, text, withLastModified } from '../replies.ts'
import { forVersion } from '../serialise.ts'
import type { Ask, Reply, Route } from '../types.ts'

function answer(ask: Ask, body: object | undefined): Reply {
  if (!body) return notFound()
  const reply = text(200, JSON.stringify(forVersion('organization', ask.version, body)))
  return withLastModified(reply, 'updated_at' in body ? body.updated_at : undefined)
}

const me: Route = {
  method: 'GET',
  path: '/user',
  handle: (ask) => {
    const { principal, world } = ask
    if (principal.kind === 'user') {
      return answer(ask, profilePage(world, principal.account.login, 'private'))
    }
    if (principal.kind === 'anonymous') return refusal(401, 'Requires authentication')
    return notAccessible('integration', 'profile=read')
  },
}

const user: Route = {
  method: 'GET',
  path: '/users/{username}',
  handle: (ask) => answer(ask, profilePage(ask.world, ask.params.username ?? '', 'public')),
}

const organization: Route = {
  method: 'GET',
  path: '/orgs/{org}',
  handle: (ask) => answer(ask, addedOrganization(ask.world, ask.params.org ?? '')),
}

export default [me, user, organization]
