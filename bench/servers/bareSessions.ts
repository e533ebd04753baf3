/** The baseline of sessions: Fastify that writes items into a hash of Redis', and reads the hash. */
import Fastify from 'fastify'
import { connectRedis } from '../../src/redis/connection.ts'

interface Params {
  readonly session_id: string
}
interface Item {
  readonly metadata: { readonly id: string }
}

const { PORT, REDIS_URL = '' } = process.env
const { commands } = connectRedis(REDIS_URL)
const app = Fastify({ bodyLimit: 4 * 1024 * 1024 })

app.post<{ Params: Params; Body: readonly Item[] }>(
  '/mcp/session/:session_id/context',
  async (request, reply) => {
    const fields = request.body.flatMap((item) => [item.metadata.id, JSON.stringify(item)])
    await commands.hset(request.params.session_id, ...fields)
    return reply.code(204).send()
  },
)
app.get<{ Params: Params }>('/mcp/session/:session_id/status', async (request, reply) => {
  const items = await commands.hvals(request.params.session_id)
  return reply.type('application/json; charset=utf-8').send(`{"items":[${items.join()}]}`)
})
app.addHook('onReady', () => new Promise<void>((ready) => commands.once('ready', () => ready())))
await app.listen({ host: '127.0.0.1', port: Number(PORT) })
