import type { Server as HttpServer } from 'node:http'
import { Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds in which callers leave the connections that they keep. */
const LEAVE_MS = 500
/** Milliseconds after which running requests are cut off, so that the process ends within 10 s. */
const CUT_OFF_MS = 8_000

/**
 * Stops a server without failing a request: it listens no more, but the connections that callers
 * keep stay open for a moment, in which every answer tells them to leave. Node's own `close` would
 * cut idle ones at once, with a request perhaps on its way.
 */
export async function drain(server: HttpServer): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  Server.prototype.close.call(server, () => resolve())
  const cutOff = setTimeout(() => server.closeAllConnections(), CUT_OFF_MS)
  await Promise.race([ended, sleep(LEAVE_MS)])
  server.closeIdleConnections()
  await ended
  clearTimeout(cutOff)
}
