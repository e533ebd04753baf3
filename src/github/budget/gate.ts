import type { RateLimit } from '../limits.ts'
import {
  type Asking,
  askLoad,
  askUnits,
  fetchAhead,
  giveWord,
  look,
  refill,
  restate,
} from './ask.ts'
import { type Closing, EVERYTHING, type Ledger } from './ledger.ts'
import {
  join,
  refuseAll,
  refuseForbidden,
  refuseLate,
  refuseVain,
  serve,
  type Turn,
} from './queue.ts'
import type { CallOutcome, Pass, RateGate } from './rateGate.ts'
import { closing, keptRefusal, pointsRefusal, refusalOf } from './refusals.ts'
import {
  admit,
  type Budget,
  budgetOf,
  changed,
  isAsking,
  isInUse,
  isReady,
  newPurse,
  type Purse,
  waitingFor,
} from './state.ts'
import { current, mergeWindow } from './window.ts'

export interface GateOptions {
  readonly ledger: Ledger
  readonly now: () => number
  /** Without it calls are kept back only while GitHub is known to refuse them. */
  readonly enforced: boolean
}

/** Milliseconds between looks at what lies idle or waits: messages may be lost. */
const LOOK_EVERY = 250
/** Milliseconds for which the ledger's word that there are no points is not doubted. */
const DOUBT_AFTER = 1_000
/** Principals remembered before those not in use are forgotten. */
const MOST_PURSES = 10_000

/**
 * The limits of docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api, kept by all
 * replicas together. What a call needs is lent by the ledger in small blocks, so that it seldom
 * waits for more than GitHub.
 */
export function createRateGate({ ledger, now, enforced }: GateOptions): RateGate {
  const purses = new Map<string, Purse>()
  const active = new Set<Purse>()
  const inHand = enforced ? 0 : Number.POSITIVE_INFINITY
  const asking: Asking = { ledger, now, replied: advance }
  let timer: NodeJS.Timeout | undefined
  let turn = 0

  function purseOf(principal: string): Purse {
    let purse = purses.get(principal)
    if (!purse) {
      if (purses.size >= MOST_PURSES) forgetIdle()
      purse = newPurse(principal, inHand)
      purses.set(principal, purse)
    }
    return purse
  }

  function forgetIdle(): void {
    for (const [principal, purse] of purses) {
      if (purse.active || purse.inFlight > 0) continue
      purses.delete(principal)
      ledger.forget(principal)
    }
  }

  function activate(purse: Purse): void {
    if (purse.active || !enforced) return
    purse.active = true
    active.add(purse)
    timer ??= setInterval(tick, LOOK_EVERY).unref()
  }

  /** Brings those who wait as far as possible. */
  function advance(purse: Purse): void {
    if (purse.waiting === 0) return
    const at = now()
    refuseForbidden(purse, at)
    // Unless announcements come by themselves, only a fresh reply tells of them.
    serve(purse, at, () => ledger.live || !isAsking(purse), leave)
    refill(asking, purse)
    refuseVain(purse, at)
  }

  function wait(purse: Purse, budget: Budget, place: Turn): Promise<Pass> | Pass {
    const asked = place.at - purse.askedAt < DOUBT_AFTER
    const reason = asked ? pointsRefusal(purse, place.at) : undefined
    if (reason) throw reason
    const waiter = join(purse, budget, place)
    if (ledger.live) advance(purse)
    else askAll(purse)
    return waiter.pass ?? waiter.promise
  }

  /** As long as nobody else asks, this caller's calls tell when there is more. */
  function keptFrom(caller: string | undefined, purse: Purse, budget: Budget, at: number) {
    const reason = keptRefusal(purse, budget, caller, at)
    if (!reason || at < purse.moreAt || purse.asking) return reason
    askLoad(asking, purse)
    return keptRefusal(purse, budget, caller, at)
  }

  function askAll(purse: Purse): void {
    for (const budget of purse.budgets.values()) {
      if (!budget.asking) askUnits(asking, purse, budget)
    }
    if (!purse.asking) askLoad(asking, purse)
  }

  function leave(purse: Purse, budget: Budget, { free, limit, limited }: CallOutcome): void {
    purse.inFlight -= 1
    budget.inFlight -= 1
    purse.dirty = true
    budget.dirty = true
    changed(purse)
    changed(budget)
    if (limit && !free) budget.spent += 1
    const at = now()
    let target = budget
    if (limit) {
      if (limit.resource !== budget.resource) target = budgetOf(purse, limit.resource, inHand)
      target.window = mergeWindow(target.window, limit, at)
    }
    const { principal } = purse
    if (limited) {
      const resource = limited.kind === 'primary' ? target.resource : EVERYTHING
      shut({ principal, resource, until: at + limited.retryAfter * 1000 })
    } else if (target.window?.remaining === 0 && target.window.resetAt > at) {
      shut({ principal, resource: target.resource, until: target.window.resetAt })
    }
    advance(purse)
    if (budget.wanted && !budget.asking) askUnits(asking, purse, budget)
    if (purse.wanted && !purse.asking) askLoad(asking, purse)
  }

  function shut(closed: Closing): void {
    if (raise(closed)) ledger.close(closed)
  }

  /** Whether it was news. */
  function raise({ principal, resource, until }: Closing): boolean {
    const purse = purses.get(principal)
    if (!purse) return false
    const target = resource === EVERYTHING ? purse : budgetOf(purse, resource, inHand)
    if (until <= target.closedUntil) return false
    target.closedUntil = until
    advance(purse)
    return true
  }

  function tick(): void {
    const at = now()
    for (const purse of active) {
      refuseLate(purse, at)
      changed(purse)
      for (const budget of purse.budgets.values()) changed(budget)
      advance(purse)
      giveWord(asking, purse)
      if (isInUse(purse)) continue
      purse.active = false
      active.delete(purse)
    }
    if (active.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  ledger.listen({
    closed: raise,
    look(principal) {
      const purse = purses.get(principal)
      if (!purse) return
      look(asking, purse)
      advance(purse)
    },
    connected() {
      for (const purse of purses.values()) restate(asking, purse)
      for (const purse of active) askAll(purse)
    },
  })

  return {
    enter(principal, resource, urgency, signal, who) {
      signal.throwIfAborted()
      const purse = purseOf(principal)
      const budget = budgetOf(purse, resource, inHand)
      const caller = enforced ? who : undefined
      const at = now()
      const reason = refusalOf(purse, budget, urgency, at) ?? keptFrom(caller, purse, budget, at)
      if (reason) throw reason
      const first = waitingFor(budget) === 0
      activate(purse)
      if (first && ledger.live && isReady(purse, budget, at)) {
        const pass = admit(purse, budget, { at, caller }, leave)
        if (enforced) fetchAhead(asking, purse, budget)
        return pass
      }
      return wait(purse, budget, { urgency, signal, at, caller, turn: turn++ })
    },
    remaining(principal, resource) {
      const budget = purses.get(principal)?.budgets.get(resource)
      return budget && known(budget, now())?.remaining
    },
    *budgets() {
      const at = now()
      for (const purse of purses.values()) {
        for (const budget of purse.budgets.values()) {
          const window = known(budget, at)
          if (window) yield window
        }
      }
    },
    close() {
      for (const purse of active) {
        refuseAll(purse, closing())
        look(asking, purse)
      }
      clearInterval(timer)
    },
  }
}

/** The window as it is for a caller: nothing is left while GitHub refuses the resource. */
function known({ closedUntil, window }: Budget, at: number): RateLimit | undefined {
  const found = current(window, at)
  return found && closedUntil > at ? { ...found, remaining: 0 } : found
}
