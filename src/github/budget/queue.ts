import type { Urgency } from '../../core/github.ts'
import type { Pass } from './rateGate.ts'
import { busy, keptRefusal, PATIENCE, pointsRefusal, refusalOf } from './refusals.ts'
import { admit, type Budget, isReady, type Leave, type Purse, type Waiter } from './state.ts'

/** Callers who wait come before refreshes that nobody waits for. */
const URGENCIES = ['interactive', 'background'] as const satisfies Urgency[]

export interface Turn {
  readonly urgency: Urgency
  readonly signal: AbortSignal
  /** Epoch milliseconds. */
  readonly at: number
  /** Order of arrival. */
  readonly turn: number
  /** Who it is for; undefined for the service itself. */
  readonly caller: string | undefined
}

/** Puts a call into the line of its budget. Its promise is rejected when its turn does not come, or by the signal. */
export function join(purse: Purse, budget: Budget, wanted: Turn): Waiter {
  const { at, caller, signal, turn, urgency } = wanted
  const { promise, resolve, reject } = Promise.withResolvers<Pass>()
  const line = budget.waiting[urgency]
  const waiter: Waiter = {
    budget,
    urgency,
    turn,
    caller,
    until: at + PATIENCE,
    promise,
    pass: undefined,
    admit(pass) {
      waiter.pass = pass
      leaveLine(() => resolve(pass))
    },
    refuse: (reason) => leaveLine(() => reject(reason)),
  }
  const onAbort = () => {
    // The ledger still counts on it.
    budget.dirty = true
    purse.dirty = true
    waiter.refuse(signal.reason)
  }
  function leaveLine(settle: () => void): void {
    if (!leave()) return
    purse.waiting -= 1
    signal.removeEventListener('abort', onAbort)
    settle()
  }
  const leave = line.add(waiter)
  purse.waiting += 1
  signal.addEventListener('abort', onAbort, { once: true })
  return waiter
}

/**
 * Lets calls through in the order of their arrival, as far as what is in hand allows. Refuses those for
 * whom what is left is not.
 */
export function serve(purse: Purse, at: number, mayServe: () => boolean, leave: Leave): void {
  for (const urgency of URGENCIES) {
    while (mayServe()) {
      const next = firstReady(purse, urgency, at)
      if (!next) break
      const reason = keptRefusal(purse, next.budget, next.caller, at)
      if (reason) next.refuse(reason)
      else next.admit(admit(purse, next.budget, { at, caller: next.caller }, leave))
    }
  }
}

function firstReady(purse: Purse, urgency: Urgency, at: number): Waiter | undefined {
  let next: Waiter | undefined
  for (const budget of purse.budgets.values()) {
    const head = budget.waiting[urgency].first()
    if (head && isReady(purse, budget, at) && (!next || head.turn < next.turn)) next = head
  }
  return next
}

/** Refuses those whose call GitHub would refuse. */
export function refuseForbidden(purse: Purse, at: number): void {
  for (const budget of purse.budgets.values()) {
    for (const urgency of URGENCIES) {
      if (budget.waiting[urgency].size() === 0) continue
      const reason = refusalOf(purse, budget, urgency, at)
      if (reason) for (const waiter of budget.waiting[urgency]) waiter.refuse(reason)
    }
  }
}

/** Refuses those for whom it makes no sense to wait: nobody waits for them, or it takes too long. */
export function refuseVain(purse: Purse, at: number): void {
  for (const budget of purse.budgets.values()) {
    if (budget.asking || purse.asking) continue
    for (const waiter of budget.waiting.background) waiter.refuse(busy(at))
    const reason = budget.units > 0 ? pointsRefusal(purse, at) : undefined
    if (reason) for (const waiter of budget.waiting.interactive) waiter.refuse(reason)
  }
}

export function refuseAll(purse: Purse, reason: Error): void {
  for (const { waiting } of purse.budgets.values()) {
    for (const urgency of URGENCIES) for (const waiter of waiting[urgency]) waiter.refuse(reason)
  }
}

/** Refuses those whose turn has not come in time. */
export function refuseLate(purse: Purse, at: number): void {
  for (const budget of purse.budgets.values()) {
    for (const waiter of budget.waiting.interactive) {
      // In the order of arrival, so that nobody after this one is late.
      if (waiter.until > at) break
      waiter.refuse(busy(at))
    }
  }
}
