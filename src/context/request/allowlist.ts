import { ServiceError } from '../../core/errors.ts'

export interface AllowedRepos {
  /** @throws ServiceError `forbidden` */
  check(repository: Readonly<Record<string, unknown>>): void
  permits(repository: Readonly<Record<string, unknown>>): boolean
}

export const everything: AllowedRepos = { check: () => {}, permits: () => true }

/** Whom a list is for, and what is to be done about a refusal. */
const REFUSALS = {
  service:
    'This service is not allowed to read that repository. Its operator can add it to ALLOWED_REPOS.',
  caller:
    'This caller is not allowed to read that repository. The operator can add it to allowed_repos of its policy.',
}

/**
 * Lets through what one of `entries` (`owner/*`, `owner/repo`) names, and nothing else. What names no
 * repository is refused.
 */
export function createAllowedRepos(
  entries: readonly string[],
  of: keyof typeof REFUSALS,
): AllowedRepos {
  const allowed = new Set(entries.map((entry) => entry.toLowerCase()))
  const permits = ({ owner, repo }: Readonly<Record<string, unknown>>) => {
    const account = String(owner).toLowerCase()
    return allowed.has(`${account}/*`) || allowed.has(`${account}/${String(repo).toLowerCase()}`)
  }
  return {
    permits,
    check(repository) {
      if (!permits(repository)) throw new ServiceError('forbidden', REFUSALS[of])
    },
  }
}
