import type { Faults } from './faults.ts'
import type { Limits } from './limits.ts'
import type { RequestRecord } from './log.ts'
import type { World } from './types.ts'

/** One running simulator. */
export interface State {
  world: World
  origin: string
  blobOrigin: string
  latencyMs: number
  logSize: number
  limits: Limits
  faults: Faults
  requests: RequestRecord[]
  violations: number
  timers: Set<NodeJS.Timeout>
}

export function resetCounts(state: State): void {
  state.requests = []
  state.violations = 0
}
