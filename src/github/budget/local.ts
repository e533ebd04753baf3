import {
  type Ledger,
  type LoadReply,
  type LoadRequest,
  lend,
  SLOT,
  SLOTS,
  TO_LEARN,
  type UnitsReply,
  type UnitsRequest,
} from './ledger.ts'
import type { Limits } from './limits.ts'
import { current } from './window.ts'

export interface LocalLedgerOptions {
  readonly limits: Limits
  readonly now: () => number
  /** Into how many parts to divide what GitHub allows; by the replicas that were last known of. */
  readonly parts?: (replicas: number) => number
}

/** What a process may spend of one window. */
interface Share {
  readonly resetAt: number
  /** `spent` at which it is used up. */
  readonly end: number
}

/** What `createLocalLedger` can do beside lending: it stands in for another, which it follows. */
export interface LocalLedger extends Ledger {
  /** Another ledger granted this: the share of units is to be taken anew. */
  followUnits(request: UnitsRequest): void
  /** Another ledger granted this: so many points less are left here. */
  followLoad(request: LoadRequest, reply: LoadReply): void
}

/** Lends what GitHub allows to this process alone. */
export function createLocalLedger({
  limits,
  now,
  parts = () => 1,
}: LocalLedgerOptions): LocalLedger {
  const shares = new Map<string, Map<string, Share>>()
  const points = new Map<string, Map<number, number>>()

  /** A part is set once for each window: a part of what is left, again and again, would be no bound. */
  function leftOfShare(request: UnitsRequest, remaining: number, resetAt: number): number {
    const { principal, resource, held, spent } = request
    const own = shares.get(principal) ?? new Map<string, Share>()
    shares.set(principal, own)
    let share = own.get(resource)
    if (share?.resetAt !== resetAt) {
      share = { resetAt, end: spent + Math.floor(remaining / parts(request.replicas)) }
      own.set(resource, share)
    }
    return Math.min(share.end - spent, remaining) - held
  }

  function count(principal: string, slot: number, granted: number): void {
    const slots = points.get(principal) ?? new Map<number, number>()
    points.set(principal, slots)
    slots.set(slot, Math.max(0, (slots.get(slot) ?? 0) + granted))
    for (const old of slots.keys()) if (old <= slot - SLOTS) slots.delete(old)
  }

  return {
    units(request): UnitsReply {
      const { held, need, replicas, spare } = request
      const window = current(request.window, now())
      const free = window
        ? leftOfShare(request, window.remaining, window.resetAt)
        : Math.ceil(TO_LEARN / parts(replicas)) - held
      return {
        granted: lend(free, need, spare, 1),
        window,
        closedUntil: 0,
        replicas,
        wanted: false,
      }
    },
    load(request): LoadReply {
      const { inFlight, pointsNeed, pointsSpare, principal, replicas, spare, waiting } = request
      const share = (limit: number) => Math.max(1, Math.floor(limit / parts(replicas)))
      const slot = Math.floor(now() / SLOT)
      if (request.returned > 0) count(principal, request.slot, -request.returned)
      const used = tally(points.get(principal), slot)
      const part = share(limits.pointsPerMinute)
      const free = part - used.points
      const granted = lend(free, pointsNeed, pointsSpare, 1)
      if (granted > 0) count(principal, slot, granted)
      const moreAt = (used.oldest + SLOTS) * SLOT
      return {
        places: Math.min(inFlight + waiting + spare, share(limits.maxConcurrent)),
        points: granted,
        slot,
        pointsAt: granted < pointsNeed ? moreAt : 0,
        left: free - granted,
        most: part,
        moreAt,
        part,
        closedUntil: 0,
        replicas,
        wanted: false,
      }
    },
    followUnits: ({ principal, resource }) => void shares.get(principal)?.delete(resource),
    followLoad({ principal, returned, slot: before }, { points: granted, slot }) {
      if (returned > 0) count(principal, before, -returned)
      if (granted > 0) count(principal, slot, granted)
    },
    close: () => {},
    listen: () => {},
    live: true,
    forget(principal) {
      shares.delete(principal)
      points.delete(principal)
    },
  }
}

function tally(slots: ReadonlyMap<number, number> | undefined, slot: number) {
  let oldest = slot
  let points = 0
  for (const [at, count] of slots ?? []) {
    if (at <= slot - SLOTS || count === 0) continue
    oldest = Math.min(oldest, at)
    points += count
  }
  return { oldest, points }
}
