import fp from 'fastify-plugin'
import type { Policies } from '../../context/request/policy.ts'

/** Says what holds for this caller alone. */
export const policiesPlugin = fp(
  async (app, { policies }: { policies: Policies | undefined }) => {
    if (!policies) return
    app.addHook('onRequest', (request, _reply, done) => {
      request.policy = policies.of(request.callerName)
      done()
    })
  },
  { name: 'policies', dependencies: ['auth'] },
)
