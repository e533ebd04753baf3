import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError } from '../core/errors.ts'
import type { Credential } from './credentials.ts'

/**
 * Sends with the credential's authorization. A 401 is sent again only where the credential itself
 * says that it may yet be taken: everywhere else a second try would be refused as well, and counted
 * by GitHub as an attempt to guess.
 * @throws ServiceError as `send` and `Credential.authorization`; the signal's reason
 */
export async function authorized<T>(
  credential: Credential,
  signal: AbortSignal,
  send: (authorization: string | undefined) => Promise<T>,
): Promise<T> {
  for (let times = 1; ; times += 1) {
    const authorization = await credential.authorization(signal)
    try {
      return await send(authorization)
    } catch (error) {
      const delay = delayAfter(error, authorization, credential, times)
      if (delay === undefined) throw error
      await sleep(delay, undefined, { signal })
    }
  }
}

function delayAfter(
  error: unknown,
  authorization: string | undefined,
  credential: Credential,
  times: number,
): number | undefined {
  const refused = error instanceof ServiceError && error.code === 'upstream_auth'
  return refused && authorization !== undefined
    ? credential.refused?.(authorization, times)
    : undefined
}
