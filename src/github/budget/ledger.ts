import type { RateLimit } from '../limits.ts'

/** What a process tells of its part of one budget, and what it asks for. */
export interface UnitsRequest {
  readonly principal: string
  readonly resource: string
  /** Calls of the budget that this process holds: in flight, or lent and not yet sent. */
  readonly held: number
  /** Calls that wait for one. */
  readonly need: number
  /** How many more would soon be of use. */
  readonly spare: number
  /** Calls of this process that GitHub counted, ever. */
  readonly spent: number
  /** The lowest count that this process knows of. */
  readonly window: RateLimit | undefined
  /** Replicas at the last reply; 0: there was none. */
  readonly replicas: number
}

export interface UnitsReply {
  readonly granted: number
  readonly window: RateLimit | undefined
  /** Epoch milliseconds until which nothing of this resource may be asked. */
  readonly closedUntil: number
  /** Replicas that used the budget lately, this one included. */
  readonly replicas: number
  /** Another replica waits for what this one may give back. */
  readonly wanted: boolean
}

/** The same for what limits a credential whatever the resource: places in flight, points a minute. */
export interface LoadRequest {
  readonly principal: string
  readonly inFlight: number
  /** Calls that wait for a place. */
  readonly waiting: number
  /** Places that would soon be of use. */
  readonly spare: number
  readonly pointsNeed: number
  readonly pointsSpare: number
  /** Points that were not used, and the `slot` in which they had been granted. */
  readonly returned: number
  readonly slot: number
  readonly replicas: number
}

export interface LoadReply {
  /** Calls that may be in flight in this process. */
  readonly places: number
  /** Points granted, to be used within `POINTS_LIFE`. */
  readonly points: number
  readonly slot: number
  /** Epoch milliseconds at which points come, where there are none now; else 0. */
  readonly pointsAt: number
  /** What is left of a minute's points after that, of how many, and the epoch milliseconds at which there is more. */
  readonly left: number
  readonly most: number
  readonly moreAt: number
  /** Points a minute that would be an even part for each replica. */
  readonly part: number
  readonly closedUntil: number
  readonly replicas: number
  readonly wanted: boolean
}

/** All resources of a principal: a secondary limit does not tell them apart. */
export const EVERYTHING = '*'

/** A limit that GitHub announced. */
export interface Closing {
  readonly principal: string
  /** Or `EVERYTHING`. */
  readonly resource: string
  /** Epoch milliseconds. */
  readonly until: number
}

export interface LedgerListener {
  closed(closing: Closing): void
  /** Somebody needs what may lie idle here, or gave back what calls here may wait for. */
  look(principal: string): void
  /** Messages may have been missed until now. */
  connected(): void
}

/** Where what GitHub allows is shared out. Replies at once where nobody needs to be asked; never fails. */
export interface Ledger {
  units(request: UnitsRequest): UnitsReply | Promise<UnitsReply>
  load(request: LoadRequest): LoadReply | Promise<LoadReply>
  /** Tells all replicas. */
  close(closing: Closing): void
  listen(listener: LedgerListener): void
  /** Whether announced limits reach this process by themselves. */
  readonly live: boolean
  /** Forgets a principal that is not in use. */
  forget(principal: string): void
}

/** Calls in flight at most while GitHub has not yet said what is left: a few, to learn it. */
export const TO_LEARN = 10
/** Milliseconds within which granted points are to be used. */
export const POINTS_LIFE = 1_000
/** Milliseconds that points are counted together. */
export const SLOT = 1_000
/** Slots that are counted: in no minute more is sent, however late in its life a point was used. */
export const SLOTS = Math.ceil((60_000 + POINTS_LIFE) / SLOT) + 1

/** Of `free` what is needed now, and ahead of need only so much that others find some as well. */
export function lend(free: number, need: number, spare: number, claimants: number): number {
  const now = Math.min(need, free)
  return Math.max(0, now + Math.min(spare, Math.floor((free - now) / (4 * claimants))))
}
