import { Type } from '@sinclair/typebox'
import { defineProvider } from '../core/provider.ts'
import { blockFields, Nullable } from '../core/schemas.ts'
import { accountIn, checkSearched, isOpen, SearchQuery } from './common/searchQuery.ts'
import { type GitHubIssue, issueName, repositoryOf } from './issue/fields.ts'
import { issuePieces, ListedIssue, listedIssues, runsOf } from './issue/list.ts'

/** GitHub shows no more of a search (docs.github.com/rest/search/search). */
const SHOWN = 1_000

export const githubIssueSearch = defineProvider({
  type: 'github_issue_search',
  blockType: 'github_issue_search',
  title: 'Search of issues and pull requests',
  description:
    "Issues and pull requests that match GitHub's search: state, labels, people and the start of each text.",
  uri: 'github://search/issues/{q}',
  pages: [
    { uri: 'github://search?type=issues&q={q}', params: { q: 'is:issue {q}' } },
    { uri: 'github://search?type=pullrequests&q={q}', params: { q: 'is:pr {q}' } },
    ...['issues', 'pulls'].map((list) => ({
      uri: `github://{owner}/{repo}/${list}?q={q}`,
      params: { q: 'repo:{owner}/{repo} {q}' },
    })),
  ],
  filtered: true,
  params: Type.Object(
    {
      q: SearchQuery,
      sort: Type.Optional(
        Type.Union(
          [
            Type.Literal('best-match'),
            Type.Literal('created'),
            Type.Literal('updated'),
            Type.Literal('comments'),
          ],
          { default: 'best-match', description: 'What comes first' },
        ),
      ),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'Results at most' }),
      ),
      offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: SHOWN - 1,
          default: 0,
          description: 'Results to skip; take it from `omitted[].next`',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    q: Type.String(),
    total: Nullable(
      Type.Integer({
        description: 'Matches that GitHub counts; null where the service may not show all of them',
      }),
    ),
    incomplete: Type.Boolean({ description: 'Whether GitHub ran out of time' }),
    issues: Type.Array(ListedIssue),
  }),
  example: { q: 'bug repo:octocat/Hello-World', limit: 10 },
  cache: { freshFor: 60, staleFor: 300, keepFor: 900 },
  account: ({ q }) => accountIn(q),
  tags: () => [],
  async fetch(params, { allowed, github, webUrl }) {
    const { q, sort = 'best-match', limit = 20, offset = 0 } = params
    checkSearched(q, allowed)
    const wanted = Math.min(limit, SHOWN - offset)
    const { head, items, more } = await github.list<GitHubIssue>('/search/issues', {
      query: { q, sort: sort === 'best-match' ? undefined : sort },
      under: 'items',
      offset,
      limit: wanted,
    })
    const { incomplete_results, total_count } = head as {
      incomplete_results: boolean
      total_count: number
    }
    const total = isOpen(allowed) ? total_count : null
    const found = items.map((issue, index) => ({ issue, position: offset + index }))
    const shown = found.filter(({ issue }) => {
      const [owner, repo] = repositoryOf(issue)
      return allowed({ owner, repo })
    })
    const pieces = issuePieces(shown, issueName)
    const end = offset + items.length
    const window = (change: { offset: number; limit: number }) => ({
      context_type: 'github_issue_search',
      params: { ...params, ...change },
    })
    const goesOn = more && (total !== null || shown.length > 0)
    const rest = { what: 'issues', ...(total !== null && { count: total - end }) }
    return {
      visibility: 'private',
      omitted: [
        ...(goesOn && end < SHOWN
          ? [{ ...rest, reason: 'limit', next: window({ offset: end, limit }) }]
          : []),
        ...(total !== null && end >= SHOWN && total > end
          ? [{ ...rest, reason: 'search_cap' }]
          : []),
      ],
      blocks: [
        {
          id: `github_issue_search:${q}`,
          title: q,
          url: `${webUrl}/search?${new URLSearchParams({ q, type: 'issues' })}`,
          head: `# ${shown.length}${total === null ? '' : ` of ${total}`} issues and pull requests that match`,
          by: 'repository',
          pieces,
          fields: (kept) => ({
            q,
            total,
            incomplete: incomplete_results,
            issues: listedIssues(kept),
          }),
          omit: (dropped, _cut, reason) =>
            runsOf(pieces, new Set(dropped)).map((run) => ({
              what: 'issues',
              count: run.limit,
              reason,
              next: window(run),
            })),
        },
      ],
    }
  },
})
