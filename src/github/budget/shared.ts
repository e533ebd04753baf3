import { randomUUID } from 'node:crypto'
import type { Bus } from '../../redis/bus.ts'
import type { GuardedRedis } from '../../redis/guarded.ts'
import { PREFIX, redisKey } from '../../redis/keys.ts'
import {
  type Closing,
  EVERYTHING,
  type Ledger,
  type LedgerListener,
  type LoadReply,
  type LoadRequest,
  SLOT,
  SLOTS,
  TO_LEARN,
  type UnitsReply,
  type UnitsRequest,
} from './ledger.ts'
import type { Limits } from './limits.ts'
import { createLocalLedger } from './local.ts'
import { CLOSE, LEND_LOAD, LEND_UNITS } from './scripts.ts'

/** Milliseconds. What a replica held that died is lent again after this; holders speak more often. */
const LEASE = 15_000
/** Milliseconds for which a replica counts when what is left has to be divided without Redis. */
const SEEN_FOR = 600_000
/** Milliseconds after which others are told again of a limit that Redis did not take. */
const TELL_AGAIN = 250
const CHANNEL = 'budget'

export interface SharedLedgerOptions {
  readonly redis: GuardedRedis
  readonly bus: Bus
  readonly limits: Limits
  /** The clock that replicas agree on. */
  readonly now: () => number
}

/**
 * Lends what GitHub allows to all replicas together, through Redis. While Redis is lost each lends
 * itself its part, and never the whole: the others go on as well.
 */
export function createSharedLedger({ redis, bus, limits, now }: SharedLedgerOptions): Ledger {
  const id = randomUUID()
  const untold = new Map<string, Closing>()
  const alone = createLocalLedger({ limits, now, parts: (replicas) => Math.max(2, replicas) })

  async function lend(script: string, closing: Omit<Closing, 'until'>, args: readonly number[]) {
    const { principal, resource } = closing
    const message = `look ${principal}`
    const common = [id, `${PREFIX}${CHANNEL}`, message, now(), LEASE, SEEN_FOR]
    const key = keyOf(principal, resource)
    const reply = await redis.try((client) => client.eval(script, 1, key, ...common, ...args))
    return Array.isArray(reply) ? reply.map(Number) : undefined
  }

  async function units(request: UnitsRequest): Promise<UnitsReply> {
    const { held, need, resource, spare, window } = request
    const { limit = 0, remaining = 0, resetAt = 0 } = window ?? {}
    const known = [limit, remaining, resetAt]
    const reply = await lend(LEND_UNITS, request, [held, need, spare, ...known, TO_LEARN])
    if (!reply) return alone.units(request)
    alone.followUnits(request)
    return unitsReply(resource, reply)
  }

  async function load(request: LoadRequest): Promise<LoadReply> {
    const { inFlight, pointsNeed, pointsSpare, principal, returned, spare, waiting } = request
    const slot = Math.floor(now() / SLOT)
    const reply = await lend(LEND_LOAD, { principal, resource: EVERYTHING }, [
      ...[inFlight, waiting, spare, pointsNeed, pointsSpare, returned, request.slot],
      ...[limits.maxConcurrent, limits.pointsPerMinute, slot, SLOTS, SLOT],
    ])
    if (!reply) return alone.load(request)
    const granted = loadReply(reply, { slot, pointsNeed, most: limits.pointsPerMinute })
    alone.followLoad(request, granted)
    return granted
  }

  async function tell(closing: Closing): Promise<void> {
    const { principal, resource, until } = closing
    const key = keyOf(principal, resource)
    const message = `closed ${principal} ${resource} ${until}`
    const args = [until, `${PREFIX}${CHANNEL}`, message]
    const told = await redis.try((client) => client.eval(CLOSE, 1, key, ...args))
    if (told !== undefined || until <= now()) return
    if (untold.size === 0) setTimeout(tellUntold, TELL_AGAIN).unref()
    untold.set(key, closing)
  }

  function tellUntold(): void {
    const closings = [...untold.values()]
    untold.clear()
    for (const closing of closings) void tell(closing)
  }

  return {
    units: (request) => (redis.available ? units(request) : alone.units(request)),
    load: (request) => (redis.available ? load(request) : alone.load(request)),
    close: (closing) => void tell(closing),
    listen(listener) {
      bus.on(CHANNEL, (message) => hear(message, listener))
      bus.onConnection((up) => up && listener.connected())
    },
    get live() {
      // Without Redis there is nobody to hear from.
      return bus.connected || !redis.available
    },
    forget: alone.forget,
  }
}

/** Names of one principal stay together, so that its budgets lie on one node of a Cluster. */
const keyOf = (principal: string, resource: string) => redisKey(`budget:${resource}`, principal)

function hear(message: string, listener: LedgerListener): void {
  const [what, principal, resource, until] = message.split(' ')
  if (principal === undefined) return
  if (what === 'look') listener.look(principal)
  if (what === 'closed' && resource !== undefined)
    listener.closed({ principal, resource, until: Number(until) })
}

function unitsReply(resource: string, reply: readonly number[]): UnitsReply {
  const [granted = 0, limit = 0, remaining = 0, resetAt = 0, closedUntil = 0] = reply
  const [replicas = 1, wanted = 0] = reply.slice(5)
  return {
    granted,
    window: resetAt > 0 ? { resource, limit, remaining, resetAt } : undefined,
    closedUntil,
    replicas,
    wanted: wanted > 0,
  }
}

interface Asked {
  readonly slot: number
  readonly pointsNeed: number
  /** Points a minute. */
  readonly most: number
}

function loadReply(reply: readonly number[], { most, pointsNeed, slot }: Asked): LoadReply {
  const [places = 0, points = 0, left = 0, moreAt = 0, closedUntil = 0] = reply
  const [replicas = 1, wanted = 0] = reply.slice(5)
  return {
    places,
    points,
    slot,
    pointsAt: points < pointsNeed ? moreAt : 0,
    left,
    most,
    moreAt,
    part: most / replicas,
    closedUntil,
    replicas,
    wanted: wanted > 0,
  }
}
