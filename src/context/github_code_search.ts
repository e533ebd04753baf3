import type { components } from '@octokit/openapi-types'
import { Type } from '@sinclair/typebox'
import { defineProvider, type Piece } from '../core/provider.ts'
import { oneLine } from '../core/quote.ts'
import { blockFields, Nullable, type Omission } from '../core/schemas.ts'
import { facts, lines } from './common/render.ts'
import { accountIn, checkSearched, isOpen, SearchQuery } from './common/searchQuery.ts'
import { repositoryWord } from './common/visibility.ts'
import { windowsOf } from './common/windows.ts'

type Item = components['schemas']['code-search-result-item']

/** GitHub shows no more of a search (docs.github.com/rest/search/search). */
const SHOWN = 1_000

const Result = Type.Object({
  repository: Type.String(),
  path: Type.String(),
  url: Type.String({ description: 'Page of the file at the commit that was searched' }),
  sha: Type.String({ description: 'Of the blob' }),
  fragments: Type.Array(Type.String(), { description: 'Parts of the file around what matches' }),
})

export const githubCodeSearch = defineProvider({
  type: 'github_code_search',
  blockType: 'github_code_search',
  title: 'Search of code',
  description:
    "Files on default branches that match GitHub's code search, with the lines around what matches. GitHub wants a credential for it.",
  uri: 'github://search/code/{q}',
  pages: [
    'github://search?type=code&q={q}',
    { uri: 'github://{owner}/{repo}/search?q={q}', params: { q: 'repo:{owner}/{repo} {q}' } },
  ],
  filtered: true,
  params: Type.Object(
    {
      q: SearchQuery,
      sort: Type.Optional(
        Type.Union([Type.Literal('best-match'), Type.Literal('indexed')], {
          default: 'best-match',
          description: 'What matches best, or what was indexed last, comes first',
        }),
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
        description:
          'Files that GitHub counts; null where this service may not show all repositories',
      }),
    ),
    incomplete: Type.Boolean({ description: 'Whether GitHub ran out of time' }),
    results: Type.Array(Result),
  }),
  example: { q: 'greet repo:octocat/Hello-World', limit: 10 },
  cache: { freshFor: 60, staleFor: 300, keepFor: 900 },
  account: ({ q }) => accountIn(q),
  tags: () => [],
  async fetch(params, { allowed, github, webUrl }) {
    const { q, sort = 'best-match', limit = 20, offset = 0 } = params
    checkSearched(q, allowed)
    const { head, items, more } = await github.list<Item>('/search/code', {
      query: { q, sort: sort === 'best-match' ? undefined : sort },
      media: 'text-match',
      under: 'items',
      offset,
      limit: Math.min(limit, SHOWN - offset),
    })
    const { incomplete_results: incomplete, total_count } = head as Head
    // Of what may not be shown not even the number is told: it would answer questions about it.
    const total = isOpen(allowed) ? total_count : null
    const pieces = items.flatMap((item, index) =>
      allowed(nameOf(item)) ? [pieceOf(item, offset + index)] : [],
    )
    const window = (change: { offset: number; limit: number }) => ({
      context_type: 'github_code_search',
      params: { ...params, ...change },
    })
    const end = offset + items.length
    const goesOn = more && (total !== null || pieces.length > 0)
    const rest = { what: 'results', ...(total !== null && { count: total - end }) }
    const omitted: Omission[] = [
      ...(goesOn && end < SHOWN
        ? [{ ...rest, reason: 'limit', next: window({ offset: end, limit }) }]
        : []),
      ...(total !== null && end >= SHOWN && total > end ? [{ ...rest, reason: 'search_cap' }] : []),
      ...(incomplete ? [{ what: 'results', reason: 'incomplete_results' }] : []),
    ]
    return {
      visibility: 'private',
      said: items.map(({ repository }) => repositoryWord(repository)),
      omitted,
      blocks: [
        {
          id: `github_code_search:${q}`,
          title: q,
          url: `${webUrl}/search?${new URLSearchParams({ q, type: 'code' })}`,
          head: lines(
            `# ${pieces.length}${total === null ? '' : ` of ${total}`} files that match`,
            facts({ Incomplete: incomplete && 'GitHub ran out of time; ask for less' }),
          ),
          by: 'repository',
          pieces,
          fields: (kept) => ({
            q,
            total,
            incomplete,
            results: kept.map(({ piece }) => resultOf((piece as ResultPiece).item)),
          }),
          omit: (dropped, _cut, reason) =>
            windowsOf(dropped.map((piece) => (piece as ResultPiece).position)).map((run) => ({
              what: 'results',
              count: run.limit,
              reason,
              next: window(run),
            })),
        },
      ],
    }
  },
})

interface Head {
  readonly total_count: number
  readonly incomplete_results: boolean
}

interface ResultPiece extends Piece {
  readonly item: Item
  /** In GitHub's list. */
  readonly position: number
}

function nameOf({ repository }: Item) {
  return { owner: repository.owner.login, repo: repository.name }
}

function pieceOf(item: Item, position: number): ResultPiece {
  const { fragments, path, repository } = resultOf(item)
  return {
    part: 'results',
    heading: `## ${repository} ${oneLine(path)}`,
    text: fragments.join('\n…\n') || '(the name matches)',
    by: 'repository',
    rank: position,
    whole: true,
    item,
    position,
  }
}

function resultOf({ html_url, path, repository, sha, text_matches = [] }: Item) {
  const ofText = text_matches.filter(({ property }) => property === 'content')
  return {
    repository: repository.full_name,
    path,
    url: html_url,
    sha,
    fragments: ofText.flatMap(({ fragment }) => fragment ?? []),
  }
}
