import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Health } from '../../health.ts'
import { problemResponses } from '../schemas.ts'

const Check = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('off')]),
  detail: Type.Optional(Type.String()),
})

const HealthAnswer = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded')]),
  message: Type.String(),
  server: Type.String(),
  version: Type.String(),
  checks: Type.Record(Type.String(), Check),
})

const Probe = Type.Object({ status: Type.String() })
const Unready = Type.Object({
  status: Type.Union([Type.Literal('starting'), Type.Literal('draining')]),
  detail: Type.String({ description: 'Why, and what to do' }),
})
const json = (description: string, schema: unknown) => ({
  description,
  content: { 'application/json': { schema } },
})
const open = { config: { open: true, rateLimit: false as const } }

/** For people and for probes (kubernetes.io, "Liveness, Readiness, and Startup Probes"). */
export async function healthRoutes(
  app: FastifyInstance,
  { health }: { health: Health },
): Promise<void> {
  app.get('/health', {
    ...open,
    schema: {
      operationId: 'getHealth',
      summary: 'Health with its parts; 200 while it can serve',
      tags: ['operation'],
      security: [],
      response: { 200: json('It serves', HealthAnswer), ...problemResponses(404) },
    },
    handler: () => health.report(),
  })

  app.get('/health/live', {
    ...open,
    schema: {
      operationId: 'getLiveness',
      summary: 'Whether the process is alive',
      tags: ['operation'],
      security: [],
      response: { 200: json('It is', Probe), ...problemResponses(404) },
    },
    handler: () => ({ status: 'ok' }),
  })

  app.get('/health/ready', {
    ...open,
    schema: {
      operationId: 'getReadiness',
      summary: 'Whether it wants traffic',
      tags: ['operation'],
      security: [],
      response: {
        200: json('It does', Probe),
        503: json('It is starting or draining', Unready),
        ...problemResponses(404),
      },
    },
    handler: (_request, reply) => {
      const status = health.readiness()
      const detail = health.reason()
      return reply.code(detail === undefined ? 200 : 503).send({ status, detail })
    },
  })
}
