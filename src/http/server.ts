import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { FairLoop } from '../core/fairLoop.ts'
import type { Admission } from './admission.ts'
import { closeInStages } from './closing.ts'
import type { DoorNames } from './doorNames.ts'
import type { Intake } from './intake.ts'
import { refuse } from './overloaded.ts'
import { cutSlowReaders } from './slowReaders.ts'

export interface ServerLimits {
  /** Open connections at most; more are closed as soon as they come. */
  readonly maxConnections: number
  /** Milliseconds for a request's headers, and for all of the request. */
  readonly headersTimeout: number
  readonly requestTimeout: number
  /** Milliseconds that a connection may be idle between two requests. */
  readonly keepAliveTimeout: number
  /** Milliseconds in which a caller must take something of an answer that is being sent. */
  readonly readTimeout: number
}

/** Milliseconds between looks at who is too slow. */
const LOOK_EVERY = 1_000

/** For `createServer` of `node:http`. */
export const timeoutsOf = ({ headersTimeout, keepAliveTimeout, requestTimeout }: ServerLimits) => ({
  connectionsCheckingInterval: LOOK_EVERY,
  headersTimeout,
  keepAliveTimeout,
  requestTimeout,
})

export interface DoorOptions {
  readonly admission: Admission
  readonly fairLoop: FairLoop
  readonly names: DoorNames
  readonly intake: Intake
}

/**
 * Comes before everything else: what is refused there has cost nothing but the reading of its
 * headers, and of what waits for the event loop the framework knows nothing yet, whose objects every
 * collection would have to copy. Probes and metrics are let in at all times.
 */
export function createDoor(handler: RequestListener, options: DoorOptions) {
  const { admission, fairLoop, names, intake } = options
  return (request: IncomingMessage, response: ServerResponse): void => {
    // After the last answer nothing is worked on any more (RFC 9112, section 9.6).
    if (request.socket.writableEnded) return
    if (isAlwaysOpen(request.url ?? '')) {
      handler(request, response)
      return
    }
    const known = names.knownOf(request)
    const name = known ?? names.addressOf(request)
    if (intake.came(name)) restAfter(name, request, response)
    if (admission.isFull(name)) refuse(request, response)
    else if (known === undefined) handler(request, response)
    else inTurn(known, request, response)
  }

  function inTurn(caller: string, request: IncomingMessage, response: ServerResponse): void {
    const cameAt = performance.now()
    fairLoop.run(caller, () => {
      response.waitedAs = caller
      response.waited = performance.now() - cameAt
      handler(request, response)
    })
  }

  /** Who would be refused may as well be told so at once. */
  function restAfter(name: string, request: IncomingMessage, response: ServerResponse): void {
    const rest = () => intake.rest(name, request.socket)
    response.once('finish', () => {
      if (!response.shouldKeepAlive || admission.refuses(name)) return
      // Node reads on until it has all of a request, also where its answer is sent.
      if (request.readableEnded) rest()
      else request.once('end', rest)
    })
  }
}

/**
 * Slow clients must not hold sockets; answers may take as long as GitHub does. Where one connection
 * came more may wait, and of these a turn of the loop accepts one (libuv, `uv__server_io`).
 */
export function limitConnections(
  server: Server,
  limits: ServerLimits,
  { hurry }: Pick<FairLoop, 'hurry'>,
): Server {
  server.on('connection', hurry)
  closeInStages(server)
  server.maxConnections = limits.maxConnections
  cutSlowReaders(server, { patience: limits.readTimeout, every: LOOK_EVERY })
  return server
}

/** For those who look after the service. */
export function isAlwaysOpen(url: string): boolean {
  return url.startsWith('/health') || url.startsWith('/metrics')
}
