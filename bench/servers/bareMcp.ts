/** The baseline: Fastify alone with one route that parses the same messages and sends `BODY`. */
import Fastify from 'fastify'

const { PORT, BODY = '' } = process.env
const bytes = Buffer.from(BODY)

const app = Fastify()
app.post(
  '/mcp',
  {
    schema: {
      body: {
        type: 'object',
        properties: {
          jsonrpc: { const: '2.0' },
          id: { type: 'integer' },
          method: { type: 'string' },
          params: { type: 'object' },
        },
        required: ['jsonrpc', 'id', 'method'],
      },
    },
  },
  (_request, reply) => reply.type('application/json; charset=utf-8').send(bytes),
)
await app.listen({ host: '127.0.0.1', port: Number(PORT) })
