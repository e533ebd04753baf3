import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Block } from '../context/answer/answer.ts'
import type { Answered } from '../context/engine.ts'
import type { ContextRequest } from '../context/request/request.ts'
import type { AnswerOptions } from './answer.ts'
import { ageOf, cacheStatus } from './cacheStatus.ts'
import { whoOf } from './callerKey.ts'
import { callerToken } from './callerToken.ts'
import { meterOf } from './decorations.ts'
import { disconnected } from './disconnect.ts'
import { admitStream, createFeed, event, sendEvents } from './eventStream.ts'
import { problemOf, toServiceError } from './problem.ts'

/** Milliseconds in which a failure still gets a status of its own; then the stream begins. */
const PATIENCE = 2_000
const WAITED = Symbol('waited')

interface AnswerBody {
  readonly context: readonly Block[]
  readonly [field: string]: unknown
}

/** Answers as server-sent events: each block as soon as it is ready, then `done` with the rest. */
export async function streamAnswer(
  options: AnswerOptions,
  context: ContextRequest,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { engine } = options
  admitStream(request)
  const meter = request.served?.meter ?? meterOf(request)
  const signal = disconnected(reply)
  const feed = createFeed<Block>()
  const answered = engine
    .get(context, {
      callerToken: callerToken(request),
      who: whoOf(request),
      meter,
      signal: () => signal,
      // What is new can be told only of the whole.
      ...(context.since === undefined ? { onBlock: feed.push } : {}),
    })
    .finally(feed.end)
  answered.catch(() => {})
  const blocks = feed[Symbol.asyncIterator]()
  const first = blocks.next()
  const begun = await within(PATIENCE, first)
  if (begun !== WAITED && begun.done) await answered
  return sendEvents(reply, eventsOf())

  async function* eventsOf(): AsyncGenerator<string> {
    const sent: Block[] = []
    try {
      for (let next = await first; !next.done; next = await blocks.next()) {
        sent.push(next.value)
        yield event('block', next.value)
      }
      yield* theRest(await answered, sent)
    } catch (error) {
      request.problem = toServiceError(error)
      yield event('error', problemOf(request, request.problem))
    }
  }

  async function* theRest(cached: Answered, sent: readonly Block[]): AsyncGenerator<string> {
    if (request.served) request.served.outcome = cached.outcome
    const body =
      context.since === undefined ? cached.entry.body : await engine.changes(context, cached)
    const { context: whole, ...rest } = JSON.parse(body.toString()) as AnswerBody
    // A kept answer may stand in for one that failed on the way.
    const goesOn = sent.every((block, i) => JSON.stringify(block) === JSON.stringify(whole[i]))
    if (!goesOn) yield event('restart', { reason: 'GitHub failed: a kept answer follows' })
    for (const block of whole.slice(goesOn ? sent.length : 0)) yield event('block', block)
    const at = options.now()
    yield event('done', {
      ...rest,
      blocks: whole.length,
      cache_status: cacheStatus(cached, at),
      age: ageOf(cached, at),
      github_requests: meter.calls,
    })
  }
}

function within<T>(milliseconds: number, result: Promise<T>): Promise<T | typeof WAITED> {
  const { promise, resolve } = Promise.withResolvers<typeof WAITED>()
  const timer = setTimeout(resolve, milliseconds, WAITED)
  return Promise.race([result, promise]).finally(() => clearTimeout(timer))
}
