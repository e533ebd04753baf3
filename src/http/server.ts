import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { FastifyServerFactory, FastifyServerFactoryHandler } from 'fastify'
import type { Admission } from './admission.ts'
import type { DoorNames } from './doorNames.ts'
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

/**
 * Node's server with limits on slow clients, and with a door before everything else: what is refused
 * there has cost nothing but the reading of its headers. Probes and metrics are let in at all times.
 */
export function createServers(
  limits: ServerLimits,
  admission: Admission,
  names: DoorNames,
): FastifyServerFactory {
  return (handler: FastifyServerFactoryHandler): Server => {
    const { headersTimeout, keepAliveTimeout, requestTimeout } = limits
    const server = createServer(
      { connectionsCheckingInterval: LOOK_EVERY, headersTimeout, keepAliveTimeout, requestTimeout },
      (request: IncomingMessage, response: ServerResponse) => {
        const isOpen = isAlwaysOpen(request.url ?? '') || !admission.isFull(names.nameOf(request))
        if (isOpen) handler(request, response)
        else refuse(request, response)
      },
    )
    server.maxConnections = limits.maxConnections
    cutSlowReaders(server, { patience: limits.readTimeout, every: LOOK_EVERY })
    return server
  }
}

/** For those who look after the service. */
export function isAlwaysOpen(url: string): boolean {
  return url.startsWith('/health') || url.startsWith('/metrics')
}
