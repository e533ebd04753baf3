import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ServiceError } from '../../core/errors.ts'
import type { FairLoop } from '../../core/fairLoop.ts'
import type { Admission, Place } from '../admission.ts'
import { callerKey } from '../callerKey.ts'
import type { DoorNames } from '../doorNames.ts'
import { refuse } from '../overloaded.ts'
import { isAlwaysOpen } from '../server.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request holds while it is worked on. */
    place: Place | undefined
  }
}

/** For the metric and the log line: what is sent is made already. */
const SHED = new ServiceError('overloaded', 'Shed')

export interface AdmissionOptions {
  readonly admission: Admission
  readonly fairLoop: FairLoop
  readonly names: DoorNames
}

/**
 * Holds callers to their shares of what is in work. A stream gives its place back when it begins: it
 * lives long and does little, and of such places each caller has so many. Whom the door did not know
 * waits for the event loop here, and has no place yet.
 */
export const admissionPlugin = fp(
  async (app, { admission, fairLoop, names }: AdmissionOptions) => {
    app.decorateRequest('place', undefined)

    app.addHook('onRequest', (request, reply, done) => {
      if (isAlwaysOpen(request.url)) return done()
      const caller = callerKey(request)
      if (request.callerName !== undefined) names.learn(request.raw, caller)
      if (reply.raw.waitedAs === caller) begin(caller, request, reply, done)
      else fairLoop.run(caller, () => begin(caller, request, reply, done))
    })

    function begin(
      caller: string,
      request: FastifyRequest,
      reply: FastifyReply,
      done: () => void,
    ): void {
      const isGone = reply.raw.destroyed
      const place = isGone ? undefined : admission.enter(caller)
      // Who hung up while it waited is told of like who hangs up later.
      if (isGone) app.callerLeft(reply)
      else if (!place) turnAway(request, reply)
      else {
        request.place = place
        // Also where the caller hangs up, which the framework's own hooks are not told of.
        reply.raw.on('close', place.end)
        done()
      }
    }
  },
  { name: 'admission', dependencies: ['auth'] },
)

function turnAway(request: FastifyRequest, reply: FastifyReply): void {
  request.problem = SHED
  reply.hijack()
  refuse(request.raw, reply.raw, request.id)
}
