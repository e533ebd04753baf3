import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Engine } from '../context/engine.ts'
import type { ContextRequest } from '../context/request.ts'
import { ageOf, cacheStatus } from './cacheStatus.ts'
import { callerToken } from './callerToken.ts'
import { disconnected } from './disconnect.ts'
import { matches } from './etag.ts'
import { contentOf } from './markdown.ts'
import { negotiate } from './negotiate.ts'
import { streamAnswer } from './streamAnswer.ts'

export interface AnswerOptions {
  readonly engine: Engine
  readonly rateLimitRemaining: (principal: string) => number | undefined
  readonly now: () => number
}

const OFFERED = ['application/json', 'text/markdown', 'text/event-stream'] as const

/** Answers a context request, whichever route it came by. */
export async function answer(
  options: AnswerOptions,
  context: ContextRequest,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const meter = { calls: 0 }
  request.served = { type: context.provider.type, meter, outcome: undefined }
  const mediaType = negotiate(request.headers.accept, OFFERED)
  if (mediaType === 'text/event-stream') return streamAnswer(options, context, request, reply)
  const { engine, now, rateLimitRemaining } = options
  const cached = await engine.get(context, {
    callerToken: callerToken(request),
    meter,
    signal: () => disconnected(reply),
  })
  request.served.outcome = cached.outcome

  const at = now()
  const { entry } = cached
  const etag = etagOf(context, entry.contextId, mediaType)
  const remaining = rateLimitRemaining(cached.principal)
  reply
    .header('etag', etag)
    .header('age', ageOf(cached, at))
    .header('cache-status', cacheStatus(cached, at))
    .header('cache-control', 'private, no-cache')
    .header('vary', 'Accept, X-GitHub-Token')
    .header('x-github-requests', meter.calls)
  if (remaining !== undefined) reply.header('x-github-ratelimit-remaining', remaining)
  const { since } = context
  if (since === entry.contextId || matches(request.headers['if-none-match'], etag)) {
    return reply.code(304).send()
  }
  const body = since === undefined ? entry.body : await engine.changes(context, cached)
  reply.type(`${mediaType}; charset=utf-8`)
  return reply.send(mediaType === 'text/markdown' ? contentOf(body) : body)
}

/** Two representations of one context are two things to a cache (RFC 9110, section 8.8.3). */
function etagOf({ since }: ContextRequest, contextId: string, mediaType: string): string {
  const form = mediaType === 'text/markdown' ? '.md' : ''
  return `"${contextId}${form}${since === undefined ? '' : `.since.${since}`}"`
}
