import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Milliseconds that a caller has to take the end of the last answer, and to close too. */
const LINGER = 2_000

/**
 * Connections end in stages (RFC 9112, section 9.6): after the last answer nothing more is sent, and
 * what still comes is thrown away until the caller closes too. Who closes at once while a body is on
 * its way makes the kernel reset the connection, and the caller may lose the answer that tells why.
 */
export function closeInStages(server: Server): void {
  // What Node calls after an answer with `Connection: close`.
  server.on('connection', (socket: Socket) => {
    // Assigned where it is made, it would keep a connection that is gone for long (`createQueue`).
    const destroySoon = () => closeSoon(socket)
    socket.destroySoon = destroySoon
  })
}

/** Ends one connection that way, when all that was written to it is sent. */
export function closeSoon(socket: Socket): void {
  const linger = () => {
    const timer = setTimeout(() => socket.destroy(), LINGER).unref()
    socket.once('close', () => clearTimeout(timer))
  }
  socket.end()
  if (socket.writableFinished) linger()
  else socket.once('finish', linger)
}
