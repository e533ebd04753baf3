import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type BatchResult, getBatch } from '../../context/batch.ts'
import { requestOptions } from '../../context/request/contract.ts'
import { faulty } from '../../context/request/faults.ts'
import { whoOf } from '../callerKey.ts'
import { callerToken } from '../callerToken.ts'
import { meterOf } from '../decorations.ts'
import { disconnected } from '../disconnect.ts'
import { admitStream, createFeed, event, sendEvents } from '../eventStream.ts'
import { negotiate } from '../negotiate.ts'
import { Problem, problemOf, toServiceError } from '../problem.ts'
import { problemResponses } from '../schemas.ts'
import type { ContextRoutesOptions } from './context.ts'

const { max_tokens, query, max_age, min_trust } = requestOptions
const PROBLEMS = [400, 401, 406, 413, 415, 429, 500]
const OFFERED = ['application/json', 'text/event-stream'] as const

const Body = Type.Object(
  {
    requests: Type.Array(Type.Unknown(), { minItems: 1, maxItems: 50 }),
    max_tokens: Type.Optional({
      ...max_tokens,
      description:
        'The `content` of all answers together fits in this many tokens; at least 100 each',
    }),
    query,
    max_age,
    min_trust,
  },
  { additionalProperties: false },
)

const body = TypeCompiler.Compile(Body)

const validateBody = (value: unknown) =>
  body.Check(value) ? { value } : { error: faulty(body, Body, value, '', 'a batch') }

/** Many contexts by one request. One that fails fails alone. */
export async function batchRoute(
  app: FastifyInstance,
  options: ContextRoutesOptions,
): Promise<void> {
  const { schemas } = options
  // Examples are of a body, not of a list's entries.
  const { 'x-examples': _, ...request } = schemas.request
  app.post('/mcp/context/batch', {
    schema: {
      operationId: 'postContextBatch',
      summary: 'Many contexts in one budget',
      description:
        'Results come in the order of the requests. `query`, `max_age` and `min_trust` hold for requests that do not say otherwise.',
      tags: ['context'],
      body: Type.Object({
        ...Body.properties,
        requests: Type.Array(Type.Unsafe(request), { minItems: 1, maxItems: 50 }),
      }),
      response: {
        200: {
          description: 'A result for each request',
          content: {
            'application/json': { schema: Results(schemas.answer) },
            'text/event-stream': {
              schema: Type.String({
                description: 'An event `result` for each as it is ready, then `done`',
              }),
            },
          },
        },
        ...problemResponses(...PROBLEMS),
      },
    },
    validatorCompiler: () => validateBody,
    handler: (request, reply) => answerBatch(options, request, reply),
  })
}

const Results = (answer: ContextRoutesOptions['schemas']['answer']) =>
  Type.Object({
    results: Type.Array(
      Type.Object({
        status: Type.Integer({
          description: 'As if it had been asked for alone: 304 where nothing is new `since`',
        }),
        answer: Type.Optional(answer),
        problem: Type.Optional(Type.Unsafe({ $ref: `${Problem.$id}#` })),
      }),
    ),
  })

async function answerBatch(
  options: ContextRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { requests, max_tokens: maxTokens, ...defaults } = request.body as Static<typeof Body>
  const meter = meterOf(request)
  request.served = { type: 'batch', meter, outcome: undefined }
  const mediaType = negotiate(request.headers.accept, OFFERED)
  if (mediaType === 'text/event-stream') admitStream(request)
  const signal = disconnected(reply)
  const caller = {
    callerToken: callerToken(request),
    who: whoOf(request),
    meter,
    signal: () => signal,
  }
  const feed = createFeed<string>()
  const results = getBatch(options, { requests, maxTokens, defaults }, caller, (index, result) => {
    if ('failure' in result) request.server.problemMet(toServiceError(result.failure).code)
    feed.push(event('result', { index, ...resultOf(request, result) }))
  }).finally(feed.end)
  if (mediaType === 'application/json') {
    const written = (await results).map((result) => JSON.stringify(resultOf(request, result)))
    return reply
      .header('x-github-requests', meter.calls)
      .header('cache-control', 'no-store')
      .type('application/json; charset=utf-8')
      .send(`{"results":[${written.join(',')}]}`)
  }
  return sendEvents(reply, eventsOf(feed, results, request, meter))
}

async function* eventsOf(
  feed: AsyncIterable<string>,
  results: Promise<unknown>,
  request: FastifyRequest,
  meter: { readonly calls: number },
): AsyncGenerator<string> {
  yield* feed
  try {
    await results
    yield event('done', { github_requests: meter.calls })
  } catch (error) {
    request.problem = toServiceError(error)
    yield event('error', problemOf(request, request.problem))
  }
}

function resultOf(request: FastifyRequest, result: BatchResult) {
  if ('failure' in result) {
    const problem = problemOf(request, toServiceError(result.failure))
    return { status: problem.status, problem }
  }
  if (!result.body) return { status: 304 }
  return { status: 200, answer: JSON.parse(result.body.toString()) as unknown }
}
