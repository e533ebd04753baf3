import { PassThrough } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answer } from '../../mcp/protocol/server.ts'
import { disconnected } from '../disconnect.ts'
import { admitStream } from '../eventStream.ts'
import { say, sendReady } from '../response.ts'

/** One POST while it is answered: by JSON, or by a stream as soon as something comes before the answer. */
export interface Exchange {
  readonly signal: () => AbortSignal
  /**
   * Absent where the client takes no streams.
   * @throws ServiceError `rate_limited` where the caller has too many
   */
  readonly send: ((message: object) => void) | undefined
  readonly end: (answer: Answer) => FastifyReply
}

export interface ExchangeOptions {
  /** Milliseconds between signs of life on a stream, for proxies that cut silent connections. */
  readonly keepAlive: number
}

/** Bytes that may wait for a client on one stream. */
const MOST_UNREAD = 1024 * 1024

const JSON_TYPE = 'application/json; charset=utf-8'
const STREAM_TYPE = 'text/event-stream'

export function createExchange(
  request: FastifyRequest,
  reply: FastifyReply,
  { keepAlive }: ExchangeOptions,
): Exchange {
  let signal: AbortSignal | undefined
  let stream: PassThrough | undefined
  let timer: NodeJS.Timeout | undefined

  function open(): PassThrough {
    admitStream(request)
    const opened = new PassThrough()
    request.place?.leave()
    timer = setInterval(() => opened.write(': \n\n'), keepAlive)
    // At its end, and where the client hangs up before.
    opened.once('close', () => clearInterval(timer))
    void reply
      .type(STREAM_TYPE)
      .header('cache-control', 'no-cache, no-transform')
      .header('x-accel-buffering', 'no')
      .send(opened)
    return opened
  }

  function send(message: object): void {
    if (reply.raw.destroyed) return
    stream ??= open()
    // What a client does not read is not kept for it: it can ask again.
    if (stream.writableLength > MOST_UNREAD) reply.raw.destroy()
    else stream.write(eventOf(JSON.stringify(message)))
  }

  return {
    signal() {
      signal ??= disconnected(reply)
      return signal
    },
    send: takesStreams(request) ? send : undefined,
    end({ status, body }) {
      if (!stream) {
        say(reply, 'content-type', JSON_TYPE)
        sendReady(reply, status, body)
        return reply
      }
      stream.end(eventOf(body.toString()))
      return reply
    },
  }
}

/** Clients must take both (specification, "Streamable HTTP"); who does not say so gets JSON. */
function takesStreams({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes(STREAM_TYPE) ?? false
}

function eventOf(data: string): string {
  return `event: message\ndata: ${data}\n\n`
}
