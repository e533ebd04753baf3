import type { FastifyRequest } from 'fastify'
import { ServiceError } from '../../core/errors.ts'

export interface HostRules {
  /** Whether the service listens for this machine alone. */
  readonly loopback: boolean
  /** Names that it may be called by; where there are none, a service for other machines takes all. */
  readonly hosts: readonly string[]
  /** Origins of pages that may call from browsers. */
  readonly origins: readonly string[]
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Keeps strangers' web pages out: one can make its own name lead to this machine, and a browser then
 * takes this service for part of that page (specification, "Streamable HTTP", "Security Warning").
 */
export function createHostCheck({ loopback, hosts, origins }: HostRules) {
  const named = new Set(hosts.map((host) => host.toLowerCase()))
  const takesAll = !loopback && named.size === 0

  /** @throws ServiceError `forbidden` */
  return ({ headers }: FastifyRequest): void => {
    const host = hostnameOf(`http://${headers.host}`)
    if (!takesAll && !(host && (LOOPBACK.has(host) || named.has(host)))) {
      throw new ServiceError(
        'forbidden',
        'The Host header names another host. Its operator can add it to ALLOWED_HOSTS.',
      )
    }
    const { origin } = headers
    if (origin === undefined || origins.includes(origin)) return
    const from = hostnameOf(origin)
    const local =
      from !== undefined && host !== undefined && LOOPBACK.has(from) && LOOPBACK.has(host)
    if (local || (from !== undefined && from === host)) return
    throw new ServiceError(
      'forbidden',
      'Pages of this origin may not call. The operator can add it to CORS_ORIGINS.',
    )
  }
}

function hostnameOf(address: string): string | undefined {
  return URL.parse(address)?.hostname
}
