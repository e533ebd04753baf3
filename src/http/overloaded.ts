import type { IncomingMessage, ServerResponse } from 'node:http'
import { problems } from '../core/errors.ts'
import { SECURITY_HEADERS } from './plugins/security.ts'
import { requestIdOf } from './requestId.ts'

/** Seconds. */
const RETRY_AFTER = 1
const CODE = 'overloaded'
const DETAIL = `This process has more to do than it can. Retry after ${RETRY_AFTER} s.`

/** Made once: a refusal must cost far less than an answer. */
const [BEFORE = '', AFTER = ''] = JSON.stringify({
  type: `urn:github-context-service:problem:${CODE}`,
  title: problems[CODE].title,
  status: problems[CODE].status,
  detail: DETAIL,
  code: CODE,
  request_id: '\n',
  retry_after: RETRY_AFTER,
}).split('\\n')
const HEADERS = {
  ...SECURITY_HEADERS,
  'content-type': 'application/problem+json; charset=utf-8',
  'cache-control': 'no-store',
  'retry-after': String(RETRY_AFTER),
}

/** The problem `overloaded`, without any of the framework's work. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  id = requestIdOf(request),
): void {
  const body = `${BEFORE}${id}${AFTER}`
  response.writeHead(problems[CODE].status, {
    ...HEADERS,
    'x-request-id': id,
    // What a sane id is made of has one byte a character.
    'content-length': body.length,
  })
  response.end(body)
}
