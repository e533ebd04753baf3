import fp from 'fastify-plugin'
import { ServiceError } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import { sendProblem, toServiceError } from '../problem.ts'

/** Every error leaves as a problem; those of the service's own making are logged with their cause. */
export const problemsPlugin = fp(
  async (app) => {
    const paths: string[] = []
    app.addHook('onRoute', ({ url }) => void paths.push(url))

    app.setErrorHandler((error, request, reply) => {
      const problem = toServiceError(error)
      request.problem = problem
      // Where the caller has hung up, what was stopped by that is no fault.
      if (problem.code === 'internal_error' && !reply.raw.destroyed)
        request.log.error({ request_id: request.id, err: problem.cause }, 'unexpected error')
      return sendProblem(request, reply, problem)
    })

    app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) => {
      const path = request.url.split('?', 1)[0] ?? ''
      const suggestion = nearest(path, paths)
      const hint = suggestion ? ` Did you mean ${suggestion}?` : ''
      const detail = `There is no ${request.method} ${path.slice(0, 200)} here.${hint} GET /docs shows what there is.`
      request.problem = new ServiceError('not_found', detail)
      return sendProblem(request, reply, request.problem)
    })
  },
  { name: 'problems', dependencies: ['rateLimit'] },
)
