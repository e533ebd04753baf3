import { type Server, ServerResponse } from 'node:http'

/** Bytes: up to here Node writes a text to the socket without an allocation for it (`stream_base.cc`). */
const SHORT = 15 * 1024

/**
 * How `node:http` answers here. What is short leaves in one write with its headers, byte for byte, as
 * Node joins them only where the body is a text. And once the server listens no more, every answer
 * tells its caller to leave.
 */
export function createResponses(server: () => Server) {
  return class Response extends ServerResponse {
    override writeHead(...head: unknown[]): this {
      if (!server().listening) this.shouldKeepAlive = false
      return super.writeHead(...(head as Parameters<ServerResponse['writeHead']>))
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
