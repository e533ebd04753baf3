import { mayRead } from '../principals.ts'
import { isPresent } from '../routes/issues.ts'
import type { Issue, LabelBody, Mention, Repository } from '../types.ts'
import { actor } from './actors.ts'
import { connection, type PageArgs } from './connection.ts'
import { demand, Gap, unresolved } from './problems.ts'
import { repositoryNode } from './repository.ts'
import type { GraphContext, Of, Resolvers } from './types.ts'

export type OfIssue = Of<Issue>
type Info = Parameters<typeof connection>[2]

const isPull = ({ body }: Issue) => body.pull_request !== undefined

export const issueNode = (of: Issue): OfIssue => ({
  __typename: isPull(of) ? 'PullRequest' : 'Issue',
  of,
})

/** An issue's number does not lead to a pull request, nor the other way round. */
export function numbered(kind: 'Issue' | 'PullRequest') {
  return (
    { of: repository }: Of<Repository>,
    { number }: { number: number },
    context: GraphContext,
  ) => {
    demand(context, repository, kind === 'Issue' ? 'issues=read' : 'pull_requests=read')
    const found = repository.issues.get(number)
    if (!found || !isPresent(found) || isPull(found) !== (kind === 'PullRequest')) {
      throw unresolved(kind, number)
    }
    return issueNode(found)
  }
}

/** By a number that either may have. */
function either(source: Of<Repository>, args: { number: number }, context: GraphContext) {
  const found = source.of.issues.get(args.number)
  return numbered(found && isPull(found) ? 'PullRequest' : 'Issue')(source, args, context)
}

/** A page of other issues or pull requests, without those that the caller may not see. */
export function related(pick: (issue: Issue) => readonly Issue[]) {
  return ({ of: issue }: OfIssue, args: PageArgs, { ask }: GraphContext, info: Info) => {
    const seen = pick(issue).filter(
      (other) => isPresent(other) && mayRead(ask.principal, other.repository),
    )
    return connection(seen, args, info, ({ body }) => body.id, issueNode)
  }
}

interface TimelineArgs extends PageArgs {
  itemTypes?: readonly string[] | null
}

/** Cross-references only; a query for anything else is told that the simulator has no more. */
function timeline({ of: issue }: OfIssue, args: TimelineArgs, { ask }: GraphContext, info: Info) {
  if (args.itemTypes?.join() !== 'CROSS_REFERENCED_EVENT') {
    throw new Gap('The simulator knows timelineItems of CROSS_REFERENCED_EVENT only')
  }
  const seen = issue.mentions.filter(
    ({ source }) => isPresent(source) && mayRead(ask.principal, source.repository),
  )
  const page = connection(seen, args, info, keyOf, (of) => ({
    __typename: 'CrossReferencedEvent',
    of,
    target: issue,
  }))
  return { ...page, filteredCount: page.totalCount }
}

const keyOf = ({ createdAt, source }: Mention) => `${createdAt} ${source.body.id}`

type OfMention = Of<Mention> & { target: Issue }

/** What issues and pull requests have in common. */
export const common = {
  id: ({ of: { body } }: OfIssue) => body.node_id,
  databaseId: ({ of: { body } }: OfIssue) => body.id,
  author: ({ of: { body } }: OfIssue) => actor(body.user),
  authorAssociation: ({ of: { body } }: OfIssue) => body.author_association ?? 'NONE',
  body: ({ of: { body } }: OfIssue) => body.body ?? '',
  closed: ({ of: { body } }: OfIssue) => body.state === 'closed',
  closedAt: ({ of: { body } }: OfIssue) => body.closed_at ?? null,
  createdAt: ({ of: { body } }: OfIssue) => body.created_at,
  labels: ({ of: { body } }: OfIssue, args: PageArgs, _: unknown, info: Info) =>
    connection(
      body.labels,
      args,
      info,
      ({ id }) => id,
      (label) => label,
    ),
  number: ({ of: { body } }: OfIssue) => body.number,
  repository: ({ of: { repository } }: OfIssue) => repositoryNode(repository),
  timelineItems: timeline,
  title: ({ of: { body } }: OfIssue) => body.title,
  updatedAt: ({ of: { body } }: OfIssue) => body.updated_at,
}

const urlOf = ({ of: { body, repository } }: OfIssue) =>
  `https://github.com/${repository.body.full_name}/issues/${body.number}`

export default {
  Repository: { issue: numbered('Issue'), issueOrPullRequest: either },
  Issue: {
    ...common,
    closedByPullRequestsReferences: related(({ closedBy }) => closedBy),
    parent: ({ of: { parent } }: OfIssue, _: unknown, { ask }: GraphContext) =>
      parent && mayRead(ask.principal, parent.repository) ? issueNode(parent) : null,
    state: ({ of: { body } }: OfIssue) => body.state.toUpperCase(),
    stateReason: ({ of: { body } }: OfIssue) =>
      typeof body.state_reason === 'string' ? body.state_reason.toUpperCase() : null,
    subIssues: related(({ subIssues }) => subIssues),
    url: urlOf,
  },
  CrossReferencedEvent: {
    actor: ({ of: mention }: OfMention) => actor(mention.actor),
    createdAt: ({ of: { createdAt } }: OfMention) => createdAt,
    referencedAt: ({ of: { createdAt } }: OfMention) => createdAt,
    isCrossRepository: ({ of: { source }, target }: OfMention) =>
      source.repository !== target.repository,
    source: ({ of: { source } }: OfMention) => issueNode(source),
    target: ({ target }: OfMention) => issueNode(target),
    willCloseTarget: ({ of: { closes } }: OfMention) => closes,
  },
  Label: { id: (label: LabelBody) => label.node_id },
} satisfies Resolvers
