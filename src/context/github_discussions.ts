import { Type } from '@sinclair/typebox'
import { invalid } from '../core/errors.ts'
import type { GitHub } from '../core/github.ts'
import { defineProvider, type Kept, type Piece } from '../core/provider.ts'
import { oneLine } from '../core/quote.ts'
import { blockFields, type Omission, repositoryParams } from '../core/schemas.ts'
import { excerptOf } from './common/excerpt.ts'
import {
  type Entry,
  entriesOf,
  type GraphRepository,
  type Page,
  repositoryIn,
  startingAfter,
} from './common/graph.ts'
import { lines } from './common/render.ts'
import { discussionsTag } from './common/tags.ts'
import {
  After,
  DISCUSSION,
  discussionFacts,
  discussionFields,
  discussionFieldsOf,
  type GraphDiscussion,
  writerOf,
} from './discussion/fields.ts'

interface Data {
  readonly repository: GraphRepository & {
    readonly discussions: Page<GraphDiscussion> & { readonly totalCount: number }
  }
}

interface CategoryData {
  readonly repository: {
    readonly discussionCategory: { readonly id: string } | null
    readonly discussionCategories: {
      readonly nodes: readonly ({ readonly slug: string } | null)[] | null
    }
  }
}

const QUERY = `query($owner: String!, $repo: String!, $first: Int!, $after: String, $states: [DiscussionState!], $category: ID, $field: DiscussionOrderField!) {
  repository(owner: $owner, name: $repo) {
    nameWithOwner visibility
    discussions(first: $first, after: $after, states: $states, categoryId: $category, orderBy: { field: $field, direction: DESC }) {
      totalCount edges { cursor node { ...discussion } } pageInfo { hasNextPage endCursor }
    }
  }
}
${DISCUSSION}`

/** GitHub allows 25 categories in a repository. */
const CATEGORY_QUERY = `query($owner: String!, $repo: String!, $slug: String!) {
  repository(owner: $owner, name: $repo) {
    discussionCategory(slug: $slug) { id }
    discussionCategories(first: 25) { nodes { slug } }
  }
}`

const FIELDS = { updated: 'UPDATED_AT', created: 'CREATED_AT' } as const

const ListedDiscussion = Type.Object({
  title: Type.String(),
  url: Type.String(),
  ...discussionFields,
  excerpt: Type.String({ description: 'The start of the text' }),
})

export const githubDiscussions = defineProvider({
  type: 'github_discussions',
  blockType: 'github_discussions',
  title: 'Discussions of a repository',
  description:
    'A list of discussions: category, state, whether they are answered, people, dates and the start of each text.',
  uri: 'github://{owner}/{repo}/discussions',
  params: Type.Object(
    {
      ...repositoryParams,
      state: Type.Optional(
        Type.Union([Type.Literal('open'), Type.Literal('closed'), Type.Literal('all')], {
          default: 'open',
        }),
      ),
      category: Type.Optional(
        Type.String({
          pattern: '^[A-Za-z0-9_-]{1,100}$',
          description: 'Short name of a category, as in addresses: `q-a`',
        }),
      ),
      sort: Type.Optional(
        Type.Union([Type.Literal('updated'), Type.Literal('created')], {
          default: 'updated',
          description: 'Last updated or newest first',
        }),
      ),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 100, default: 30, description: 'Discussions at most' }),
      ),
      after: Type.Optional(After),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    state: Type.String(),
    total: Type.Integer({ description: 'Discussions that the whole list has' }),
    discussions: Type.Array(ListedDiscussion),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', limit: 10 },
  cache: { freshFor: 60, staleFor: 300, keepFor: 86_400 },
  tags: ({ owner, repo }) => [discussionsTag(owner, repo)],
  async fetch(params, { github, webUrl }) {
    const { owner, repo, state = 'open', category, sort = 'updated', limit = 30, after } = params
    const data = await github.graphql<Data>(QUERY, {
      owner,
      repo,
      first: limit,
      after,
      states: state === 'all' ? undefined : [state.toUpperCase()],
      category: category && (await categoryId(github, owner, repo, category)),
      field: FIELDS[sort],
    })
    const { discussions } = data.repository
    const { repository, visibility } = repositoryIn(data.repository)
    const name = data.repository.nameWithOwner
    const window = (from: string | null | undefined, size: number) => {
      const { after: _, ...filters } = params
      const place = { ...filters, ...repository, ...startingAfter(from), limit: size }
      return { context_type: 'github_discussions', params: place }
    }
    const pieces = entriesOf(discussions, after).map(pieceOf)
    const { endCursor, hasNextPage } = discussions.pageInfo
    const next = window(endCursor, limit)
    return {
      repository,
      visibility,
      said: [{ ...repository, visibility }],
      omitted: hasNextPage ? [{ what: 'discussions', reason: 'limit', next }] : [],
      blocks: [
        {
          id: `github_discussions:${name}`,
          title: `Discussions of ${name}`,
          url: `${webUrl}/${name}/discussions${category ? `/categories/${category}` : ''}`,
          head: `# ${pieces.length} of ${discussions.totalCount} ${state === 'all' ? '' : `${state} `}discussions of ${name}`,
          by: 'service',
          pieces,
          fields: (kept) => ({
            state,
            total: discussions.totalCount,
            discussions: kept.map(listed),
          }),
          omit: (dropped, _cut, reason) =>
            runsOf(pieces, new Set(dropped)).map(
              ({ from, count }): Omission => ({
                what: 'discussions',
                count,
                reason,
                next: window(from, count),
              }),
            ),
        },
      ],
    }
  },
})

/** GitHub filters by id. @throws ServiceError `invalid_request`, with the categories that there are */
async function categoryId(
  github: GitHub,
  owner: string,
  repo: string,
  slug: string,
): Promise<string> {
  const { repository } = await github.graphql<CategoryData>(CATEGORY_QUERY, { owner, repo, slug })
  if (repository.discussionCategory) return repository.discussionCategory.id
  const slugs = (repository.discussionCategories.nodes ?? []).flatMap((node) => node?.slug ?? [])
  throw invalid(
    '/params/category',
    slugs.length === 0
      ? 'the repository has no categories'
      : `the repository has no such category; it has ${slugs.join(', ')}`,
  )
}

interface DiscussionPiece extends Piece {
  readonly entry: Entry<GraphDiscussion>
}

function pieceOf(entry: Entry<GraphDiscussion>, index: number): DiscussionPiece {
  const { node } = entry
  return {
    part: 'discussions',
    heading: lines(`## #${node.number}`, discussionFacts(node)),
    text: lines(oneLine(node.title), excerptOf(node.body)),
    by: writerOf(node),
    rank: index,
    whole: true,
    entry,
  }
}

function listed({ piece }: Kept) {
  const { node } = (piece as DiscussionPiece).entry
  return {
    title: node.title,
    url: node.url,
    ...discussionFieldsOf(node),
    excerpt: excerptOf(node.body),
  }
}

/** Unbroken runs of lost discussions, and what each comes after. */
function runsOf(pieces: readonly DiscussionPiece[], lost: ReadonlySet<Piece>) {
  const runs: { from: string | undefined; count: number }[] = []
  let open = false
  for (const piece of pieces) {
    const isLost = lost.has(piece)
    const run = runs.at(-1)
    if (isLost && open && run) run.count += 1
    else if (isLost) runs.push({ from: piece.entry.after, count: 1 })
    open = isLost
  }
  return runs
}
