import type { IncomingHttpHeaders } from 'node:http'
import type { FaultKind } from './faults.ts'
import { announce, budgetOf, charge, coolingUntil, type Limits } from './limits.ts'
import {
  abuseDetected,
  authenticationRequired,
  expiredVersion,
  notFound,
  refusal,
  secondaryLimited,
  text,
  unknownVersion,
  userAgentRequired,
  withHeaders,
} from './replies.ts'
import type { Match } from './router.ts'
import type { ApiVersion, Ask, Principal, Reply, Resource, World } from './types.ts'

const VERSIONS: readonly string[] = ['2022-11-28', '2026-03-10'] satisfies ApiVersion[]

export function versionOf(headers: IncomingHttpHeaders): ApiVersion {
  const asked = String(headers['x-github-api-version'] ?? '2022-11-28')
  return VERSIONS.includes(asked) ? (asked as ApiVersion) : '2022-11-28'
}

/** What GitHub refuses before it looks at who asks for what. */
export function refuseRequest(headers: IncomingHttpHeaders): Reply | undefined {
  if (!headers['user-agent']) return userAgentRequired()
  const asked = headers['x-github-api-version']
  if (asked === undefined || VERSIONS.includes(String(asked))) return undefined
  const past = /^\d{4}-\d\d-\d\d$/.test(String(asked)) && String(asked) < '2022-11-28'
  return past ? expiredVersion(String(asked)) : unknownVersion(String(asked))
}

export interface Answered {
  reply: Reply
  resource: Resource
  cost: number
}

/** The answer to an accepted request, and what it took from the primary limit. */
export function answer(
  limits: Limits,
  ask: Ask,
  match: Match | undefined,
  over: boolean,
): Answered {
  const { world, principal } = ask
  const resource = match?.route.resource ?? 'core'
  const until = coolingUntil(limits, world, principal)
  if (over || until !== undefined) {
    return { reply: limitSecondary(limits, world, principal, until), resource, cost: 0 }
  }
  const { authenticated, cost: costOf, free } = match?.route ?? {}
  if (authenticated && principal.kind === 'anonymous') {
    return { reply: authenticationRequired(), resource, cost: 0 }
  }
  const cost = free ? 0 : (costOf?.(ask) ?? 1)
  if (!free && !charge(limits, world, principal, resource, cost)) {
    return { reply: limitPrimary(limits, world, principal, resource), resource, cost: 0 }
  }
  return { reply: match ? match.route.handle(ask) : notFound(), resource, cost }
}

function limitPrimary(
  limits: Limits,
  world: World,
  principal: Principal,
  resource: Resource,
): Reply {
  const { reset } = budgetOf(limits, world, principal, resource)
  announce(limits, world, principal, resource, { until: reset * 1000, enforced: true })
  return primaryRefusal(principal, resource, world.primaryStatus)
}

/** GraphQL answers 200 all the same, and says it in `errors`. */
function primaryRefusal(principal: Principal, resource: Resource, status: 403 | 429): Reply {
  const whose = {
    anonymous: () => '127.0.0.1.',
    user: () => `user ID ${principal.kind === 'user' ? principal.account.id : 0}.`,
    installation: () => `installation ID ${principal.name.split(':')[1]}.`,
    app: () => `app ID ${principal.name.split(':')[1]}.`,
  }[principal.kind]()
  const hint =
    principal.kind === 'anonymous'
      ? " (But here's the good news: Authenticated requests get a higher rate limit. Check out the documentation for more details.)"
      : ' If you reach out to GitHub Support for help, please include the request ID.'
  const message = `API rate limit exceeded for ${whose}${hint}`
  return resource === 'graphql'
    ? text(200, JSON.stringify({ errors: [{ type: 'RATE_LIMITED', message }] }), 'no-cache')
    : refusal(status, message)
}

function limitSecondary(
  limits: Limits,
  world: World,
  principal: Principal,
  coolingUntil: number | undefined,
): Reply {
  const { status, retryAfterSeconds } = world.secondary
  const until = coolingUntil ?? world.now() + retryAfterSeconds * 1000
  announce(limits, world, principal, '*', { until, enforced: true })
  return secondaryLimited(status, Math.ceil((until - world.now()) / 1000))
}

/** The answers that faults stand for; undefined for those that break the connection instead. */
export function faultReply(
  limits: Limits,
  ask: Pick<Ask, 'world' | 'principal'>,
  resource: Resource,
  fault: FaultKind,
): { reply: Reply; reset?: number } | undefined {
  const { world, principal } = ask
  const now = world.now()
  switch (fault.kind) {
    case 'status': {
      const { status, body = { message: 'Server Error' }, headers = {} } = fault
      const reply = text(status, typeof body === 'string' ? body : JSON.stringify(body), 'none')
      return { reply: withHeaders(reply, ...Object.entries(headers).flat()) }
    }
    case 'garbage':
      return { reply: text(200, '{"id": 1, "title": "Found a bu') }
    case 'primary-limit': {
      const until = now + fault.resetInSeconds * 1000
      announce(limits, world, principal, resource, { until, enforced: false })
      const reply = primaryRefusal(principal, resource, fault.status ?? 403)
      return { reply, reset: Math.ceil(until / 1000) }
    }
    case 'secondary-limit': {
      const until = now + (fault.retryAfter ?? 60) * 1000
      announce(limits, world, principal, '*', { until, enforced: false })
      return { reply: secondaryLimited(fault.status ?? 403, fault.retryAfter) }
    }
    case 'abuse': {
      const until = now + (fault.retryAfter ?? 60) * 1000
      announce(limits, world, principal, '*', { until, enforced: false })
      return { reply: abuseDetected(fault.retryAfter) }
    }
    default:
      return undefined
  }
}
