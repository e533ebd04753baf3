import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from './config.ts'
import { createDeps } from './deps.ts'
import { drain } from './drain.ts'
import { checkCredential } from './github/preflight.ts'
import { buildApp } from './http/app.ts'

/** Connections that may wait to be accepted, where the system has no lower bound (listen(2)). */
const BACKLOG = 4_096
/** Milliseconds in which `/health/ready` says 503 before the service stops to listen. */
const NOTICE_MS = 500

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
  const { health, name, version } = deps.app
  const app = await buildApp(deps.app)
  const close = async () => {
    if (app.server.listening) await drain(app.server)
    await app.close()
    await deps.close()
  }
  try {
    const url = await app.listen({ host: config.HOST, port: config.PORT, backlog: BACKLOG })
    await checkCredential(deps.askGitHub, logger)
    health.become('ready')
    logger.info(`${name} ${version} listens on ${url}; docs at ${url}/docs. ${missing(config)}`)
    return {
      url,
      async close() {
        health.become('draining')
        await sleep(NOTICE_MS)
        await close()
      },
    }
  } catch (error) {
    await close()
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
    !config.ANTHROPIC_API_KEY &&
      !config.OPENAI_API_KEY &&
      !config.OPENAI_BASE_URL &&
      'ANTHROPIC_API_KEY or OPENAI_API_KEY (sessions get the echo, not a model)',
    config.API_KEYS.length === 0 &&
      !config.AUTH_ISSUER &&
      'API_KEYS (everyone who can connect is served)',
  ].filter(Boolean)
  return gaps.length === 0 ? 'Everything is configured.' : `Not configured: ${gaps.join(', ')}.`
}
