import type { FastifyInstance } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { Contracts } from '../context/request/contract.ts'
import { type ContextRequest, parseRequest } from '../context/request/request.ts'
import { createDoorkeeper } from '../core/doorkeeper.ts'

/** Bodies remembered, and characters of one at most. */
const MOST_BODIES = 2_048
const LONGEST_BODY = 2_048
/** On a body, what it means. No `WeakMap`: to follow thousands of its entries takes V8 50 ms, in one go. */
const MEANING = Symbol('meaning')

/**
 * Reads context requests from JSON bodies. Callers ask the same again and again, and what a body
 * means never changes: so a body that was read before is neither parsed nor validated again.
 */
export function createRequestParser(app: FastifyInstance, contracts: Contracts) {
  const bodies = new LRUCache<string, object>({ max: MOST_BODIES })
  const cameBefore = createDoorkeeper(16 * MOST_BODIES)
  const parseJson = app.getDefaultJsonParser('error', 'error')

  app.removeContentTypeParser('application/json')
  app.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    (request, text, done) => {
      const known = bodies.get(text)
      if (known) return done(null, known)
      void parseJson(request, text, (error, value) => {
        if (value instanceof Object && text.length <= LONGEST_BODY && cameBefore(text)) {
          bodies.set(text, value)
        }
        done(error, value)
      })
    },
  )

  /** @throws ServiceError `invalid_request`, `unknown_context_type` */
  return (body: unknown): ContextRequest => {
    if (!(body instanceof Object)) return parseRequest(contracts, body)
    const read: { [MEANING]?: ContextRequest } = body
    read[MEANING] ??= parseRequest(contracts, body)
    return read[MEANING]
  }
}
