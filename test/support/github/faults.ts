/** What goes wrong between a client and GitHub, on demand. */

export type FaultKind =
  /** Any answer; `body` is sent as it is when it is a string, else as JSON. */
  | { kind: 'status'; status: number; body?: unknown; headers?: Record<string, string> }
  /** The normal answer, later. Delays add to other faults. */
  | { kind: 'delay'; ms: number }
  /** No answer, ever; the connection stays open. */
  | { kind: 'hang' }
  /** The connection is reset before a byte of the answer. */
  | { kind: 'reset' }
  /** Half of the body that Content-Length promised, then the connection is destroyed. */
  | { kind: 'truncate' }
  /** 200 with JSON that cannot be parsed. */
  | { kind: 'garbage' }
  /** A chunked body without an end, sent as fast as it is read. */
  | { kind: 'endless' }
  | { kind: 'primary-limit'; resetInSeconds: number; status?: 403 | 429 }
  /** Without `retryAfter` (seconds) the header is absent, as it is at times from GitHub. */
  | { kind: 'secondary-limit'; retryAfter?: number; status?: 403 | 429 }
  /** The older wording of a secondary limit. */
  | { kind: 'abuse'; retryAfter?: number }

export interface FaultTarget {
  method: string
  /** With the query. */
  path: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  principal: string
}

/**
 * A string is a path: with a query it must be equal, without one the query does not matter, and a star at
 * the end takes all that begins so. A RegExp is tested against the path with its query.
 */
export type FaultMatch = string | RegExp | ((request: FaultTarget) => boolean)
export type FaultOptions = FaultKind & { match: FaultMatch; times?: number }

export interface FaultHandle {
  remove: () => void
  /** How many requests it has met so far. */
  readonly hits: number
}

interface ActiveFault {
  options: FaultOptions
  left: number
  hits: number
}

export type Faults = Set<ActiveFault>

export function addFault(faults: Faults, options: FaultOptions): FaultHandle {
  const fault: ActiveFault = { options, left: options.times ?? Infinity, hits: 0 }
  faults.add(fault)
  return {
    remove: () => faults.delete(fault),
    get hits() {
      return fault.hits
    },
  }
}

/** The delays that apply, added up, and the first other fault, in the order in which they were set. */
export function takeFault(
  faults: Faults,
  request: FaultTarget,
): { delayMs: number; fault?: FaultKind } {
  let delayMs = 0
  let found: FaultKind | undefined
  for (const fault of faults) {
    const { options } = fault
    if (found && options.kind !== 'delay') continue
    if (fault.left <= 0 || !matches(options.match, request)) continue
    fault.left--
    fault.hits++
    if (options.kind === 'delay') delayMs += options.ms
    else found = options
  }
  return found ? { delayMs, fault: found } : { delayMs }
}

function matches(match: FaultMatch, request: FaultTarget): boolean {
  return typeof match === 'function' ? match(request) : matchesPath(match, request.path)
}

export function matchesPath(match: string | RegExp, path: string): boolean {
  if (match instanceof RegExp) {
    match.lastIndex = 0
    return match.test(path)
  }
  if (match.endsWith('*')) return path.startsWith(match.slice(0, -1))
  return path === match || (!match.includes('?') && path.split('?', 1)[0] === match)
}
