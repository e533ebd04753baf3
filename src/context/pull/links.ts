import { Type } from '@sinclair/typebox'
import type { FetchContext } from '../../core/provider.ts'
import { blockFields, type Omission } from '../../core/schemas.ts'
import { type Window, windowsOf } from '../common/windows.ts'
import {
  type Connection,
  isLinkPiece,
  LINKED_ISSUE,
  LINKED_PULL,
  LinkedItem,
  type LinkNode,
  linkPieces,
  moreOf,
  nodesOf,
} from '../issue/links.ts'
import { nextPart, type PartRequest, type PullPart, partDraft } from './parts.ts'

export const linkedBlock = Type.Object({ ...blockFields, linked: Type.Array(LinkedItem) })

interface Links {
  readonly closingIssuesReferences: Connection<LinkNode>
  readonly timelineItems: Connection<{ readonly source: LinkNode | Record<string, never> }>
}

const QUERY = `query($owner: String!, $repo: String!, $number: Int!) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) {
      closingIssuesReferences(first: 100) { totalCount nodes { ${LINKED_ISSUE} } }
      timelineItems(first: 100, itemTypes: [CROSS_REFERENCED_EVENT]) {
        filteredCount
        nodes { ... on CrossReferencedEvent { source { ... on Issue { ${LINKED_ISSUE} } ... on PullRequest { ${LINKED_PULL} } } } }
      }
    }
  }
}`

/** Issues that its merge closes, and what mentions it. Needs a credential. */
export async function readLinked(request: PartRequest): Promise<PullPart> {
  const { context, place, window = {} } = request
  const [pull, { closing, mentions, more }] = await Promise.all([
    request.pull,
    findLinks(context, place),
  ])
  const known = new Set(closing.map(({ url }) => url))
  const other = mentions.filter(({ url }) => !known.has(url))
  const all = [
    ...linkPieces('linked', 'closes', closing, place, context.allowed),
    ...linkPieces('linked', 'mentioned_by', other, place, context.allowed),
  ]
  const { limit = all.length, offset = 0 } = window
  const pieces = all.slice(offset, offset + limit)
  const rest = Math.max(0, all.length - offset - pieces.length)
  const omission = (at: Window, reason: string): Omission => ({
    what: 'linked',
    count: at.limit,
    reason,
    next: nextPart(pull, 'linked', at),
  })
  return {
    draft: partDraft({
      type: 'github_pull_request_linked',
      name: 'Linked issues and pull requests',
      pull,
      from: context,
      pieces,
      nothing: 'Nothing is linked.',
      fields: (kept) => ({
        linked: kept.flatMap(({ piece }) => (isLinkPiece(piece) ? [piece.item] : [])),
      }),
      omit: (dropped, _cut, reason) => {
        const lost = dropped.filter(isLinkPiece).map((piece) => all.indexOf(piece))
        return windowsOf(lost).map((at) => omission(at, reason))
      },
    }),
    omitted: [
      ...(rest > 0 && pieces.length > 0
        ? [omission({ offset: offset + pieces.length, limit: rest }, 'limit')]
        : []),
      ...(more > 0 ? [{ what: 'linked', count: more, reason: 'github_limit' }] : []),
    ],
  }
}

async function findLinks(
  { github }: FetchContext,
  { owner, pull_number: number, repo }: PartRequest['place'],
) {
  const { repository } = await github.graphql<{ repository: { pullRequest: Links } }>(QUERY, {
    owner,
    repo,
    number,
  })
  const { closingIssuesReferences, timelineItems } = repository.pullRequest
  return {
    closing: nodesOf(closingIssuesReferences),
    mentions: nodesOf(timelineItems).flatMap(({ source }) =>
      'url' in source ? [source as LinkNode] : [],
    ),
    more: moreOf(closingIssuesReferences) + moreOf(timelineItems),
  }
}
