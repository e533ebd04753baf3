import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../../metrics/metrics.ts'
import { problemResponses } from '../schemas.ts'

export async function metricsRoute(
  app: FastifyInstance,
  { metrics }: { metrics: Metrics },
): Promise<void> {
  app.get('/metrics', {
    config: { open: true, rateLimit: false },
    schema: {
      operationId: 'getMetrics',
      summary: 'Metrics for Prometheus',
      tags: ['operation'],
      security: [],
      response: {
        200: {
          description: 'Text format 0.0.4',
          content: { 'text/plain': { schema: Type.String() } },
        },
        ...problemResponses(404),
      },
    },
    handler: async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.render()),
  })
}
