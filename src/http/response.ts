import {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  type Server,
  ServerResponse,
  STATUS_CODES,
} from 'node:http'
import type { FastifyReply } from 'fastify'

/** Bytes of a head and a body that leave in one write, and of what several such are put together in. */
const SHORT = 15 * 1024
const SLAB = 32 * 1024
/** What a header's value must not have (RFC 9110, section 5.5; as Node checks it). */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/

declare module 'node:http' {
  interface ServerResponse {
    /** Header lines that the answer has, whoever sends it; absent where it is none of `createResponses`. */
    lines?: string
    /** In whose line its request waited at the door, and for how many milliseconds; empty where it did not. */
    waitedAs?: string
    waited?: number
    /**
     * What Node's `writeHead` ends in: takes what is written already, and adds its own lines
     * (`lib/_http_outgoing.js` of Node 24; it is in no document).
     */
    _storeHeader(begin: string, headers: readonly OutgoingHttpHeader[]): void
    /** The head, once there is one, whether it has left, and whether a body may follow (in no document either). */
    _header: string | null
    _headerSent: boolean
    _hasBody: boolean
  }
}

/**
 * How `node:http` answers here. What is ready leaves with the lines that it has already: Node looks at
 * each of a head's names and values once more, which takes a tenth of the time of a hit. What is short
 * leaves in one write with its head, byte for byte, as Node joins them only where the body is a text.
 * And once the server listens no more, every answer tells its caller to leave.
 */
export function createResponses(server: () => Server) {
  return class Response<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
    override lines = ''
    override waitedAs = ''
    override waited = 0

    override writeHead(status: number, ...rest: unknown[]): this {
      if (!server().listening) this.shouldKeepAlive = false
      const own = rest.at(-1)
      if (Array.isArray(own)) {
        this.statusCode = status
        this._storeHeader(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${this.lines}`, own)
        return this
      }
      if (typeof own === 'object') rest.pop()
      return super.writeHead(
        status,
        ...(rest as []),
        joined(this.lines, own as OutgoingHttpHeaders),
      )
    }

    override end(...rest: unknown[]): this {
      const [body] = rest
      const head = this.headToSend()
      if (head && Buffer.isBuffer(body) && head.length + body.length <= SHORT) {
        rest[0] = inOne(head, body)
        this._headerSent = true
      }
      return super.end(...(rest as Parameters<ServerResponse['end']>))
    }

    /** That has not left, where a body of a known length belongs behind it. */
    private headToSend(): string | null {
      return this._headerSent || this.chunkedEncoding || !this._hasBody ? null : this._header
    }
  }
}

let slab = Buffer.allocUnsafeSlow(SLAB)
let used = 0

/**
 * A head and its body. As one text, which Node would make of them, each was copied three times, twice of
 * these in V8's heap: nearly half of what an answer leaves there to be collected.
 */
function inOne(head: string, body: Buffer): Buffer {
  const length = head.length + body.length
  if (used + length > SLAB) {
    slab = Buffer.allocUnsafeSlow(SLAB)
    used = 0
  }
  const bytes = slab.subarray(used, used + length)
  bytes.write(head, 'latin1')
  body.copy(bytes, head.length)
  used += length
  return bytes
}

/** What is said by a sender of the answer counts for more than what is said by all. */
function joined(lines: string, own: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const all: OutgoingHttpHeaders = {}
  for (const line of lines.split('\r\n').slice(0, -1)) {
    const colon = line.indexOf(': ')
    all[line.slice(0, colon)] = line.slice(colon + 2)
  }
  return Object.assign(all, own)
}

/** Has the answer say this, whoever sends it: at a fraction of the cost of the framework's headers. */
export function say(reply: FastifyReply, name: string, value: string | number): void {
  const { raw } = reply
  if (raw.lines === undefined) reply.header(name, value)
  else raw.lines += lineOf(name, value)
}

/** Headers that are always the same. */
export interface Preset {
  readonly headers: Readonly<Record<string, string>>
  readonly lines: string
}

export function preset(headers: Preset['headers']): Preset {
  const lines = Object.entries(headers).map(([name, value]) => lineOf(name, value))
  return { headers, lines: lines.join('') }
}

export function sayAll(reply: FastifyReply, { headers, lines }: Preset): void {
  const { raw } = reply
  if (raw.lines === undefined) reply.headers(headers)
  else raw.lines += lines
}

function lineOf(name: string, value: string | number): string {
  if (typeof value === 'string' && UNSAFE.test(value))
    throw new TypeError(`The value of ${name} has a character that no header may have`)
  return `${name}: ${value}\r\n`
}

/** Sends bytes that are ready, past all that the framework does for what must be serialised first. */
export function sendReady(reply: FastifyReply, status: number, body: Buffer): void {
  const { raw } = reply
  const own: OutgoingHttpHeader[] = ['content-length', body.length]
  const others = reply.getHeaders()
  for (const name in others) own.push(name, others[name] as OutgoingHttpHeader)
  reply.hijack()
  raw.writeHead(status, own)
  raw.end(body)
}
