import { EVERYTHING, type Ledger, type LoadReply, POINTS_LIFE, type UnitsReply } from './ledger.ts'
import { type Account, type Budget, changed, type Purse, waitingFor } from './state.ts'
import { mergeWindow } from './window.ts'

/** Calls fetched ahead at most, and places. */
const BLOCK = 20
const PLACES_AHEAD = 8
/** Below this many a block is used to its end before another is fetched. */
const SMALL = 4
/** Milliseconds without a call after which nothing is kept in hand. */
const IDLE = 1_000
/** Milliseconds between words of a holder; the shared ledger's leases are longer. */
const RENEW = 5_000

export interface Asking {
  readonly ledger: Ledger
  readonly now: () => number
  /** Calls when a reply has been taken in. */
  readonly replied: (purse: Purse) => void
}

/** Says what this process holds of a budget, and asks for what is needed and, when `ahead`, for more. */
export function askUnits(asking: Asking, purse: Purse, budget: Budget, ahead = false): void {
  const at = asking.now()
  if (isIdle(budget, at) && waitingFor(budget) === 0) budget.units = 0
  const need = Math.max(0, waitingFor(budget) - budget.units)
  const request = {
    principal: purse.principal,
    resource: budget.resource,
    held: budget.inFlight + budget.units,
    need,
    spare: ahead || need > 0 ? spareOf(budget, at) : 0,
    spent: budget.spent,
    window: budget.window,
    replicas: budget.replicas,
  }
  ask(
    budget,
    at,
    () => asking.ledger.units(request),
    (reply: UnitsReply) => {
      budget.units += reply.granted
      budget.low = lowOf(budget.units)
      budget.window = mergeWindow(budget.window, reply.window, asking.now())
      budget.closedUntil = Math.max(budget.closedUntil, reply.closedUntil)
      return reply.granted < need
    },
    () => asking.replied(purse),
  )
}

/** The same for places and points. */
export function askLoad(asking: Asking, purse: Purse, ahead = false): void {
  const at = asking.now()
  const idle = isIdle(purse, at) && purse.waiting === 0
  const returned = idle || at >= purse.pointsUntil ? purse.points : 0
  purse.points -= returned
  const waiting = runnable(purse)
  const pointsNeed = Math.max(0, waiting - purse.points)
  const { inFlight } = purse
  const request = {
    principal: purse.principal,
    inFlight,
    waiting,
    spare: idle ? 0 : PLACES_AHEAD,
    pointsNeed,
    pointsSpare: ahead || pointsNeed > 0 ? spareOf(purse, at) : 0,
    returned,
    slot: purse.slot,
    replicas: purse.replicas,
  }
  ask(
    purse,
    at,
    () => asking.ledger.load(request),
    (reply: LoadReply) => {
      purse.places = reply.places
      purse.points += reply.points
      purse.low = lowOf(purse.points)
      if (reply.points > 0) {
        // What is left of an older grant is little, and used next.
        purse.pointsUntil = asking.now() + POINTS_LIFE
        purse.slot = reply.slot
      }
      purse.pointsAt = reply.pointsAt
      purse.left = reply.left
      purse.most = reply.most
      purse.moreAt = reply.moreAt
      purse.part = reply.part
      purse.closedUntil = Math.max(purse.closedUntil, reply.closedUntil)
      return reply.points < pointsNeed || reply.places < inFlight + waiting
    },
    () => asking.replied(purse),
  )
}

/** Asks for what the waiting calls lack, where that may help. */
export function refill(asking: Asking, purse: Purse): void {
  for (const budget of purse.budgets.values()) {
    if (!budget.asking && !budget.short && waitingFor(budget) > budget.units) {
      askUnits(asking, purse, budget)
    }
  }
  const waiting = runnable(purse)
  const points = asking.now() < purse.pointsUntil ? purse.points : 0
  const lacking = waiting > Math.min(points, purse.places - purse.inFlight)
  if (lacking && !purse.asking && !purse.short) askLoad(asking, purse)
}

/** Fetches more before the last is used. */
export function fetchAhead(asking: Asking, purse: Purse, budget: Budget): void {
  if (budget.units === budget.low && !budget.asking) askUnits(asking, purse, budget, true)
  if (purse.points === purse.low && !purse.asking) askLoad(asking, purse, true)
}

/** Tells what has changed since the last word, gives back what lies idle, renews what is held. */
export function giveWord(asking: Asking, purse: Purse): void {
  const at = asking.now()
  for (const budget of purse.budgets.values()) {
    const due = budget.dirty || isDue(budget, budget.units, budget.inFlight, at)
    if (due && !budget.asking) askUnits(asking, purse, budget)
  }
  const inHand = purse.points + Math.max(0, purse.places - purse.inFlight)
  const due = purse.dirty || isDue(purse, inHand, purse.inFlight, at)
  if (due && !purse.asking) askLoad(asking, purse)
}

function isDue(account: Account, inHand: number, inFlight: number, at: number): boolean {
  if (inHand > 0 && isIdle(account, at)) return true
  return inHand + inFlight > 0 && at - account.askedAt > RENEW
}

const isIdle = ({ usedAt }: Account, at: number) => at - usedAt > IDLE

function ask<Reply extends UnitsReply | LoadReply>(
  account: Account,
  at: number,
  question: () => Reply | Promise<Reply>,
  take: (reply: Reply) => boolean,
  replied: () => void,
): void {
  account.asking = true
  account.dirty = false
  account.admitted = 0
  account.askedAt = at
  const { changes } = account
  const done = (reply: Reply) => {
    account.asking = false
    account.replicas = reply.replicas
    account.wanted = reply.wanted
    const short = take(reply)
    // What changed since the question was asked may make the next reply a better one.
    account.short = short && account.changes === changes
    replied()
  }
  const reply = question()
  if (reply instanceof Promise) void reply.then(done)
  else done(reply)
}

/** Waiting calls that lack only a place or a point, or may soon. */
function runnable(purse: Purse): number {
  let count = 0
  for (const budget of purse.budgets.values()) {
    const waiting = waitingFor(budget)
    count += budget.asking ? waiting : Math.min(waiting, budget.units)
  }
  return count
}

/** Twice what was used since the last question, so that a block grows while calls come fast. */
function spareOf({ admitted, askedAt }: Account, at: number): number {
  return at - askedAt > IDLE ? 0 : Math.min(BLOCK, 2 * admitted)
}

const lowOf = (inHand: number) => (inHand < SMALL ? -1 : Math.floor(inHand / 4))

/** Everything that is known to be closed, for a ledger that may have missed it. */
export function restate({ ledger, now }: Asking, { principal, budgets, closedUntil }: Purse): void {
  const at = now()
  if (closedUntil > at) ledger.close({ principal, resource: EVERYTHING, until: closedUntil })
  for (const { resource, closedUntil: until } of budgets.values()) {
    if (until > at) ledger.close({ principal, resource, until })
  }
}

/** Another replica needs what may lie idle here, or gave back what may be waited for here. */
export function look(asking: Asking, purse: Purse): void {
  changed(purse)
  purse.wanted = true
  for (const budget of purse.budgets.values()) {
    changed(budget)
    // What comes back later is waited for as well.
    budget.wanted = true
    if (waitingFor(budget) > 0 || budget.units + Number(budget.dirty) === 0) continue
    if (budget.asking) continue
    budget.units = 0
    askUnits(asking, purse, budget)
  }
  const spare = purse.dirty || purse.places > purse.inFlight
  if (spare && purse.waiting === 0 && !purse.asking) askLoad(asking, purse)
}
