import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answered, Engine } from '../context/engine.ts'
import type { ContextRequest } from '../context/request/request.ts'
import type { Meter } from '../core/meter.ts'
import { ageOf, cacheStatus } from './cacheStatus.ts'
import { whoOf } from './callerKey.ts'
import { callerToken } from './callerToken.ts'
import { meterOf, type Served } from './decorations.ts'
import { disconnected } from './disconnect.ts'
import { matches } from './etag.ts'
import { contentOf } from './markdown.ts'
import { negotiate } from './negotiate.ts'
import { preset, say, sayAll, sendReady } from './response.ts'
import { streamAnswer } from './streamAnswer.ts'

export interface AnswerOptions {
  readonly engine: Engine
  readonly rateLimitRemaining: (principal: string) => number | undefined
  readonly now: () => number
}

const OFFERED = ['application/json', 'text/markdown', 'text/event-stream'] as const

const ALWAYS = preset({
  'cache-control': 'private, no-cache',
  vary: 'Accept, X-GitHub-Token',
})

/** Answers a context request, whichever route it came by; at once where memory has it. */
export function answer(
  options: AnswerOptions,
  context: ContextRequest,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> | undefined {
  const meter = meterOf(request)
  const served: Served = { type: context.provider.type, meter, outcome: undefined }
  request.served = served
  const mediaType = negotiate(request.headers.accept, OFFERED)
  if (mediaType === 'text/event-stream') return streamAnswer(options, context, request, reply)
  const { engine } = options
  let signal: AbortSignal | undefined
  const caller = {
    callerToken: callerToken(request),
    who: whoOf(request),
    meter,
    signal() {
      signal ??= disconnected(reply)
      return signal
    },
  }
  const send = (answered: Answered) => {
    served.outcome = answered.outcome
    return sendAnswer(options, context, answered, mediaType, meter, reply)
  }
  const atHand = engine.atHand(context, caller)
  if (atHand) return send(atHand)
  return engine.get(context, caller).then((answered) => {
    // While Redis alone was waited for, nobody watched.
    if (reply.raw.destroyed) caller.signal().throwIfAborted()
    return send(answered)
  })
}

function sendAnswer(
  { engine, now, rateLimitRemaining }: AnswerOptions,
  context: ContextRequest,
  answered: Answered,
  mediaType: string,
  meter: Meter,
  reply: FastifyReply,
): Promise<unknown> | undefined {
  const { entry, principal } = answered
  const { since } = context
  const at = now()
  const etag = etagOf(context, entry.contextId, mediaType)
  const remaining = rateLimitRemaining(principal)
  say(reply, 'etag', etag)
  say(reply, 'age', ageOf(answered, at))
  say(reply, 'cache-status', cacheStatus(answered, at))
  say(reply, 'x-github-requests', meter.calls)
  sayAll(reply, ALWAYS)
  if (remaining !== undefined) say(reply, 'x-github-ratelimit-remaining', remaining)
  if (since === entry.contextId || matches(reply.request.headers['if-none-match'], etag)) {
    reply.code(304).send()
    return undefined
  }
  say(reply, 'content-type', `${mediaType}; charset=utf-8`)
  const send = (body: Buffer) =>
    sendReady(reply, 200, mediaType === 'text/markdown' ? Buffer.from(contentOf(body)) : body)
  if (since !== undefined) return engine.changes(context, answered).then(send)
  send(entry.body)
  return undefined
}

/** Two representations of one context are two things to a cache (RFC 9110, section 8.8.3). */
function etagOf({ since }: ContextRequest, contextId: string, mediaType: string): string {
  const form = mediaType === 'text/markdown' ? '.md' : ''
  return `"${contextId}${form}${since === undefined ? '' : `.since.${since}`}"`
}
