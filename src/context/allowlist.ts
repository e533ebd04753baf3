import { ServiceError } from '../core/errors.ts'

export interface AllowedRepos {
  /** @throws ServiceError `forbidden` */
  check(params: Readonly<Record<string, unknown>>): void
}

/**
 * Lets through what one of `entries` (`owner/*`, `owner/repo`) names; without entries everything.
 * What names no repository is refused as soon as there is a list.
 */
export function createAllowedRepos(entries: readonly string[]): AllowedRepos {
  if (entries.length === 0) return { check: () => {} }
  const allowed = new Set(entries.map((entry) => entry.toLowerCase()))
  return {
    check({ owner, repo }) {
      const account = String(owner).toLowerCase()
      if (allowed.has(`${account}/*`) || allowed.has(`${account}/${String(repo).toLowerCase()}`))
        return
      throw new ServiceError(
        'forbidden',
        'This service is not allowed to read that repository. Its operator can add it to ALLOWED_REPOS.',
      )
    },
  }
}
