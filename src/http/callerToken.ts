import type { FastifyRequest } from 'fastify'

/** `X-GitHub-Token` as it was sent, repeated values joined: what it is worth is for others to judge. */
export function callerToken({ headers }: FastifyRequest): string | undefined {
  return headers['x-github-token']?.toString()
}
