import { Type } from '@sinclair/typebox'
import { defineProvider, type Kept, type Piece } from '../core/provider.ts'
import { oneLine } from '../core/quote.ts'
import { blockFields, type Omission, Ref, repositoryParams } from '../core/schemas.ts'
import { excerptOf } from './common/excerpt.ts'
import { DELIVERED } from './common/freshness.ts'
import { presentName } from './common/presentName.ts'
import { lines } from './common/render.ts'
import { pullsTag } from './common/tags.ts'
import { windowsOf } from './common/windows.ts'
import {
  type ListedPull,
  pullAuthor,
  pullFacts,
  pullFields,
  pullFieldsOf,
  pullRepository,
  pullVisibility,
  pullWord,
} from './pull/fields.ts'

const ListedPullRequest = Type.Object({
  title: Type.String(),
  url: Type.String(),
  ...pullFields,
  excerpt: Type.String({ description: 'The start of the text' }),
})

/** What GitHub sorts by, newest or most first. */
const DIRECTION = 'desc'

export const githubPullRequests = defineProvider({
  type: 'github_pull_requests',
  blockType: 'github_pull_requests',
  title: 'Pull requests of a repository',
  description:
    'A list of pull requests: state, branches, labels, people, dates and the start of each text.',
  uri: 'github://{owner}/{repo}/pulls',
  params: Type.Object(
    {
      ...repositoryParams,
      state: Type.Optional(
        Type.Union([Type.Literal('open'), Type.Literal('closed'), Type.Literal('all')], {
          default: 'open',
          description: '`closed` are the merged ones too',
        }),
      ),
      base: Type.Optional(Type.String({ ...Ref, description: 'Those that go to this branch' })),
      head: Type.Optional(
        Type.String({
          maxLength: 300,
          pattern: '^[A-Za-z0-9_-]+:(?!.*\\.\\.)[^\\x00-\\x20\\x7f~^:?*\\[\\\\]+$',
          description: 'Those that come from this branch, with its owner: `octocat:topic`',
        }),
      ),
      sort: Type.Optional(
        Type.Union(
          [
            Type.Literal('created'),
            Type.Literal('updated'),
            Type.Literal('popularity'),
            Type.Literal('long-running'),
          ],
          {
            default: 'created',
            description: 'Newest, last updated, most commented, or open for long, first',
          },
        ),
      ),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 1_000, default: 30, description: 'At most so many' }),
      ),
      offset: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 100_000, default: 0, description: 'So many skipped' }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    state: Type.String(),
    pull_requests: Type.Array(ListedPullRequest),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', state: 'all', limit: 10 },
  cache: DELIVERED,
  tags: ({ owner, repo }) => [pullsTag(owner, repo)],
  async fetch(params, { github, webUrl }) {
    const { base, head, limit = 30, offset = 0, owner, repo } = params
    const { sort = 'created', state = 'open' } = params
    const { items, more } = await github.list<ListedPull>('/repos/{owner}/{repo}/pulls', {
      params: { owner, repo },
      query: { state, base, head, sort, direction: DIRECTION },
      offset,
      limit,
    })
    const [first] = items
    const repository = await presentName(github, { owner, repo }, first && pullRepository(first))
    const name = `${repository.owner}/${repository.repo}`
    const pieces = items.map((pull, index) => pieceOf(pull, index, offset))
    const omission = (window: { offset: number; limit: number }, reason: string): Omission => ({
      what: 'pull_requests',
      reason,
      next: {
        context_type: 'github_pull_requests',
        params: { ...params, ...repository, ...window },
      },
    })
    return {
      repository,
      visibility: first ? pullVisibility(first) : 'repository',
      said: first ? [pullWord(first)] : [],
      omitted: more ? [omission({ offset: offset + items.length, limit }, 'limit')] : [],
      blocks: [
        {
          id: `github_pull_requests:${name}`,
          title: `Pull requests of ${name}`,
          url: `${webUrl}/${name}/pulls`,
          head: `# ${items.length} ${state === 'all' ? '' : `${state} `}pull requests of ${name}`,
          by: 'service',
          pieces,
          fields: (kept) => ({ state, pull_requests: kept.map(listed) }),
          omit: (dropped, _cut, reason) =>
            windowsOf(dropped.filter(isPullPiece).map(({ position }) => position)).map(
              (window) => ({ ...omission(window, reason), count: window.limit }),
            ),
        },
      ],
    }
  },
})

interface PullPiece extends Piece {
  readonly pull: ListedPull
  readonly position: number
}

const isPullPiece = (piece: Piece): piece is PullPiece => piece.part === 'pull_requests'

function pieceOf(pull: ListedPull, index: number, offset: number): PullPiece {
  return {
    part: 'pull_requests',
    heading: lines(`## #${pull.number}`, pullFacts(pull)),
    text: lines(oneLine(pull.title), excerptOf(pull.body)),
    by: pullAuthor(pull),
    rank: index,
    whole: true,
    pull,
    position: offset + index,
  }
}

function listed({ piece }: Kept) {
  const { pull } = piece as PullPiece
  return {
    title: pull.title,
    url: pull.html_url,
    ...pullFieldsOf(pull),
    excerpt: excerptOf(pull.body),
  }
}
