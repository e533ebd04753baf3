import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Outcome } from '../cache/request.ts'
import type { Policy } from '../context/request/policy.ts'
import type { ServiceError } from '../core/errors.ts'
import type { Meter } from '../core/meter.ts'
import type { Span } from '../core/trace.ts'

/** What became of a request, for its metric and its log line. */
export interface Served {
  readonly type: string
  readonly meter: Meter
  /** Undefined while there is none, and where it failed. */
  outcome: Outcome | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Told of each caller that hangs up while its answer is made or sent. */
    callerLeft: (reply: FastifyReply) => void
    /** Told of each problem that is a part of an answer, not all of it. */
    problemMet: (code: string) => void
  }
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
    /** Where it is traced. */
    span: Span | undefined
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
  app.decorateRequest('span', undefined)
}

/** For the calls to GitHub that are made for a request. */
export const meterOf = ({ span }: FastifyRequest): Meter => ({ calls: 0, answers: undefined, span })
