import type { Urgency } from '../../core/github.ts'
import { createQueue, type Queue } from '../../core/queue.ts'
import type { RateLimit } from '../limits.ts'
import type { CallOutcome, Pass } from './rateGate.ts'
import { createShares, type Shares } from './shares.ts'

/** How far this process and the ledger know of each other. */
export interface Account {
  /** A question is under way: another would not see its reply. */
  asking: boolean
  /** The ledger gave less than was needed, and nothing has changed since. */
  short: boolean
  /** Counts what may change the ledger's mind. */
  changes: number
  /** The ledger believes that this process holds more than it does. */
  dirty: boolean
  /** Another replica waits for what may be given back here. */
  wanted: boolean
  /** Epoch milliseconds of the last question, and of the last call let through. */
  askedAt: number
  usedAt: number
  /** Calls let through since. */
  admitted: number
  /** When what is in hand falls to this, more is fetched ahead; -1: never. */
  low: number
  replicas: number
}

/** One resource's budget, as far as this process has a part in it. */
export interface Budget extends Account {
  readonly resource: string
  window: RateLimit | undefined
  /** Epoch milliseconds until which GitHub has refused the resource. */
  closedUntil: number
  /** Calls lent and not yet sent. */
  units: number
  inFlight: number
  /** Calls that GitHub counted. */
  spent: number
  /** Calls of this process, by caller. */
  readonly shares: Shares
  readonly waiting: Readonly<Record<Urgency, Queue<Waiter>>>
}

/** All that this process holds for one principal. */
export interface Purse extends Account {
  readonly principal: string
  readonly budgets: Map<string, Budget>
  closedUntil: number
  inFlight: number
  /** Calls that wait, of all resources. */
  waiting: number
  /** Calls that may be in flight. */
  places: number
  points: number
  pointsUntil: number
  /** Slot of the last grant of points. */
  slot: number
  /** Epoch milliseconds at which points come, when there are none. */
  pointsAt: number
  /** What was left of a minute's points at the last reply, of how many, and when there will be more. */
  left: number
  most: number
  moreAt: number
  /** A minute's points ÷ replicas. */
  part: number
  /** Points of this process, by caller. */
  readonly shares: Shares
  /** Whether it is looked after. */
  active: boolean
}

/** A call that waits for its turn. */
export interface Waiter {
  readonly budget: Budget
  readonly urgency: Urgency
  /** Order of arrival. */
  readonly turn: number
  /** Who it is for; undefined for the service itself. */
  readonly caller: string | undefined
  /** Epoch milliseconds. */
  readonly until: number
  readonly promise: Promise<Pass>
  /** Set when it has been let through. */
  pass: Pass | undefined
  admit(pass: Pass): void
  refuse(reason: unknown): void
}

/** Milliseconds of GitHub's windows: of points, and of most resources. */
const MINUTE = 60_000
const HOUR = 3_600_000

export type Leave = (purse: Purse, budget: Budget, outcome: CallOutcome) => void

const account = (): Account => ({
  asking: false,
  short: false,
  changes: 0,
  dirty: false,
  wanted: false,
  askedAt: 0,
  usedAt: 0,
  admitted: 0,
  low: -1,
  replicas: 0,
})

/** @param inHand what it begins with: nothing, or without end where GitHub does not limit */
export function newPurse(principal: string, inHand: number): Purse {
  return {
    ...account(),
    principal,
    budgets: new Map(),
    closedUntil: 0,
    inFlight: 0,
    waiting: 0,
    places: inHand,
    points: inHand,
    pointsUntil: inHand,
    slot: 0,
    pointsAt: 0,
    left: 0,
    most: 0,
    moreAt: 0,
    part: inHand,
    shares: createShares(MINUTE),
    active: false,
  }
}

export function budgetOf(purse: Purse, resource: string, inHand: number): Budget {
  let budget = purse.budgets.get(resource)
  if (!budget) {
    budget = {
      ...account(),
      resource,
      window: undefined,
      closedUntil: 0,
      units: inHand,
      inFlight: 0,
      spent: 0,
      shares: createShares(HOUR),
      waiting: { interactive: createQueue(), background: createQueue() },
    }
    purse.budgets.set(resource, budget)
  }
  return budget
}

export const waitingFor = ({ waiting }: Budget): number =>
  waiting.interactive.size() + waiting.background.size()

/** Whether a call can be sent with what is in hand. */
export function isReady(purse: Purse, budget: Budget, at: number): boolean {
  return (
    budget.units > 0 && purse.points > 0 && purse.inFlight < purse.places && at < purse.pointsUntil
  )
}

/** Takes what a call needs. */
export function admit(
  purse: Purse,
  budget: Budget,
  { at, caller }: { readonly at: number; readonly caller: string | undefined },
  leave: Leave,
): Pass {
  if (caller !== undefined) {
    purse.shares.count(caller, at)
    budget.shares.count(caller, at)
  }
  purse.inFlight += 1
  purse.points -= 1
  purse.admitted += 1
  purse.usedAt = at
  budget.inFlight += 1
  budget.units -= 1
  budget.admitted += 1
  budget.usedAt = at
  return { leave: (outcome) => leave(purse, budget, outcome) }
}

export function isAsking(purse: Purse): boolean {
  return purse.asking || [...purse.budgets.values()].some((budget) => budget.asking)
}

/** Whether it holds, wants or owes anything. */
export function isInUse(purse: Purse): boolean {
  const { dirty, inFlight, places, points, waiting } = purse
  if (dirty || inFlight + places + points + waiting > 0 || isAsking(purse)) return true
  return [...purse.budgets.values()].some((budget) => budget.dirty || budget.units > 0)
}

/** Something changed that may help those who wait. */
export function changed(account: Account): void {
  account.changes += 1
  account.short = false
}
