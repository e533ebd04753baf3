import { Type } from '@sinclair/typebox'
import { ServiceError } from '../../core/errors.ts'
import type { FetchContext } from '../../core/provider.ts'

/** Words and qualifiers (docs.github.com/search-github/searching-on-github): at most 256 characters beside qualifiers. */
export const SearchQuery = Type.String({
  minLength: 1,
  maxLength: 1_000,
  description:
    "What to search for, in GitHub's own syntax: words, and qualifiers such as `repo:octocat/Hello-World`",
  examples: ['login repo:octocat/Hello-World'],
})

/** The account that a query is about, where it names one: its GitHub App installation may see more. */
export function accountIn(query: string): string | undefined {
  return /(?:^|\s)(?:repo|org|user):"?([\w-]+)/i.exec(query)?.[1]
}

/** The repositories that a query asks for; those that it leaves out (`-repo:`) are none of them. */
function repositoriesIn(query: string): { owner: string; repo: string }[] {
  const named = query.matchAll(/(?:^|[\s(])repo:"?([\w-]+)\/([\w.-]+)/gi)
  return [...named].map(([, owner = '', repo = '']) => ({ owner, repo }))
}

type Allowed = FetchContext['allowed']

/** @throws ServiceError `forbidden` for a query about a repository that the service may not show */
export function checkSearched(query: string, allowed: Allowed): void {
  if (repositoriesIn(query).every(allowed)) return
  throw new ServiceError(
    'forbidden',
    'This service is not allowed to read a repository that the query names. Its operator can add it to ALLOWED_REPOS.',
  )
}

/**
 * Whether all repositories may be shown: no list of some has one without a name. Where it is not so,
 * not even the number of what may not be shown is told: it would answer questions about it.
 */
export const isOpen = (allowed: Allowed) => allowed({ owner: '', repo: '' })
