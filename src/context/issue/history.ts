import { type Static, Type } from '@sinclair/typebox'
import type { FetchContext, Piece } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { Nullable } from '../../core/schemas.ts'
import { loginOf } from '../common/render.ts'

/** One thing that happened to an issue, other than a comment. */
export const IssueEvent = Type.Object(
  {
    event: Type.String({ description: 'As GitHub names it, for example `labeled`' }),
    actor: Type.String({ description: 'Login; `ghost` for a deleted account' }),
    created_at: Nullable(Type.String()),
    detail: Type.String({
      description: 'The label, person, milestone, commit or issue it is about',
    }),
  },
  { title: 'Issue event' },
)
export type IssueEvent = Static<typeof IssueEvent>

/** Of GitHub's timeline (docs.github.com/rest/using-the-rest-api/issue-event-types) what tells a story. */
interface TimelineEvent {
  readonly event?: string
  readonly actor?: { login: string } | null
  readonly created_at?: string
  readonly label?: { name: string }
  readonly assignee?: { login: string } | null
  readonly milestone?: { title: string }
  readonly rename?: { from: string; to: string }
  readonly state_reason?: string | null
  readonly commit_id?: string | null
  readonly source?: {
    issue?: {
      number: number
      title: string
      html_url: string
      repository?: { full_name: string; owner: { login: string }; name: string }
    }
  }
}

/** Comments are shown on their own; who watches tells nothing of the issue. */
const UNTOLD = new Set(['commented', 'subscribed', 'unsubscribed', 'mentioned'])
/** What anybody may cause; the others need rights on the repository. */
const BY_ANYBODY = new Set(['cross-referenced', 'renamed', 'closed', 'reopened'])
const RANK = 2_000
const MOST_EVENTS = 1_000

interface EventPiece extends Piece {
  readonly event: IssueEvent
}

export interface IssueHistory {
  readonly pieces: readonly EventPiece[]
  /** Whether there is more than was read. */
  readonly more: boolean
}

/** What happened to an issue, the oldest first. */
export async function readHistory(
  { allowed, github }: FetchContext,
  path: string,
  params: Readonly<Record<string, string | number>>,
): Promise<IssueHistory> {
  const { items, more } = await github.list<TimelineEvent>(`${path}/timeline`, {
    params,
    limit: MOST_EVENTS,
  })
  const told = items.filter(({ event = '', source }) => {
    const from = source?.issue?.repository
    return !UNTOLD.has(event) && (!from || allowed({ owner: from.owner.login, repo: from.name }))
  })
  return { pieces: told.map((event, index) => pieceOf(event, told.length - index)), more }
}

function pieceOf(source: TimelineEvent, age: number): EventPiece {
  const event: IssueEvent = {
    event: source.event ?? 'unknown',
    actor: loginOf(source.actor),
    created_at: source.created_at ?? null,
    detail: oneLine(detailOf(source)),
  }
  return {
    part: 'timeline',
    text: [event.created_at, event.actor, event.event, event.detail].filter(Boolean).join(' '),
    by: BY_ANYBODY.has(event.event) ? { login: event.actor, association: 'NONE' } : 'repository',
    rank: RANK + age,
    whole: true,
    event,
  }
}

function detailOf(event: TimelineEvent): string {
  const { assignee, commit_id, label, milestone, rename, source, state_reason } = event
  if (label) return label.name
  if (assignee) return assignee.login
  if (milestone) return milestone.title
  if (rename) return `"${rename.from}" → "${rename.to}"`
  if (source?.issue) {
    const { number, repository, title } = source.issue
    return `${repository?.full_name ?? ''}#${number} ${title}`
  }
  return [state_reason, commit_id && `commit ${commit_id}`].filter(Boolean).join(' ')
}

export const isEventPiece = (piece: Piece): piece is EventPiece => piece.part === 'timeline'
