import type { Block } from '../../context/answer/answer.ts'
import { facts, lines } from '../../context/common/render.ts'
import type { ContextRequest } from '../../context/request/request.ts'
import { oneLine, quote } from '../../core/quote.ts'
import { type ItemInput, keyOf } from '../items/item.ts'
import { keptRequest } from './source.ts'

/** An item as it was fetched, by what it is about. */
export interface FetchedItem {
  readonly key: string
  readonly item: ItemInput
}

/** What issues and pull requests tell of themselves, in lists and alone. */
interface Thread {
  readonly number: number
  readonly title: string
  readonly url: string
  readonly state: string
  readonly state_reason?: string | null
  readonly author?: string
  readonly author_association?: string
  readonly labels?: readonly string[]
  readonly assignees?: readonly string[]
  readonly milestone?: string | null
  readonly created_at?: string
  readonly closed_at?: string | null
  readonly comments_count?: number
  readonly body?: string
}

/** Each block as an item. */
export function blockItems(request: ContextRequest, blocks: readonly Block[]): FetchedItem[] {
  return blocks.map((block) => ({
    key: keyOf(block.type, block.id, ...partOf(request)),
    item: {
      type: block.type,
      content: block.content,
      metadata: { id: block.id, ...keptRequest(request) },
      title: block.title,
      url: block.url,
      ...threadFields(block, blocks),
    },
  }))
}

const PULL = 'github_pull_request'
const FILES = 'github_pull_request_files'

/** What a list says of a pull request: enough to know whether it is as it was. */
export interface ListedPull {
  readonly number: number
  readonly updated_at: string
}

export function listedPulls(blocks: readonly Block[]): readonly ListedPull[] {
  return blocks.flatMap(({ pull_requests }) => pull_requests as ListedPull[])
}

/** The key of a pull request's item, from the list that it is in. */
export function pullKey([list]: readonly Block[], { number }: ListedPull): string {
  return keyOf(PULL, `${PULL}:${nameIn(list)}#${number}`)
}

/** A pull request with the files that it changes, as one item. */
export function singlePull(_request: ContextRequest, blocks: readonly Block[]): FetchedItem[] {
  const pull = blocks.find(({ type }) => type === PULL)
  if (!pull) return []
  const repository = nameIn(pull).replace(/#\d+$/, '')
  return [
    {
      key: keyOf(PULL, pull.id),
      item: {
        type: PULL,
        content: blocks.map(({ content }) => content).join('\n\n'),
        // The pull request's own word: a list may know of a later change than this answer.
        metadata: { id: pull.id, repository, updated_at: pull.updated_at },
        title: pull.title,
        url: pull.url,
        ...threadFields(pull, blocks),
      },
    },
  ]
}

/** The repository, or the thing, that a block's id names. */
const nameIn = (block: Block | undefined) => block?.id.slice(block.id.indexOf(':') + 1) ?? ''

/** Each issue of a list as an item. */
export function listedIssues(request: ContextRequest, blocks: readonly Block[]): FetchedItem[] {
  return blocks.flatMap((block) =>
    (block.issues as Thread[]).map((issue) => issueItem(request, nameIn(block), issue)),
  )
}

/** A single issue as if it were in a list. */
export function singleIssue(request: ContextRequest, blocks: readonly Block[]): FetchedItem[] {
  return blocks.map((block) =>
    issueItem(request, nameIn(block).replace(/#\d+$/, ''), block as unknown as Thread),
  )
}

function issueItem(_request: ContextRequest, repository: string, issue: Thread): FetchedItem {
  const id = `github_issue:${repository}#${issue.number}`
  return {
    key: keyOf('github_issue', id),
    item: {
      type: 'github_issue',
      content: lines(
        `# Issue ${repository}#${issue.number}`,
        issue.url,
        threadFacts(issue),
        quote(lines(oneLine(issue.title), issue.body)),
      ),
      metadata: { id, repository },
      issue_id: issue.number,
      title: issue.title,
      body: issue.body ?? '',
      state: issue.state,
      labels: [...(issue.labels ?? [])],
      url: issue.url,
    },
  }
}

function threadFacts(thread: Thread): string {
  const { author, author_association: association, state, state_reason: reason } = thread
  return facts({
    State: reason ? `${state} (${reason})` : state,
    Author: author && (association ? `${author} (${association.toLowerCase()})` : author),
    Created: thread.created_at,
    Closed: thread.closed_at,
    Labels: thread.labels?.join(', '),
    Assignees: thread.assignees?.join(', '),
    Milestone: thread.milestone,
    Comments: thread.comments_count,
  })
}

/** The fields by which clients know issues and pull requests. */
function threadFields(block: Block, blocks: readonly Block[]): Partial<ItemInput> {
  const { number, body, state, labels } = block as Partial<Thread>
  if (typeof number !== 'number') return {}
  const known = {
    ...(typeof body === 'string' ? { body } : {}),
    ...(typeof state === 'string' ? { state } : {}),
    ...(Array.isArray(labels) ? { labels } : {}),
  }
  if (block.type === 'github_issue') return { issue_id: number, ...known }
  if (block.type !== PULL) return {}
  const files = blocks.find(({ type }) => type === FILES)?.files as { path: string }[] | undefined
  return {
    pr_id: number,
    ...known,
    ...(files ? { files_changed: files.map(({ path }) => path) } : {}),
  }
}

/** Params that say where a thing is, which its id tells, or how much of it is wanted. */
const NOT_PARTS = /^(owner|repo|include|detail|texts|limit|max_\w+)$/

/**
 * Which part of a thing was asked for. Two windows of a list, two ranges of a file are two items; an
 * issue with more or fewer of its comments is one.
 */
function partOf({ provider, params }: ContextRequest): unknown[] {
  const isWindow = ['limit', 'offset', 'page'].some((name) => name in provider.params.properties)
  const parts = Object.entries(params).filter(
    ([name, value]) =>
      !NOT_PARTS.test(name) &&
      !provider.uri.includes(`{${name}}`) &&
      value !== provider.params.properties[name]?.default &&
      (isWindow || !Array.isArray(value)),
  )
  return parts.length === 0 ? [] : [parts]
}
