import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ServiceError } from '../core/errors.ts'

/** Server-sent events (html.spec.whatwg.org/multipage/server-sent-events.html). */

const HEARTBEAT = 15_000
const QUIET = Symbol('quiet')

/**
 * Takes a place for a stream, before anything is done for it: it may live long.
 * @throws ServiceError `rate_limited` where the caller has too many
 */
export function admitStream({ place }: Pick<FastifyRequest, 'place'>): void {
  if (!place || place.stream()) return
  throw new ServiceError(
    'rate_limited',
    'You have as many streams open as you may have at once (MAX_STREAMS_PER_CALLER). End one of them, or ask without text/event-stream.',
    { retryAfter: 1 },
  )
}

/** One event; `data` is JSON on one line. */
export function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/**
 * Sends events as they come. Nothing is taken from `events` faster than the caller reads, and it is
 * ended when the caller hangs up.
 * @param heartbeat milliseconds of silence after which a comment keeps proxies from closing the stream
 */
export function sendEvents(
  reply: FastifyReply,
  events: AsyncGenerator<string>,
  heartbeat = HEARTBEAT,
): FastifyReply {
  reply.request.place?.leave()
  return reply
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .type('text/event-stream; charset=utf-8')
    .send(Readable.from(withHeartbeats(events, heartbeat), { highWaterMark: 1 }))
}

async function* withHeartbeats(
  events: AsyncGenerator<string>,
  heartbeat: number,
): AsyncGenerator<string> {
  let next = events.next()
  try {
    for (;;) {
      const { promise: quiet, resolve } = Promise.withResolvers<typeof QUIET>()
      const timer = setTimeout(resolve, heartbeat, QUIET)
      const result = await Promise.race([next, quiet]).finally(() => clearTimeout(timer))
      if (result === QUIET) yield ': keep-alive\n\n'
      else if (result.done) return
      else {
        yield result.value
        next = events.next()
      }
    }
  } finally {
    // A generator that waits ends by its own signal; its end need not be awaited.
    void events.return(undefined).catch(() => {})
  }
}

/** Values as they are pushed, in order, until `end`. */
export interface Feed<T> extends AsyncIterable<T> {
  push(value: T): void
  end(): void
}

export function createFeed<T>(): Feed<T> {
  const values: T[] = []
  let ended = false
  let wake = () => {}
  return {
    push(value) {
      values.push(value)
      wake()
    },
    end() {
      ended = true
      wake()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (values.length > 0) yield values.shift() as T
        if (ended) return
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        await promise
      }
    },
  }
}
