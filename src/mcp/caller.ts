import type { Outcome } from '../cache/request.ts'
import type { Who } from '../context/caller.ts'
import type { ServiceError } from '../core/errors.ts'
import type { Meter } from '../core/meter.ts'
import type { Scope } from '../core/scopes.ts'

/** Who calls, as the transport knows it. */
export interface Caller {
  /** `X-GitHub-Token`, as it was sent: then the only credential used for this caller. */
  readonly callerToken: string | undefined
  readonly who?: Who | undefined
  /** Counts the calls to GitHub that are made for this caller. */
  readonly meter: Meter
  /** Whether the caller's access token permits it; API keys permit everything. */
  readonly may: (scope: Scope) => boolean
  /** Epoch milliseconds at which the caller's access token ends; undefined where nothing does. */
  readonly expiresAt?: number | undefined
  /** Tells once when the caller may no longer read what it may now, until it is told to stop. */
  readonly watchRights?: ((onChange: () => void) => () => void) | undefined
  /** Told what is asked for, and later what became of it, for the metric and the log line. */
  readonly served: (type: string, outcome?: Outcome) => void
  /** Told what it failed with, as what is answered is no failure of the transport's. */
  readonly failed?: ((problem: ServiceError) => void) | undefined
}

/** Whether GitHub is asked in the name of an account that is this caller's own. */
export function hasAccount({ callerToken, who }: Caller): boolean {
  return callerToken !== undefined || who?.policy?.credential !== undefined
}
