import { connect, type Socket } from 'node:net'

/** An answer as the load generator sees it. */
export interface Reply {
  /** 0 where the connection broke. */
  readonly status: number
  /** Status line and headers. */
  readonly head: string
  readonly body: Buffer
}

/** One keep-alive connection with one request on its way at most. */
export interface Wire {
  send(request: Buffer, done: (reply: Reply) => void): void
  close(): void
}

const BROKEN: Reply = { status: 0, head: '', body: Buffer.alloc(0) }
const END_OF_HEAD = '\r\n\r\n'

/**
 * A client that costs the load generator's core a third of what a complete HTTP client costs, so
 * that the server is what is measured. It reads answers that have a `Content-Length`, or no body.
 */
export function openWire(url: string): Wire {
  const { hostname, port } = new URL(url)
  let socket: Socket | undefined
  let waiting: ((reply: Reply) => void) | undefined
  let received: Buffer[] = []
  let size = 0
  let expected = 0
  let head = ''

  function settle(reply: Reply): void {
    const done = waiting
    waiting = undefined
    received = []
    size = 0
    expected = 0
    done?.(reply)
  }

  function read(chunk: Buffer): void {
    received.push(chunk)
    size += chunk.length
    if (expected === 0) readHead()
    if (expected === 0 || size < expected) return
    const all = received.length === 1 ? chunk : Buffer.concat(received)
    const status = Number(head.slice(9, 12))
    settle({ status, head, body: all.subarray(head.length + END_OF_HEAD.length, expected) })
  }

  function readHead(): void {
    const all = received.length === 1 ? (received[0] as Buffer) : Buffer.concat(received)
    const end = all.indexOf(END_OF_HEAD)
    if (end === -1) return
    head = all.toString('latin1', 0, end)
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
    expected = end + END_OF_HEAD.length + Number(length ?? 0)
  }

  function open(): Socket {
    const opened = connect({ host: hostname, port: Number(port), noDelay: true })
    opened.on('data', read)
    opened.on('error', () => {})
    opened.on('close', () => {
      if (socket === opened) socket = undefined
      if (waiting) settle(BROKEN)
    })
    return opened
  }

  return {
    send(request, done) {
      waiting = done
      socket ??= open()
      socket.write(request)
    },
    close() {
      socket?.destroy()
    },
  }
}

/** A request as the bytes that are sent. */
export function rawRequest(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): Buffer {
  const all = {
    host: 'bench',
    ...(body === ''
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
}
