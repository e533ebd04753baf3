import type { components } from '@octokit/openapi-types'
import { ServiceError } from '../../core/errors.ts'
import type { GitHub } from '../../core/github.ts'
import type { FetchContext } from '../../core/provider.ts'
import type { Window } from '../common/windows.ts'
import type { GitHubCommit } from './commits.ts'

export type Comparison = components['schemas']['commit-comparison']

const PATH = '/repos/{owner}/{repo}/compare/{base}...{head}'

export interface Ends {
  readonly owner: string
  readonly repo: string
  readonly base: string
  readonly head: string
}

/** Forks are other repositories: they too must be allowed. */
export function checkForks({ base, head, repo }: Ends, { allowed }: FetchContext): void {
  for (const name of [base, head]) {
    const [owner, second, third] = name.split(':')
    if (second === undefined || owner === undefined) continue
    if (!allowed({ owner, repo: third === undefined ? repo : second })) {
      throw new ServiceError(
        'forbidden',
        'This service is not allowed to read that fork. Its operator can add it to ALLOWED_REPOS.',
      )
    }
  }
}

/** A window of the commits, and the first page, which alone has the files. */
export async function compare(
  github: GitHub,
  { base, head, owner, repo }: Ends,
  window: Window,
  withFiles: boolean,
): Promise<{ comparison: Comparison; items: readonly GitHubCommit[] }> {
  const params = { owner, repo, base, head }
  const first = () =>
    github.get<Comparison>(PATH, 'ahead_by', { params, query: { per_page: 1, page: 1 } })
  if (window.limit === 0) return { comparison: await first(), items: [] }
  const beginsLater = window.offset > 0 && withFiles
  const [listing, comparison] = await Promise.all([
    github.list<GitHubCommit>(PATH, { params, under: 'commits', ...window }),
    beginsLater ? first() : undefined,
  ])
  return { comparison: comparison ?? (listing.head as Comparison), items: listing.items }
}
