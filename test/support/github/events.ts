/** What happened to an issue, and comments on commits. */
import { userOf } from './content.ts'
import { documented } from './recordings.ts'
import type { Body, CommentBody, Issue, UserBody, World } from './types.ts'
import { nextId, nodeId, type RepositoryRef, repositoryOf, timestamp, touch } from './world.ts'

export interface EventOptions {
  /** As GitHub names it, for example `labeled`. */
  event: string
  actor?: string | UserBody | null
  created_at?: string
  [field: string]: unknown
}

export function addEvent(world: World, issue: Issue, options: EventOptions): void {
  const { actor = 'octocat', ...fields } = options
  const id = nextId(world)
  issue.events.push({
    id,
    node_id: nodeId('IssueEvent', id),
    url: `https://api.github.com/repos/${issue.repository.body.full_name}/issues/events/${id}`,
    actor: userOf(world, actor),
    commit_id: null,
    commit_url: null,
    created_at: timestamp(world.now()),
    ...fields,
  })
  touch(world)
}

/** Everything that GitHub's timeline shows, the oldest first. */
export function timelineOf(issue: Issue, visible: (other: Issue) => boolean): Body[] {
  const mentions = issue.mentions
    .filter(({ source }) => visible(source))
    .map(({ source, actor, createdAt }) => ({
      event: 'cross-referenced',
      actor,
      created_at: createdAt,
      updated_at: createdAt,
      source: { type: 'issue', issue: { ...source.body, repository: source.repository.body } },
    }))
  const comments = issue.comments.map(({ body }) => ({
    event: 'commented',
    actor: body.user,
    ...body,
  }))
  return [...issue.events, ...mentions, ...comments].sort((left, right) =>
    String(left.created_at) < String(right.created_at) ? -1 : 1,
  )
}

export interface CommitCommentOptions {
  commit_id: string
  body: string
  path?: string
  line?: number
  user?: string | UserBody | null
  [field: string]: unknown
}

export function addCommitComment(
  world: World,
  ref: RepositoryRef,
  { user = 'octocat', ...options }: CommitCommentOptions,
): CommentBody {
  const repository = repositoryOf(world, ref)
  const [template] = documented('GET', '/repos/{owner}/{repo}/comments') as CommentBody[]
  const id = nextId(world)
  const at = timestamp(world.now())
  const body = Object.freeze({
    ...template,
    path: null,
    line: null,
    position: null,
    id,
    node_id: nodeId('CommitComment', id),
    url: `https://api.github.com/repos/${repository.body.full_name}/comments/${id}`,
    html_url: `https://github.com/${repository.body.full_name}/commit/${options.commit_id}#commitcomment-${id}`,
    created_at: at,
    updated_at: at,
    user: userOf(world, user),
    ...options,
  } as CommentBody)
  repository.commitComments.push(body)
  touch(world)
  return body
}
