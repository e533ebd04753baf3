import type { FastifyRequest } from 'fastify'
import type { Who } from '../context/caller.ts'

/** Who is counted: the API key's name, or the address where there is no valid key. */
export function callerKey({ callerName, ip }: FastifyRequest): string {
  return callerName === undefined ? `ip:${ip}` : `key:${callerName}`
}

/** The same for those who answer. */
export function whoOf(request: FastifyRequest): Who {
  return { name: callerKey(request), policy: request.policy }
}
