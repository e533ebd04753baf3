import { ServiceError } from '../core/errors.ts'
import type { Urgency } from '../core/github.ts'
import type { Limited, RateLimit } from './limits.ts'

/** Keeps calls back while GitHub is known to limit them: asking then is useless and prolongs the limit. */
export interface RateGate {
  /**
   * Admits one call.
   * @throws ServiceError `upstream_rate_limited` when no call may be sent now
   */
  enter(
    principal: string,
    resource: string,
    urgency: Urgency,
    signal: AbortSignal,
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

interface State {
  limit: RateLimit | undefined
  closedUntil: number
}

/** A gate that knows only what this process has seen. */
export function createRateGate(now: () => number): RateGate {
  const states = new Map<string, State>()
  const stateOf = (key: string): State => {
    let state = states.get(key)
    if (!state) {
      state = { limit: undefined, closedUntil: 0 }
      states.set(key, state)
    }
    return state
  }
  const current = (state: State | undefined) =>
    state?.limit && state.limit.resetAt > now() ? state.limit : undefined

  function observe(state: State, limit: RateLimit): void {
    const known = current(state)
    // Answers arrive out of order: within a window the lowest count is the latest.
    const same = known && Math.abs(known.resetAt - limit.resetAt) < 2_000
    if (!same || limit.remaining < known.remaining) state.limit = limit
  }

  return {
    enter(principal, resource) {
      const key = `${principal}/${resource}`
      const state = stateOf(key)
      const limit = current(state)
      const until =
        limit?.remaining === 0 ? Math.max(limit.resetAt, state.closedUntil) : state.closedUntil
      const wait = Math.ceil((until - now()) / 1000)
      if (wait > 0) {
        throw new ServiceError(
          'upstream_rate_limited',
          `GitHub's rate limit for this credential is reached. Retry after ${wait} s.`,
          { retryAfter: wait },
        )
      }
      return {
        leave({ limit: reported, limited }) {
          if (reported)
            observe(
              reported.resource === resource ? state : stateOf(`${principal}/${reported.resource}`),
              reported,
            )
          if (limited)
            state.closedUntil = Math.max(state.closedUntil, now() + limited.retryAfter * 1000)
        },
      }
    },
    remaining: (principal, resource) => current(states.get(`${principal}/${resource}`))?.remaining,
    *budgets() {
      for (const state of states.values()) {
        const limit = current(state)
        if (limit) yield limit
      }
    },
    close: () => {},
  }
}
