import { ServiceError } from '../../core/errors.ts'

export interface AllowedRepos {
  /** @throws ServiceError `forbidden` */
  check(repository: Readonly<Record<string, unknown>>): void
  permits(repository: Readonly<Record<string, unknown>>): boolean
}

/**
 * Lets through what one of `entries` (`owner/*`, `owner/repo`) names; without entries everything.
 * What names no repository is refused as soon as there is a list.
 */
export function createAllowedRepos(entries: readonly string[]): AllowedRepos {
  if (entries.length === 0) return { check: () => {}, permits: () => true }
  const allowed = new Set(entries.map((entry) => entry.toLowerCase()))
  const permits = ({ owner, repo }: Readonly<Record<string, unknown>>) => {
    const account = String(owner).toLowerCase()
    return allowed.has(`${account}/*`) || allowed.has(`${account}/${String(repo).toLowerCase()}`)
  }
  return {
    permits,
    check(repository) {
      if (permits(repository)) return
      throw new ServiceError(
        'forbidden',
        'This service is not allowed to read that repository. Its operator can add it to ALLOWED_REPOS.',
      )
    },
  }
}
