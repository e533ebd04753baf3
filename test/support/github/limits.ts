/** Primary and secondary limits, and who ignored what they were told. */
import type { Budget, Principal, Resource, World } from './types.ts'

interface Owner {
  windows: Map<Resource, { used: number; resetAt: number }>
  minute: { points: number; resetAt: number }
  inFlight: number
  /** Until when it was told to stay away, by resource; '*' is everything. Milliseconds. */
  coolDowns: Map<Resource | '*', CoolDown>
}

interface CoolDown {
  from: number
  until: number
  /** A fault only says so; a limit refuses whoever does not listen. */
  enforced: boolean
}

export interface Limits {
  owners: Map<string, Owner>
  /** How long after an announcement a request may still have been on its way. */
  graceMs: number
}

export const newLimits = (graceMs: number): Limits => ({ owners: new Map(), graceMs })

const WINDOW_MS = { core: 3_600_000, graphql: 3_600_000, search: 60_000, code_search: 60_000 }

function ownerOf(limits: Limits, principal: Principal): Owner {
  let owner = limits.owners.get(principal.name)
  if (!owner) {
    owner = {
      windows: new Map(),
      minute: { points: 0, resetAt: 0 },
      inFlight: 0,
      coolDowns: new Map(),
    }
    limits.owners.set(principal.name, owner)
  }
  return owner
}

function limitOf(world: World, principal: Principal, resource: Resource): number {
  if (principal.kind === 'anonymous') return world.anonymousLimits[resource]
  if (principal.kind === 'user') {
    return principal.account.limits[resource] ?? world.limits[resource]
  }
  if (principal.kind === 'installation') {
    return principal.installation.limits[resource] ?? world.limits[resource]
  }
  return world.limits[resource]
}

function windowOf(world: World, owner: Owner, resource: Resource) {
  const now = world.now()
  let window = owner.windows.get(resource)
  if (!window || now >= window.resetAt) {
    window = { used: 0, resetAt: now + WINDOW_MS[resource] }
    owner.windows.set(resource, window)
  }
  return window
}

export function budgetOf(
  limits: Limits,
  world: World,
  principal: Principal,
  resource: Resource,
): Budget {
  const { used, resetAt } = windowOf(world, ownerOf(limits, principal), resource)
  const limit = limitOf(world, principal, resource)
  return { limit, used, remaining: Math.max(0, limit - used), reset: Math.ceil(resetAt / 1000) }
}

/** Takes points from the budget; false when there is nothing left. The last ones may go over. */
export function charge(
  limits: Limits,
  world: World,
  principal: Principal,
  resource: Resource,
  cost: number,
): boolean {
  const window = windowOf(world, ownerOf(limits, principal), resource)
  if (window.used >= limitOf(world, principal, resource)) return false
  window.used += cost
  return true
}

/** A 304 under authorisation costs nothing: it is charged like any request and given back. */
export function giveBack(
  limits: Limits,
  world: World,
  principal: Principal,
  resource: Resource,
): void {
  const window = windowOf(world, ownerOf(limits, principal), resource)
  window.used = Math.max(0, window.used - 1)
}

/** Counts a request as in flight and says whether it goes over a secondary limit. */
export function enter(
  limits: Limits,
  world: World,
  principal: Principal,
  points: number,
): { leave: () => void; over: boolean } {
  const owner = ownerOf(limits, principal)
  const { maxConcurrent = Infinity, pointsPerMinute = Infinity } = world.secondary
  const now = world.now()
  if (now >= owner.minute.resetAt) owner.minute = { points: 0, resetAt: now + 60_000 }
  owner.minute.points += points
  owner.inFlight++
  const over = owner.inFlight > maxConcurrent || owner.minute.points > pointsPerMinute
  return { leave: () => owner.inFlight--, over }
}

/** Remembers that a caller was told to stay away. */
export function announce(
  limits: Limits,
  world: World,
  principal: Principal,
  resource: Resource | '*',
  { until, enforced }: Pick<CoolDown, 'until' | 'enforced'>,
): void {
  const { coolDowns } = ownerOf(limits, principal)
  const now = world.now()
  const known = coolDowns.get(resource)
  if (known && now < known.until && known.until >= until) return
  coolDowns.set(resource, { from: now, until, enforced })
}

/** Until when everything is refused to this caller, or undefined. */
export function coolingUntil(
  limits: Limits,
  world: World,
  principal: Principal,
): number | undefined {
  const coolDown = ownerOf(limits, principal).coolDowns.get('*')
  return coolDown?.enforced && world.now() < coolDown.until ? coolDown.until : undefined
}

/** Whether a request that arrives now should not have been sent. */
export function isViolation(
  limits: Limits,
  world: World,
  principal: Principal,
  resource: Resource,
): boolean {
  const { coolDowns } = ownerOf(limits, principal)
  if (coolDowns.size === 0) return false
  const now = world.now()
  return [coolDowns.get(resource), coolDowns.get('*')].some(
    (known) => known && now >= known.from + limits.graceMs && now < known.until,
  )
}
