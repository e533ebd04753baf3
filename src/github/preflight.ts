import { ServiceError } from '../core/errors.ts'

interface Log {
  warn(message: string): void
}

/**
 * Asks GitHub once whether it takes the credential. Only a refusal stops the start: GitHub may be
 * down for a while, and a server of one's own may have rate limits switched off (404).
 * @param ask a call that costs nothing of the limit
 * @throws ServiceError `upstream_auth`
 */
export async function checkCredential(ask: () => Promise<unknown>, log: Log): Promise<void> {
  try {
    await ask()
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    if (error.code === 'upstream_auth') throw error
    if (error.code !== 'not_found') log.warn(`GitHub could not be asked at start: ${error.detail}`)
  }
}
