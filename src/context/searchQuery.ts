import { Type } from '@sinclair/typebox'

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
export function repositoriesIn(query: string): { owner: string; repo: string }[] {
  const named = query.matchAll(/(?:^|[\s(])repo:"?([\w-]+)\/([\w.-]+)/gi)
  return [...named].map(([, owner = '', repo = '']) => ({ owner, repo }))
}
