/** Builders for discussions, in the form in which webhooks show them: REST has none. */
import { labelOf, userOf } from './content.ts'
import { delivered } from './recordings.ts'
import type {
  Discussion,
  DiscussionBody,
  DiscussionCategory,
  DiscussionComment,
  DiscussionCommentBody,
  LabelBody,
  Repository,
  UserBody,
  World,
} from './types.ts'
import { nextId, nodeId, type RepositoryRef, repositoryOf, timestamp, touch } from './world.ts'

/** Fields not named here may be given too: they end up in the body as they are. */
export interface DiscussionOptions {
  number?: number
  id?: number
  title?: string
  body?: string
  state?: 'open' | 'closed'
  state_reason?: string | null
  created_at?: string
  updated_at?: string
  /** A login, a whole user, or null for a deleted account. */
  user?: string | UserBody | null
  /** As REST writes it, for example `MEMBER`. */
  author_association?: string
  /** A name, which makes one that takes answers when it is `Q&A`, or the whole. */
  category?: string | DiscussionCategory
  labels?: readonly (string | LabelBody)[]
  upvotes?: number
  [field: string]: unknown
}

export interface DiscussionCommentOptions {
  id?: number
  body?: string
  created_at?: string
  updated_at?: string
  user?: string | UserBody | null
  author_association?: string
  upvotes?: number
  deleted_at?: string | null
  minimized_reason?: string | null
  [field: string]: unknown
}

/** The next free number unless `number` is given; open, in the category General, now. */
export function addDiscussion(
  world: World,
  ref: RepositoryRef,
  options: DiscussionOptions = {},
): Discussion {
  const repository = repositoryOf(world, ref)
  const number = options.number ?? repository.lastNumber + 1
  const id = options.id ?? nextId(world)
  const { category, labels = [], user, ...overrides } = options
  const template = delivered('discussion', 'discussion') as DiscussionBody
  const now = timestamp(world.now())
  const closed_at = options.state === 'closed' ? now : null
  const body: DiscussionBody = {
    ...template,
    id,
    node_id: nodeId('Discussion', id),
    number,
    title: `Test discussion ${number}`,
    upvotes: 1,
    state_reason: closed_at && 'RESOLVED',
    closed_at,
    created_at: now,
    updated_at: options.created_at ?? now,
    labels: labels.map((label) => labelOf(world, repository, label)),
    category:
      typeof category === 'string'
        ? categoryOf(world, repository, category)
        : (category ?? template.category),
    ...(user !== undefined && { user: userOf(world, user) }),
    ...overrides,
  }
  const discussion: Discussion = { repository, body: Object.freeze(body), comments: [] }
  repository.discussions.set(number, discussion)
  repository.lastNumber = Math.max(repository.lastNumber, number)
  touch(world)
  return discussion
}

/** Comments one minute apart, the last one now, each with what `overrides(i)` gives it, i from 0. */
export function addDiscussionComments(
  world: World,
  discussion: Discussion,
  count: number,
  overrides: (i: number) => DiscussionCommentOptions = () => ({}),
): DiscussionComment[] {
  const added = makeComments(world, discussion, count, overrides)
  discussion.comments.push(...added)
  bump(world, discussion)
  return added
}

/** Replies to a comment; a reply has none of its own. */
export function addReplies(
  world: World,
  comment: DiscussionComment,
  count: number,
  overrides: (i: number) => DiscussionCommentOptions = () => ({}),
): DiscussionComment[] {
  const added = makeComments(world, comment.discussion, count, overrides)
  for (const reply of added) reply.replyTo = comment
  comment.replies.push(...added)
  bump(world, comment.discussion)
  return added
}

/** Makes a comment, or a reply, the answer. */
export function chooseAnswer(
  world: World,
  comment: DiscussionComment,
  by: string | UserBody | null = comment.discussion.body.user,
): void {
  const { discussion } = comment
  discussion.answer = comment
  const answer_chosen_at = timestamp(world.now())
  bump(world, discussion, { answer_chosen_at, answer_chosen_by: userOf(world, by) })
}

export function updateDiscussion(
  world: World,
  discussion: Discussion,
  patch: Partial<DiscussionBody>,
): void {
  bump(world, discussion, patch)
}

/** Not there from now on. */
export function deleteDiscussion(world: World, discussion: Discussion): void {
  discussion.deleted = true
  touch(world)
}

function bump(world: World, discussion: Discussion, patch: Partial<DiscussionBody> = {}): void {
  const updated_at = timestamp(world.now())
  discussion.body = Object.freeze({ ...discussion.body, updated_at, ...patch })
  touch(world)
}

function makeComments(
  world: World,
  discussion: Discussion,
  count: number,
  overrides: (i: number) => DiscussionCommentOptions,
): DiscussionComment[] {
  const template = delivered('discussion_comment', 'comment') as DiscussionCommentBody
  const now = world.now()
  return Array.from({ length: count }, (_, i) => {
    const { user, ...rest } = overrides(i)
    const id = rest.id ?? nextId(world)
    const at = rest.created_at ?? timestamp(now - (count - 1 - i) * 60_000)
    const body: DiscussionCommentBody = {
      ...template,
      id,
      node_id: nodeId('DiscussionComment', id),
      upvotes: 1,
      deleted_at: null,
      minimized_reason: null,
      created_at: at,
      updated_at: at,
      ...(user !== undefined && { user: userOf(world, user) }),
      ...rest,
    }
    return { discussion, body: Object.freeze(body), replies: [] }
  })
}

function categoryOf(world: World, { discussions }: Repository, name: string): DiscussionCategory {
  const all = [...discussions.values()].map(({ body }) => body.category)
  const known = all.find((category) => category.name === name)
  if (known) return known
  const template = (delivered('discussion', 'discussion') as DiscussionBody).category
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  const id = nextId(world)
  const node_id = nodeId('DiscussionCategory', id)
  return { ...template, id, node_id, name, slug, is_answerable: name === 'Q&A' }
}
