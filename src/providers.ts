import type { FastifyBaseLogger } from 'fastify'
import type { Config } from './config.ts'
import { createDocsProviders } from './context/docs/docs.ts'
import { loadProviders } from './context/outside/load.ts'
import { providers as builtIn } from './context/registry.ts'
import type { Provider } from './core/provider.ts'
import { ConfigError } from './environment.ts'

type Sources = Pick<Config, 'DOCS_DIR' | 'PROVIDERS' | 'PROVIDER_TIMEOUT_MS'>

/**
 * Every context type that this configuration offers: the service's own, those over the folder of
 * documents, and those from outside.
 * @throws ConfigError with every fault of the modules from outside
 */
export async function providersOf(
  { DOCS_DIR: dir, PROVIDERS: modules, PROVIDER_TIMEOUT_MS: timeoutMs }: Sources,
  logger: Pick<FastifyBaseLogger, 'error'>,
): Promise<readonly Provider[]> {
  const docs = dir === undefined ? [] : await createDocsProviders({ dir })
  const others = [...builtIn, ...docs]
  const { providers, faults } = await loadProviders({
    modules,
    folder: process.cwd(),
    others,
    timeoutMs,
    onFailure: (type, error) =>
      logger.error({ err: error, type }, 'a provider from outside failed'),
  })
  if (faults.length > 0) throw new ConfigError(faults.map((fault) => `PROVIDERS: ${fault}`))
  return [...others, ...providers]
}
