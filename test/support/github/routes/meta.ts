import { documented } from '../recordings.ts'
import { text } from '../replies.ts'
import { forVersion } from '../serialise.ts'
import type { Ask, Budget, Reply, Resource, Route } from '../types.ts'

const COUNTED = ['core', 'search', 'graphql', 'code_search'] as const satisfies Resource[]

/** The documented resources with this caller's numbers. */
function rateLimit(ask: Ask): Reply {
  const { resources } = documented('GET', '/rate_limit') as { resources: Record<string, Budget> }
  const own = Object.fromEntries(COUNTED.map((name) => [name, write(ask.budget(name))]))
  const body = { resources: { ...resources, ...own }, rate: own.core }
  return text(200, JSON.stringify(forVersion('rateLimit', ask.version, body)), 'no-cache')
}

const write = ({ limit, used, remaining, reset }: Budget) => ({ limit, used, remaining, reset })

function root(ask: Ask): Reply {
  const recorded = ask.world.recordings.get('/')?.body
  if (recorded && ask.version === '2022-11-28') return text(200, recorded)
  return text(
    200,
    JSON.stringify(forVersion('root', ask.version, documented('GET', '/') as object)),
  )
}

export default [
  { method: 'GET', path: '/', handle: root },
  { method: 'GET', path: '/rate_limit', free: true, handle: rateLimit },
  {
    method: 'GET',
    path: '/meta',
    handle: () => text(200, JSON.stringify(documented('GET', '/meta'))),
  },
] as const satisfies Route[]
