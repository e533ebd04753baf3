import type { FastifyInstance } from 'fastify'
import type { Outcome } from '../cache/request.ts'
import type { Meter } from '../context/engine.ts'
import type { Policy } from '../context/policy.ts'
import type { ServiceError } from '../core/errors.ts'

/** What became of a request, for its metric and its log line. */
export interface Served {
  readonly type: string
  readonly meter: Meter
  /** Undefined while there is none, and where it failed. */
  outcome: Outcome | undefined
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Name of the caller's API key, or whom its access token speaks for. */
    callerName: string | undefined
    /** What an access token permits; undefined where everything is permitted. */
    scopes: ReadonlySet<string> | undefined
    /** Epoch milliseconds at which an access token ends. */
    expiresAt: number | undefined
    /** Why the caller's access token is not taken. */
    refusal: ServiceError | undefined
    /** `WWW-Authenticate`, where it is another than usual. */
    challenge: string | undefined
    /** What holds for this caller alone. */
    policy: Policy | undefined
    served: Served | undefined
    problem: ServiceError | undefined
  }
}

export function decorate(app: FastifyInstance): void {
  app.decorateRequest('callerName', undefined)
  app.decorateRequest('scopes', undefined)
  app.decorateRequest('expiresAt', undefined)
  app.decorateRequest('refusal', undefined)
  app.decorateRequest('challenge', undefined)
  app.decorateRequest('policy', undefined)
  app.decorateRequest('served', undefined)
  app.decorateRequest('problem', undefined)
}
