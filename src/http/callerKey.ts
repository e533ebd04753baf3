import type { FastifyRequest } from 'fastify'

/** Who is counted: the API key's name, or the address where there is no valid key. */
export function callerKey({ callerName, ip }: FastifyRequest): string {
  return callerName === undefined ? `ip:${ip}` : `key:${callerName}`
}
