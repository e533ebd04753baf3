import cors from '@fastify/cors'
import fp from 'fastify-plugin'
import { preset, say, sayAll } from '../response.ts'

/** Headers that a JSON service needs; the full set of a web page is set for /docs alone. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

const ALWAYS = preset(SECURITY_HEADERS)

const EXPOSED = [
  'ETag',
  'Age',
  'Cache-Status',
  'Retry-After',
  'WWW-Authenticate',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'X-Request-Id',
  'X-GitHub-Requests',
  'X-GitHub-RateLimit-Remaining',
]

export const securityPlugin = fp(
  async (app, { origins }: { origins: readonly string[] }) => {
    app.addHook('onRequest', (request, reply, done) => {
      sayAll(reply, ALWAYS)
      say(reply, 'x-request-id', request.id)
      done()
    })
    if (origins.length > 0)
      await app.register(cors, { origin: [...origins], exposedHeaders: EXPOSED })
  },
  { name: 'security' },
)
