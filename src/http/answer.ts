import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Engine } from '../context/engine.ts'
import type { ContextRequest } from '../context/request.ts'
import { ageOf, cacheStatus } from './cacheStatus.ts'
import { callerToken } from './callerToken.ts'
import { disconnected } from './disconnect.ts'
import { matches } from './etag.ts'
import { contentOf } from './markdown.ts'
import { type MediaType, negotiate } from './negotiate.ts'

export interface AnswerOptions {
  readonly engine: Engine
  readonly rateLimitRemaining: (principal: string) => number | undefined
  readonly now: () => number
}

/** Answers a context request, whichever route it came by. */
export async function answer(
  { engine, rateLimitRemaining, now }: AnswerOptions,
  context: ContextRequest,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const meter = { calls: 0 }
  request.served = { type: context.provider.type, meter, outcome: undefined }
  const mediaType = negotiate(request.headers.accept)
  const cached = await engine.get(context, {
    callerToken: callerToken(request),
    meter,
    signal: () => disconnected(reply),
  })
  request.served.outcome = cached.outcome

  const at = now()
  const { entry } = cached
  const etag = etagOf(entry.contextId, mediaType)
  const remaining = rateLimitRemaining(cached.principal)
  reply
    .header('etag', etag)
    .header('age', ageOf(cached, at))
    .header('cache-status', cacheStatus(cached, at))
    .header('cache-control', 'private, no-cache')
    .header('vary', 'Accept, X-GitHub-Token')
    .header('x-github-requests', meter.calls)
  if (remaining !== undefined) reply.header('x-github-ratelimit-remaining', remaining)
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()
  reply.type(`${mediaType}; charset=utf-8`)
  return reply.send(mediaType === 'text/markdown' ? contentOf(entry.body) : entry.body)
}

/** Two representations of one context are two things to a cache (RFC 9110, section 8.8.3). */
function etagOf(contextId: string, mediaType: MediaType): string {
  return mediaType === 'text/markdown' ? `"${contextId}.md"` : `"${contextId}"`
}
