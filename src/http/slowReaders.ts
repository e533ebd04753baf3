import type { Server } from 'node:http'
import type { Socket } from 'node:net'

export interface SlowReaderOptions {
  /** Milliseconds in which a caller must take something of what waits for it. */
  readonly patience: number
  /** Milliseconds between looks. */
  readonly every: number
}

interface Stall {
  /** Bytes that the caller had taken, and since when it is no more. */
  taken: number
  since: number
}

/**
 * Closes connections whose callers ask and do not read: what is written for them would be kept
 * without end. Connections that wait for an answer are none of those.
 */
export function cutSlowReaders(server: Server, { every, patience }: SlowReaderOptions): void {
  const stalls = new Map<Socket, Stall | undefined>()
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    const at = performance.now()
    for (const [socket, stall] of stalls) {
      if (socket.writableLength === 0) {
        if (stall) stalls.set(socket, undefined)
        continue
      }
      const taken = socket.bytesWritten - socket.writableLength
      if (stall?.taken !== taken) stalls.set(socket, { taken, since: at })
      else if (at - stall.since > patience) socket.destroy()
    }
  }

  server.on('connection', (socket: Socket) => {
    timer ??= setInterval(look, every).unref()
    stalls.set(socket, undefined)
    socket.once('close', () => stalls.delete(socket))
  })
  server.once('close', () => clearInterval(timer))
}
