import type { GitHub } from '../../core/github.ts'
import type { GitHubIssue } from './fields.ts'

/** Entries of GitHub's list looked at for one answer, at most. */
const MOST_SCANNED = 1_000
const PAGE = 100

export interface FoundIssue {
  readonly issue: GitHubIssue
  /** Place in GitHub's own list, where pull requests count too. */
  readonly position: number
}

export interface IssueScan {
  readonly issues: readonly FoundIssue[]
  /** Any entry of GitHub's list, which may be a pull request. */
  readonly any: GitHubIssue | undefined
  /** Place in GitHub's list where the scan ended. */
  readonly end: number
  /** Whether GitHub's list goes on after `end`. */
  readonly more: boolean
}

export interface ScanOptions {
  readonly params: { readonly owner: string; readonly repo: string }
  readonly query: Readonly<Record<string, string | undefined>>
  readonly offset: number
  readonly limit: number
}

/**
 * Fills `limit` with issues although GitHub's list mixes pull requests in. A first page shows how
 * dense the issues are; then as many pages as that asks for are fetched side by side.
 */
export async function scanIssues(
  github: GitHub,
  { params, query, offset, limit }: ScanOptions,
): Promise<IssueScan> {
  const found: FoundIssue[] = []
  let any: GitHubIssue | undefined
  let end = offset
  let more = true
  while (more && found.length < limit && end - offset < MOST_SCANNED) {
    const scanned = end - offset
    const page = await github.list<GitHubIssue>('/repos/{owner}/{repo}/issues', {
      params,
      query,
      offset: end,
      limit:
        scanned === 0
          ? PAGE
          : stepFor(limit - found.length, found.length / scanned, MOST_SCANNED - scanned),
      eager: scanned > 0,
    })
    any ??= page.items[0]
    page.items.forEach((issue, index) => {
      if (!('pull_request' in issue)) found.push({ issue, position: end + index })
    })
    end += page.items.length
    more = page.more && page.items.length > 0
  }
  const next = found[limit]
  return {
    issues: found.slice(0, limit),
    any,
    end: next?.position ?? end,
    more: more || next !== undefined,
  }
}

/** Entries that should hold `wanted` more issues at this density, in whole pages. */
function stepFor(wanted: number, density: number, most: number): number {
  const entries = (wanted / Math.max(density, 0.05)) * 1.25
  return Math.min(most, Math.ceil(entries / PAGE) * PAGE)
}
