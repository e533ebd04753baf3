import type { FastifyBaseLogger } from 'fastify'
import type { Config } from './config.ts'
import { createDeps } from './deps.ts'
import { drain } from './drain.ts'
import { checkCredential } from './github/preflight.ts'
import { buildApp } from './http/app.ts'

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
    await checkCredential(deps.askGitHub, logger)
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
        await drain(app.server)
        await app.close()
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
    !config.GITHUB_TOKEN &&
      !config.GITHUB_APP_ID &&
      'GITHUB_TOKEN or GITHUB_APP_ID (anonymous: 60 GitHub requests an hour)',
    !config.REDIS_URL && 'REDIS_URL (cache in this process only)',
    config.API_KEYS.length === 0 && 'API_KEYS (everyone who can connect is served)',
  ].filter(Boolean)
  return gaps.length === 0 ? 'Everything is configured.' : `Not configured: ${gaps.join(', ')}.`
}
