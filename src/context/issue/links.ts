import { type Static, Type } from '@sinclair/typebox'
import type { FetchContext, Piece } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { loginOf } from '../common/render.ts'

/** Another issue or pull request, and what it has to do with this one. */
export const LinkedItem = Type.Object(
  {
    relation: Type.String({
      description: '`closes`, `closed_by`, `mentioned_by`, `parent` or `sub_issue`',
    }),
    repository: Type.String(),
    number: Type.Integer(),
    title: Type.String(),
    state: Type.String({ description: '`open`, `closed` or `merged`' }),
    url: Type.String(),
  },
  { title: 'Linked item' },
)
export type LinkedItem = Static<typeof LinkedItem>

export type LinkPart = 'linked' | 'sub_issues'

interface LinkNode {
  readonly number: number
  readonly title: string
  readonly url: string
  readonly issueState?: string
  readonly pullState?: string
  readonly author: { readonly login: string } | null
  readonly authorAssociation: string
  readonly repository: { readonly name: string; readonly owner: { readonly login: string } }
}

interface Connection<T> {
  readonly nodes: readonly (T | null)[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
  readonly totalCount?: number
  readonly filteredCount?: number
}

/** Of an issue, or of the pull request that has the number: to GitHub's REST API each is an issue. */
interface Links {
  readonly closingIssuesReferences?: Connection<LinkNode>
  readonly closedByPullRequestsReferences?: Connection<LinkNode>
  readonly timelineItems?: Connection<{ readonly source: LinkNode | Record<string, never> }>
  readonly parent?: LinkNode | null
  readonly subIssues?: Connection<LinkNode>
}

/** Lists that GitHub pages, by the relation of their entries, and the part that each belongs to. */
const PART_OF = {
  sub_issue: 'sub_issues',
  closed_by: 'linked',
  closes: 'linked',
  mentioned_by: 'linked',
} as const satisfies Record<string, LinkPart>
type Paged = keyof typeof PART_OF

/** Where such a list goes on: its relation, and GitHub's cursor. */
export const LINKS_AFTER = `^(?:${Object.keys(PART_OF).join('|')}):.+$`

const FIELDS =
  'number title url author { login } authorAssociation repository { name owner { login } }'
// The two states are of different types, so one answer cannot have both under one name.
const LINKED_ISSUE = `${FIELDS} issueState: state`
const LINKED_PULL = `${FIELDS} pullState: state`
const PAGE = 'pageInfo { hasNextPage endCursor }'
const MENTIONS = `timelineItems(first: 100, after: $mentionsAfter, itemTypes: [CROSS_REFERENCED_EVENT]) @include(if: $mentions) {
          filteredCount ${PAGE}
          nodes { ... on CrossReferencedEvent { source { ... on Issue { ${LINKED_ISSUE} } ... on PullRequest { ${LINKED_PULL} } } } }
        }`
const QUERY = `query($owner: String!, $repo: String!, $number: Int!, $closing: Boolean!, $closingAfter: String, $mentions: Boolean!, $mentionsAfter: String, $parent: Boolean!, $subIssues: Boolean!, $subIssuesAfter: String) {
  repository(owner: $owner, name: $repo) {
    issue: issueOrPullRequest(number: $number) {
      ... on Issue {
        closedByPullRequestsReferences(first: 100, after: $closingAfter, includeClosedPrs: true) @include(if: $closing) {
          totalCount ${PAGE} nodes { ${LINKED_PULL} }
        }
        ${MENTIONS}
        parent @include(if: $parent) { ${LINKED_ISSUE} }
        subIssues(first: 100, after: $subIssuesAfter) @include(if: $subIssues) {
          totalCount ${PAGE} nodes { ${LINKED_ISSUE} }
        }
      }
      ... on PullRequest {
        closingIssuesReferences(first: 100, after: $closingAfter) @include(if: $closing) {
          totalCount ${PAGE} nodes { ${LINKED_ISSUE} }
        }
        ${MENTIONS}
      }
    }
  }
}`

const RANK = 1_000

interface LinkPiece extends Piece {
  readonly part: LinkPart
  readonly item: LinkedItem
}

/** What comes after a page of GitHub's. */
export interface MoreLinks {
  readonly part: LinkPart
  readonly after: string
  /** Unknown after a cursor. */
  readonly count?: number
}

export interface IssueLinks {
  readonly pieces: readonly LinkPiece[]
  readonly more: readonly MoreLinks[]
}

export const NO_LINKS: IssueLinks = { pieces: [], more: [] }

/**
 * Pull requests that close the issue, or issues that the pull request closes; what mentions it; its
 * parent and its sub-issues: of each GitHub's first page, or of one list the page after a cursor.
 * Needs a credential.
 * @param after as `LINKS_AFTER` says
 */
export async function readLinks(
  { allowed, github }: FetchContext,
  { owner, repo, issue_number }: { owner: string; repo: string; issue_number: number },
  parts: ReadonlySet<string>,
  after?: string,
): Promise<IssueLinks> {
  const page = pageAfter(after)
  const wants = (relation: Paged) =>
    page ? page.relation === relation : parts.has(PART_OF[relation])
  const isClosing = wants('closed_by') || wants('closes')
  if (!isClosing && !wants('mentioned_by') && !wants('sub_issue')) return NO_LINKS
  const { repository } = await github.graphql<{ repository: { issue: Links } }>(QUERY, {
    owner,
    repo,
    number: issue_number,
    // What closes it is not told again among what mentions it.
    closing: isClosing || wants('mentioned_by'),
    mentions: wants('mentioned_by'),
    parent: wants('sub_issue') && !page,
    subIssues: wants('sub_issue'),
    ...(page ? { [page.variable]: page.cursor } : {}),
  })
  const { issue } = repository
  const lists = {
    sub_issue: listOf(issue.subIssues),
    closed_by: listOf(issue.closedByPullRequestsReferences),
    closes: listOf(issue.closingIssuesReferences),
    mentioned_by: mentionsIn(issue),
  }
  const relations = (Object.keys(PART_OF) as Paged[]).filter(wants)
  const make = (part: LinkPart, relation: string, nodes: readonly LinkNode[]) =>
    linkPieces(part, relation, nodes, { owner, repo }, allowed)
  return {
    pieces: [
      ...make('sub_issues', 'parent', issue.parent ? [issue.parent] : []),
      ...relations.flatMap((relation) => make(PART_OF[relation], relation, lists[relation].nodes)),
    ],
    more: relations.flatMap((relation) => {
      const { endCursor, more } = lists[relation]
      if (endCursor === undefined) return []
      const rest = { part: PART_OF[relation], after: `${relation}:${endCursor}` }
      return page ? rest : { ...rest, count: more }
    }),
  }
}

function pageAfter(after: string | undefined) {
  if (after === undefined) return undefined
  const [relation = ''] = after.split(':', 1)
  const list =
    relation === 'sub_issue' ? 'subIssues' : relation === 'mentioned_by' ? 'mentions' : 'closing'
  return { relation, variable: `${list}After`, cursor: after.slice(relation.length + 1) }
}

function listOf<T>(connection: Connection<T> | undefined) {
  const all = connection?.nodes ?? []
  const { filteredCount, pageInfo, totalCount } = connection ?? {}
  return {
    nodes: all.filter((node): node is T & {} => node !== null),
    more: Math.max(0, (totalCount ?? filteredCount ?? 0) - all.length),
    endCursor: pageInfo?.hasNextPage ? (pageInfo.endCursor ?? undefined) : undefined,
  }
}

function mentionsIn(issue: Links) {
  const closing = [issue.closedByPullRequestsReferences, issue.closingIssuesReferences]
  const known = new Set(closing.flatMap((list) => listOf(list).nodes.map(({ url }) => url)))
  const { nodes, ...list } = listOf(issue.timelineItems)
  const others = nodes.flatMap(({ source }) =>
    'url' in source && !known.has(source.url as string) ? [source as LinkNode] : [],
  )
  return { ...list, nodes: others }
}

/** Those that the operator lets be read. */
function linkPieces(
  part: LinkPart,
  relation: string,
  nodes: readonly LinkNode[],
  here: { owner: string; repo: string },
  allowed: FetchContext['allowed'],
): LinkPiece[] {
  return nodes
    .filter((node) => allowed({ owner: node.repository.owner.login, repo: node.repository.name }))
    .map((node, index) => pieceOf(part, relation, node, RANK + index, here))
}

function pieceOf(
  part: LinkPart,
  relation: string,
  node: LinkNode,
  rank: number,
  here: { owner: string; repo: string },
): LinkPiece {
  const { owner, name } = node.repository
  const item: LinkedItem = {
    relation,
    repository: `${owner.login}/${name}`,
    number: node.number,
    title: oneLine(node.title),
    state: (node.issueState ?? node.pullState ?? '').toLowerCase(),
    url: node.url,
  }
  const isHere = item.repository.toLowerCase() === `${here.owner}/${here.repo}`.toLowerCase()
  return {
    part,
    text: `${relation.replace('_', ' ')} ${item.repository}#${item.number} (${item.state}): ${item.title}`,
    // What somebody is elsewhere says nothing of the trust that they have here.
    by: { login: loginOf(node.author), association: isHere ? node.authorAssociation : 'NONE' },
    rank,
    whole: true,
    item,
  }
}

export const isLinkPiece = (piece: Piece): piece is LinkPiece => 'item' in piece
