import type { Urgency } from '../../core/github.ts'
import type { Limited, RateLimit } from '../limits.ts'

/** Keeps calls back that GitHub would refuse: asking all the same is useless and prolongs the limit. */
export interface RateGate {
  /**
   * Admits one call: at once where what it needs is in hand, which is usual, else after asking the
   * ledger. A call that somebody waits for waits up to three seconds for its turn. Of the last that is
   * left nothing is for a `caller` who has had more than an even part while others are there.
   * @throws ServiceError `upstream_rate_limited` when no call may be sent now; the signal's reason
   */
  enter(
    principal: string,
    resource: string,
    urgency: Urgency,
    signal: AbortSignal,
    caller?: string,
  ): Promise<Pass> | Pass
  /** Calls left in the running window, where known. */
  remaining(principal: string, resource: string): number | undefined
  /** All known budgets, for metrics. */
  budgets(): Iterable<RateLimit>
  close(): void
}

/** One admitted call. */
export interface Pass {
  /** Must be called once, whatever became of the call. */
  leave(report: CallOutcome): void
}

export interface CallOutcome {
  /** What GitHub said of the budget, if it answered. */
  readonly limit?: RateLimit | undefined
  /** GitHub limited this call. */
  readonly limited?: Limited | undefined
  /** A 304: it cost nothing, where the call was authorised. */
  readonly free: boolean
}
