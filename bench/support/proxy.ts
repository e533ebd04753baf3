import { connect, createServer, type Socket } from 'node:net'
import { freePort } from './servers.ts'

export interface SlowProxy extends AsyncDisposable {
  readonly port: number
  /** Milliseconds by which all that the server says is held back. */
  delay: number
}

/** Stands between clients and a server on this machine, and can be slow. */
export async function startProxy(target: number): Promise<SlowProxy> {
  const port = await freePort()
  const sockets = new Set<Socket>()
  const proxy = { port, delay: 0 }

  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ host: '127.0.0.1', port: target, noDelay: true })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    upstream.on('data', (chunk) => {
      if (proxy.delay === 0) client.write(chunk)
      else setTimeout(() => client.write(chunk), proxy.delay)
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return Object.assign(proxy, {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
}
