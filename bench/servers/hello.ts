/** Fastify and nothing else, to compare the start with. */
import Fastify from 'fastify'

const app = Fastify()
app.get('/health/ready', () => ({ status: 'ready' }))
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
