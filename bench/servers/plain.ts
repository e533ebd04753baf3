/** The service's own routes and engine on a Fastify without any feature: no keys, limits, metrics, log. */
import { createServer } from 'node:http'
import Fastify from 'fastify'
import pino from 'pino'
import { readConfig } from '../../src/config.ts'
import { createDeps } from '../../src/deps.ts'
import { decorate } from '../../src/http/decorations.ts'
import { createResponses } from '../../src/http/response.ts'
import { contextRoutes } from '../../src/http/routes/context.ts'
import { mcpRoute } from '../../src/http/routes/mcp.ts'
import { contextSchemas } from '../../src/http/schemas.ts'

const config = readConfig(process.env)
const deps = await createDeps(config, pino({ level: 'silent' }))
const schemas = contextSchemas(deps.app.contracts)

const app = Fastify({
  serverFactory(handler) {
    const ServerResponse = createResponses(() => server)
    const server = createServer({ ServerResponse }, handler)
    return server
  },
  ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
})
decorate(app)
app.decorate('callerLeft', () => {})
app.setSerializerCompiler(() => JSON.stringify)
for (const schema of schemas.shared) app.addSchema(schema)
await app.register(contextRoutes, { ...deps.app, schemas })
await app.register(mcpRoute, deps.app.mcp)
await app.listen({ host: config.HOST, port: config.PORT })
