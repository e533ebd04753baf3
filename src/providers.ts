import type { FastifyBaseLogger } from 'fastify'
import type { Config } from './config.ts'
import { createDocsProviders } from './context/docs/docs.ts'
import { loadProviders } from './context/outside/load.ts'
import { providers as builtIn } from './context/registry.ts'
import type { Provider } from './core/provider.ts'
import { ConfigError } from './environment.ts'

type Sources = Pick<Config, 'DOCS_DIR' | 'PROVIDERS' | 'PROVIDER_TIMEOUT_MS'>

export interface AllProviders {
  readonly providers: readonly Provider[]
  close(): Promise<void>
}

/**
 * Every context type that this configuration offers: the service's own, those over the folder of
 * documents, and those from outside.
 * @throws ConfigError with every fault of the modules from outside
 */
export async function providersOf(
  { DOCS_DIR, PROVIDERS: modules, PROVIDER_TIMEOUT_MS: timeoutMs }: Sources,
  logger: Pick<FastifyBaseLogger, 'error'>,
): Promise<AllProviders> {
  const onFailure = (type: string, error: unknown) =>
    logger.error({ err: error, type }, 'a provider failed')
  const docs =
    DOCS_DIR === undefined
      ? undefined
      : await createDocsProviders(DOCS_DIR, {
          onFailure: (error) => onFailure('docs_search', error),
        })
  const others = [...builtIn, ...(docs?.providers ?? [])]
  const folder = process.cwd()
  const { providers, faults } = await loadProviders({
    modules,
    folder,
    others,
    timeoutMs,
    onFailure,
  })
  if (faults.length > 0) throw new ConfigError(faults.map((fault) => `PROVIDERS: ${fault}`))
  return { providers: [...others, ...providers], close: async () => docs?.close() }
}
