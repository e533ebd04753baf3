import type { Server } from './servers.ts'
import { startService } from './service.ts'

export interface Fleet extends AsyncDisposable {
  readonly urls: readonly string[]
}

/** Replicas of the service, on all cores. */
export async function startFleet(
  size: number,
  github: Pick<Server, 'url'>,
  env: Readonly<Record<string, string>>,
): Promise<Fleet> {
  const replicas = await Promise.all(
    Array.from({ length: size }, () => startService(github, { env, core: 'any' })),
  )
  return {
    urls: replicas.map(({ url }) => url),
    async [Symbol.asyncDispose]() {
      await Promise.all(replicas.map((replica) => replica.stop()))
    },
  }
}
