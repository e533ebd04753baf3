import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  ServerResponse,
} from 'node:http'
import type { FastifyReply } from 'fastify'

/** Bytes: up to here Node writes a text to the socket without an allocation for it (`stream_base.cc`). */
const SHORT = 15 * 1024

/** Names and values, one after the other: as such Node writes them soonest. */
export type Head = (string | number)[]

declare module 'node:http' {
  interface ServerResponse {
    /** What the answer says whoever sends it; absent where it is none of `createResponses`. */
    head?: Head
  }
}

/**
 * How `node:http` answers here. What is short leaves in one write with its headers, byte for byte, as
 * Node joins them only where the body is a text. And once the server listens no more, every answer
 * tells its caller to leave.
 */
export function createResponses(server: () => Server) {
  return class Response<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
    override head: Head = []

    override writeHead(status: number, ...rest: unknown[]): this {
      if (!server().listening) this.shouldKeepAlive = false
      const own = rest.at(-1)
      if (typeof own === 'object') rest.pop()
      return super.writeHead(status, ...(rest as []), joined(this.head, own))
    }

    override end(...rest: unknown[]): this {
      const [body] = rest
      if (Buffer.isBuffer(body) && body.length <= SHORT) {
        rest[0] = body.toString('latin1')
        rest[1] = 'latin1'
      }
      return super.end(...(rest as Parameters<ServerResponse['end']>))
    }
  }
}

/** What is said by a sender of the answer counts for more than what is said by all. */
function joined(head: Head, own: unknown): Head | OutgoingHttpHeaders {
  if (own === undefined || own === null) return head
  if (Array.isArray(own)) return head.concat(own)
  const all: OutgoingHttpHeaders = {}
  for (let at = 0; at < head.length; at += 2) all[head[at] as string] = head[at + 1]
  return Object.assign(all, own)
}

/** What the answer says already, to be added to. */
export function headOf({ raw }: FastifyReply): Head {
  return raw.head ?? []
}

/** Has the answer say this, whoever sends it: at half the cost of the framework's headers. */
export function say(reply: FastifyReply, ...pairs: Head): void {
  const { head } = reply.raw
  if (head) head.push(...pairs)
  else for (let at = 0; at < pairs.length; at += 2) reply.header(`${pairs[at]}`, pairs[at + 1])
}

/**
 * Sends bytes that are ready, past all that the framework does for what must be serialised first.
 * @param head as `headOf` says, with what was added
 */
export function sendReady(reply: FastifyReply, status: number, head: Head, body?: Buffer): void {
  const { raw } = reply
  const others = reply.getHeaders()
  for (const name in others) head.push(name, others[name] as string)
  if (body) head.push('content-length', body.length)
  reply.hijack()
  if (head === raw.head) raw.writeHead(status)
  else raw.writeHead(status, head)
  raw.end(body)
}
