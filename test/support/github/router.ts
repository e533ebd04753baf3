import type { Route } from './types.ts'

interface Node {
  literal: Map<string, Node>
  named?: { name: string; node: Node }
  rest?: { name: string; routes: Map<string, Route> }
  routes: Map<string, Route>
}

export interface Match {
  route: Route
  params: Record<string, string>
}

const newNode = (): Node => ({ literal: new Map(), routes: new Map() })

/** A tree of path segments: looking a path up costs as much as it is deep. Literal beats named beats rest. */
export function router(
  routes: readonly Route[],
): (method: string, path: string) => Match | undefined {
  const root = newNode()
  for (const route of routes) add(root, route)
  return (method, path) => {
    const segments = path.split('/').slice(1)
    if (segments.at(-1) === '') segments.pop()
    return find(root, segments, 0, method === 'HEAD' ? 'GET' : method, {})
  }
}

function add(root: Node, route: Route): void {
  let node = root
  for (const segment of route.path.split('/').slice(1).filter(Boolean)) {
    const name = /^\{\+?(\w+)\}$/.exec(segment)?.[1]
    if (name !== undefined && segment.startsWith('{+')) {
      node.rest ??= { name, routes: new Map() }
      node.rest.routes.set(route.method, route)
      return
    }
    if (name !== undefined) {
      node.named ??= { name, node: newNode() }
      node = node.named.node
    } else {
      const next = node.literal.get(segment) ?? newNode()
      node.literal.set(segment, next)
      node = next
    }
  }
  node.routes.set(route.method, route)
}

function find(
  node: Node,
  segments: string[],
  at: number,
  method: string,
  params: Record<string, string>,
): Match | undefined {
  const segment = segments[at]
  if (segment === undefined) {
    const route = node.routes.get(method)
    return route && { route, params }
  }
  const literal = node.literal.get(segment)
  const found = literal && find(literal, segments, at + 1, method, params)
  if (found) return found
  if (node.named) {
    const named = { ...params, [node.named.name]: decode(segment) }
    const under = find(node.named.node, segments, at + 1, method, named)
    if (under) return under
  }
  const route = node.rest?.routes.get(method)
  if (!route || !node.rest) return undefined
  const rest = segments.slice(at).map(decode).join('/')
  return { route, params: { ...params, [node.rest.name]: rest } }
}

function decode(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
