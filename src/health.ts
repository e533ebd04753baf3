/** What the service says of itself. */
export interface Check {
  readonly status: 'ok' | 'degraded' | 'off'
  readonly detail?: string
}

export type Readiness = 'starting' | 'ready' | 'draining'

/** Why it does not want traffic, and what to do. */
const REASONS: Readonly<Record<Exclude<Readiness, 'ready'>, string>> = {
  starting: 'It starts: it asks GitHub whether it takes the credential. Ask again in a moment.',
  draining: 'It ends: what runs is finished, nothing new should come. Ask another replica.',
}

export interface Health {
  report(): HealthReport
  /** Undefined where it is ready. */
  reason(): string | undefined
  readiness(): Readiness
  become(state: Readiness): void
  /** Aborted when it begins to drain: what has no end of its own must end now. */
  readonly draining: AbortSignal
}

export interface HealthReport {
  readonly status: 'ok' | 'degraded'
  readonly message: string
  readonly server: string
  readonly version: string
  readonly checks: Readonly<Record<string, Check>>
}

export interface HealthOptions {
  readonly server: string
  readonly version: string
  readonly checks: Readonly<Record<string, () => Check>>
}

/** Checks look at what is known already: asking for health never waits for anything. */
export function createHealth({ server, version, checks }: HealthOptions): Health {
  let state: Readiness = 'starting'
  const draining = new AbortController()
  return {
    report() {
      const results = Object.fromEntries(
        Object.entries(checks).map(([name, check]) => [name, check()]),
      )
      const troubled = Object.keys(results).filter((name) => results[name]?.status === 'degraded')
      return {
        status: troubled.length === 0 ? 'ok' : 'degraded',
        message:
          troubled.length === 0
            ? `${server} is running`
            : `${server} is running without ${troubled.join(', ')}`,
        server,
        version,
        checks: results,
      }
    },
    readiness: () => state,
    reason: () => (state === 'ready' ? undefined : REASONS[state]),
    become(next) {
      state = next
      if (next === 'draining') draining.abort()
    },
    draining: draining.signal,
  }
}
