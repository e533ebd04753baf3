import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TurnAnswer, TurnEvent } from '../sessions/turn/turn.ts'
import { admitStream, event, sendEvents } from './eventStream.ts'
import { negotiate } from './negotiate.ts'
import { problemOf, toServiceError } from './problem.ts'

const OFFERED = ['application/json', 'text/event-stream'] as const
/** Milliseconds in which a failure still gets a status of its own; then the stream begins. */
const PATIENCE = 10_000
const WAITED = Symbol('waited')

/** Sends a turn: whole, or as it comes. */
export async function invokeSession(
  events: AsyncGenerator<TurnEvent>,
  request: FastifyRequest,
  reply: FastifyReply,
  signal: AbortSignal,
): Promise<FastifyReply> {
  if (negotiate(request.headers.accept, OFFERED) === 'application/json') {
    for await (const each of events) if (each.type === 'end') return reply.send(each.answer)
    throw new Error('a turn without an end')
  }
  admitStream(request)
  const first = events.next()
  await within(PATIENCE, first)
  return sendEvents(reply, written(events, first, request, signal))
}

/** The model's words as they come; then, once the turn is kept, all else. */
async function* written(
  events: AsyncGenerator<TurnEvent>,
  first: Promise<IteratorResult<TurnEvent>>,
  request: FastifyRequest,
  signal: AbortSignal,
): AsyncGenerator<string> {
  try {
    for (let next = await first; !next.done; next = await events.next()) {
      if (next.value.type === 'text') yield event('token', { text: next.value.text })
      else yield* ending(next.value.answer)
    }
  } catch (error) {
    if (signal.aborted) return
    request.problem = toServiceError(error)
    if (request.problem.code === 'internal_error')
      request.log.error({ request_id: request.id, err: error }, 'unexpected error')
    yield event('error', problemOf(request, request.problem))
  } finally {
    // Where the caller hung up between two words, so that the model is not read any further.
    await events.return(undefined)
  }
}

function* ending({ context_updates, session_id, usage }: TurnAnswer): Generator<string> {
  yield event('context_updates', context_updates)
  yield event('usage', usage)
  yield event('done', { session_id })
}

async function within<T>(milliseconds: number, result: Promise<T>): Promise<T | typeof WAITED> {
  const { promise, resolve } = Promise.withResolvers<typeof WAITED>()
  const timer = setTimeout(resolve, milliseconds, WAITED)
  return Promise.race([result, promise]).finally(() => clearTimeout(timer))
}
