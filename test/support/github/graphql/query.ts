import { mayRead } from '../principals.ts'
import { timestamp } from '../world.ts'
import { actor } from './actors.ts'
import { demand, problem } from './problems.ts'
import { repositoryNode } from './repository.ts'
import type { GraphContext, Resolvers } from './types.ts'

/** Former names lead to the repository, as REST redirects them. A takedown reads as if nothing were there. */
function repository(
  _: unknown,
  { owner, name }: { owner: string; name: string },
  context: GraphContext,
) {
  const { principal, world } = context.ask
  const found = world.repositories.get(world.names.get(`${owner}/${name}`.toLowerCase()) ?? -1)
  if (!found || found.blocked || !mayRead(principal, found)) {
    throw problem(
      'NOT_FOUND',
      `Could not resolve to a Repository with the name '${owner}/${name}'.`,
    )
  }
  demand(context, found, 'metadata=read')
  return repositoryNode(found)
}

function viewer(_: unknown, __: unknown, { ask: { principal, world } }: GraphContext) {
  const login = principal.kind === 'user' ? principal.account.login : undefined
  const profile = world.profiles.get(login?.toLowerCase() ?? '')
  if (profile) return actor(profile)
  throw problem('FORBIDDEN', 'Resource not accessible by integration', { saml_failure: false })
}

/** As after this query, as GitHub counts it. */
function rateLimit(_: unknown, __: unknown, { ask, cost, nodeCount }: GraphContext) {
  const { limit, remaining, reset, used } = ask.budget('graphql')
  return { cost, limit, nodeCount, remaining, resetAt: timestamp(reset * 1000), used }
}

export default { Query: { rateLimit, repository, viewer } } satisfies Resolvers
