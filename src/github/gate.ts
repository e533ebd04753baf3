import { ServiceError } from '../core/errors.ts'
import type { RateLimit } from './limits.ts'

/** Keeps calls back while GitHub is known to limit them: asking then is useless and prolongs the limit. */
export interface RateGate {
  /** @throws ServiceError `upstream_rate_limited` during a cool-down */
  pass(principal: string, resource: string): void
  /** Takes in what an answer said of the budget. */
  observe(principal: string, limit: RateLimit): void
  /** No call before `seconds` have passed. */
  coolDown(principal: string, resource: string, seconds: number): void
  /** Calls left in the running window, where known. */
  remaining(principal: string, resource: string): number | undefined
  /** All known budgets, for metrics. */
  budgets(): Iterable<RateLimit>
}

interface State {
  limit: RateLimit | undefined
  closedUntil: number
}

export function createRateGate(now: () => number): RateGate {
  const states = new Map<string, State>()
  const stateOf = (principal: string, resource: string): State => {
    const key = `${principal}/${resource}`
    let state = states.get(key)
    if (!state) {
      state = { limit: undefined, closedUntil: 0 }
      states.set(key, state)
    }
    return state
  }
  const current = (state: State | undefined) =>
    state?.limit && state.limit.resetAt > now() ? state.limit : undefined

  return {
    pass(principal, resource) {
      const state = states.get(`${principal}/${resource}`)
      if (!state) return
      const limit = current(state)
      const until =
        limit?.remaining === 0 ? Math.max(limit.resetAt, state.closedUntil) : state.closedUntil
      const wait = Math.ceil((until - now()) / 1000)
      if (wait <= 0) return
      throw new ServiceError(
        'upstream_rate_limited',
        `GitHub's rate limit for this credential is reached. Retry after ${wait} s.`,
        { retryAfter: wait },
      )
    },
    observe(principal, limit) {
      const state = stateOf(principal, limit.resource)
      const known = current(state)
      // Answers arrive out of order: within a window the lowest count is the latest.
      const same = known && Math.abs(known.resetAt - limit.resetAt) < 2_000
      if (!same || limit.remaining < known.remaining) state.limit = limit
    },
    coolDown(principal, resource, seconds) {
      const state = stateOf(principal, resource)
      state.closedUntil = Math.max(state.closedUntil, now() + seconds * 1000)
    },
    remaining: (principal, resource) => current(states.get(`${principal}/${resource}`))?.remaining,
    *budgets() {
      for (const state of states.values()) {
        const limit = current(state)
        if (limit) yield limit
      }
    },
  }
}
