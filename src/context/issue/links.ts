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

export interface LinkNode {
  readonly number: number
  readonly title: string
  readonly url: string
  readonly issueState?: string
  readonly pullState?: string
  readonly author: { readonly login: string } | null
  readonly authorAssociation: string
  readonly repository: { readonly name: string; readonly owner: { readonly login: string } }
}

export interface Connection<T> {
  readonly nodes: readonly (T | null)[]
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

const FIELDS =
  'number title url author { login } authorAssociation repository { name owner { login } }'
// The two states are of different types, so one answer cannot have both under one name.
export const LINKED_ISSUE = `${FIELDS} issueState: state`
export const LINKED_PULL = `${FIELDS} pullState: state`
const MENTIONS = `timelineItems(first: 100, itemTypes: [CROSS_REFERENCED_EVENT]) @include(if: $linked) {
          filteredCount
          nodes { ... on CrossReferencedEvent { source { ... on Issue { ${LINKED_ISSUE} } ... on PullRequest { ${LINKED_PULL} } } } }
        }`
const QUERY = `query($owner: String!, $repo: String!, $number: Int!, $linked: Boolean!, $subIssues: Boolean!) {
  repository(owner: $owner, name: $repo) {
    issue: issueOrPullRequest(number: $number) {
      ... on Issue {
        closedByPullRequestsReferences(first: 50, includeClosedPrs: true) @include(if: $linked) {
          totalCount
          nodes { ${LINKED_PULL} }
        }
        ${MENTIONS}
        parent @include(if: $subIssues) { ${LINKED_ISSUE} }
        subIssues(first: 100) @include(if: $subIssues) { totalCount nodes { ${LINKED_ISSUE} } }
      }
      ... on PullRequest {
        closingIssuesReferences(first: 100) @include(if: $linked) { totalCount nodes { ${LINKED_ISSUE} } }
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

export interface IssueLinks {
  readonly pieces: readonly LinkPiece[]
  /** How many more there are, by part. */
  readonly more: Readonly<Record<LinkPart, number>>
}

const NO_LINKS: IssueLinks = { pieces: [], more: { linked: 0, sub_issues: 0 } }

/** Pull requests that close the issue, what mentions it, its parent and its sub-issues. Needs a credential. */
export async function readLinks(
  { allowed, github }: FetchContext,
  { owner, repo, issue_number }: { owner: string; repo: string; issue_number: number },
  parts: ReadonlySet<string>,
): Promise<IssueLinks> {
  if (!parts.has('linked') && !parts.has('sub_issues')) return NO_LINKS
  const { repository } = await github.graphql<{ repository: { issue: Links } }>(QUERY, {
    owner,
    repo,
    number: issue_number,
    linked: parts.has('linked'),
    subIssues: parts.has('sub_issues'),
  })
  const {
    closedByPullRequestsReferences: closing,
    closingIssuesReferences: closes,
    parent,
    subIssues,
    timelineItems,
  } = repository.issue
  const closers = nodesOf(closing)
  const closed = nodesOf(closes)
  const urls = new Set([...closers, ...closed].map(({ url }) => url))
  const mentions = nodesOf(timelineItems).flatMap(({ source }) =>
    'url' in source && !urls.has(source.url as string) ? [source as LinkNode] : [],
  )
  const make = (part: LinkPart, relation: string, nodes: readonly LinkNode[]) =>
    linkPieces(part, relation, nodes, { owner, repo }, allowed)
  return {
    pieces: [
      ...make('sub_issues', 'parent', parent ? [parent] : []),
      ...make('sub_issues', 'sub_issue', nodesOf(subIssues)),
      ...make('linked', 'closed_by', closers),
      ...make('linked', 'closes', closed),
      ...make('linked', 'mentioned_by', mentions),
    ],
    more: {
      linked: moreOf(closing) + moreOf(closes) + moreOf(timelineItems),
      sub_issues: moreOf(subIssues),
    },
  }
}

export function nodesOf<T>(connection: Connection<T> | undefined): T[] {
  return (connection?.nodes ?? []).filter((node): node is T & {} => node !== null)
}

export function moreOf<T>(connection: Connection<T> | undefined): number {
  if (!connection) return 0
  const { filteredCount, nodes, totalCount } = connection
  return Math.max(0, (totalCount ?? filteredCount ?? 0) - nodes.length)
}

/** Those that the operator lets be read. */
export function linkPieces(
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
