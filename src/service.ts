import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from './config.ts'
import { createDeps } from './deps.ts'
import { checkCredential } from './github/preflight.ts'
import { buildApp } from './http/app.ts'

/** Milliseconds in which callers are told to leave their connections, before idle ones are closed. */
const DRAIN_MS = 500
/** Milliseconds after which running requests are cut off, so that the process ends within 10 s. */
const CUT_OFF_MS = 8_000

export interface Service {
  /** Where it listens, for example `http://127.0.0.1:3000`. */
  readonly url: string
  /** Finishes what runs, then closes everything. */
  close(): Promise<void>
}

/**
 * Starts the whole service.
 * @throws ServiceError `upstream_auth` when GitHub refuses the configured credential
 */
export async function startService(config: Config, logger: FastifyBaseLogger): Promise<Service> {
  const deps = await createDeps(config, logger)
  const { health } = deps.app
  try {
    await checkCredential(deps.github, logger)
    const app = await buildApp(deps.app)
    const url = await app.listen({ host: config.HOST, port: config.PORT })
    health.become('ready')
    logger.info(
      `${deps.app.name} ${deps.app.version} listens on ${url}; docs at ${url}/docs. ${missing(config)}`,
    )
    return {
      url,
      async close() {
        health.become('draining')
        await sleep(DRAIN_MS)
        const cutOff = setTimeout(() => app.server.closeAllConnections(), CUT_OFF_MS)
        await app.close()
        clearTimeout(cutOff)
        await deps.close()
      },
    }
  } catch (error) {
    await deps.close()
    throw error
  }
}

/** What the operator may want to configure, with what happens without it. */
function missing(config: Config): string {
  const gaps = [
    !config.GITHUB_TOKEN && 'GITHUB_TOKEN (anonymous: 60 GitHub requests an hour)',
    !config.REDIS_URL && 'REDIS_URL (cache in this process only)',
    config.API_KEYS.length === 0 && 'API_KEYS (everyone who can connect is served)',
  ].filter(Boolean)
  return gaps.length === 0 ? 'Everything is configured.' : `Not configured: ${gaps.join(', ')}.`
}
