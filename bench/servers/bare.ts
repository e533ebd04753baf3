/**
 * The baseline: Fastify alone with one route that takes the same bodies, validated by Fastify's own
 * Ajv, and sends the same bytes, which it gets from `BYTES_OF` once. With `REDIS_URL` it reads them
 * from Redis for each request, where `KEY_OF` requests have a key each.
 */
import Fastify from 'fastify'
import { providers } from '../../src/context/registry.ts'
import { compileContracts } from '../../src/context/request/contract.ts'
import { contextSchemas } from '../../src/http/schemas.ts'
import { connectRedis } from '../../src/redis/connection.ts'
import { askIssue } from '../support/service.ts'

const { PORT, BYTES_OF = '', REDIS_URL } = process.env
const { body: bytes } = await askIssue(BYTES_OF, 1)
const schemas = contextSchemas(compileContracts(providers))

const app = Fastify({
  // The document's own keywords (`x-examples`) are none of Ajv's.
  ajv: {
    customOptions: {
      discriminator: true,
      strict: false,
      removeAdditional: false,
      coerceTypes: false,
    },
  },
})
for (const schema of schemas.shared) app.addSchema(schema)
const schema = { body: schemas.request }
const type = 'application/json; charset=utf-8'

if (REDIS_URL === undefined) {
  app.post('/mcp/context', { schema }, (_request, reply) => reply.type(type).send(bytes))
} else {
  const { commands } = connectRedis(REDIS_URL)
  app.post<{ Body: { params: { issue_number: number } } }>(
    '/mcp/context',
    { schema },
    async (request, reply) => {
      const { issue_number } = request.body.params
      return reply.type(type).send(await commands.getBuffer(`bare:${issue_number}`))
    },
  )
  app.addHook('onReady', () => new Promise<void>((ready) => commands.once('ready', () => ready())))
}
await app.listen({ host: '127.0.0.1', port: Number(PORT) })
