import { ServiceError } from '../core/errors.ts'
import type { GitHub } from '../core/github.ts'

interface Log {
  warn(message: string): void
}

/**
 * Asks GitHub once whether it takes the credential. `GET /rate_limit` costs nothing of the limit
 * (docs.github.com/rest/rate-limit/rate-limit). Only a refusal stops the start: GitHub may be down
 * for a while, and a server of one's own may have rate limits switched off (404).
 * @throws ServiceError `upstream_auth`
 */
export async function checkCredential(github: GitHub, log: Log): Promise<void> {
  try {
    await github.get('/rate_limit')
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    if (error.code === 'upstream_auth') throw error
    if (error.code !== 'not_found') log.warn(`GitHub could not be asked at start: ${error.detail}`)
  }
}
