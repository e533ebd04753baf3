import { type Client, createClient } from './app.ts'
import { type Service, startProcess } from './process.ts'

export interface Fleet extends AsyncDisposable {
  readonly replicas: readonly Replica[]
}

export interface Replica {
  readonly process: Service
  readonly client: Client
}

/** Real processes that share what `env` gives them, without a limit of their own. */
export async function startFleet(
  size: number,
  env: Readonly<Record<string, string>>,
): Promise<Fleet> {
  const common = { NODE_ENV: 'production', PORT: '0', RATE_LIMIT_MAX: '1000000', LOG_LEVEL: 'info' }
  const processes = Array.from({ length: size }, () => startProcess({ env: { ...common, ...env } }))
  const dispose = () => Promise.all(processes.map((process) => process[Symbol.asyncDispose]()))
  try {
    const urls = await Promise.all(processes.map(({ url }) => url))
    const replicas = processes.map((process, index) => ({
      process,
      client: createClient(urls[index] as string),
    }))
    return {
      replicas,
      async [Symbol.asyncDispose]() {
        await Promise.all(replicas.map(({ client }) => client.close()))
        await dispose()
      },
    }
  } catch (error) {
    await dispose()
    throw error
  }
}
