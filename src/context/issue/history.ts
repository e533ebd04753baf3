import { type Static, Type } from '@sinclair/typebox'
import type { FetchContext, Piece } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { Nullable } from '../../core/schemas.ts'
import { loginOf } from '../common/render.ts'
import type { Window } from '../common/windows.ts'

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
  /** Place in GitHub's timeline, where more is than is told. */
  readonly position: number
}

export interface IssueHistory {
  readonly pieces: readonly EventPiece[]
  /** What comes after what was read. */
  readonly rest: Window | undefined
}

/** What happened to an issue, the oldest first. */
export async function readHistory(
  { allowed, github }: FetchContext,
  path: string,
  params: Readonly<Record<string, string | number>>,
  { limit = MOST_EVENTS, offset = 0 }: Partial<Window> = {},
): Promise<IssueHistory> {
  const { items, more } = await github.list<TimelineEvent>(`${path}/timeline`, {
    params,
    offset,
    limit,
  })
  const pieces = items.flatMap((source, index) => {
    const { event = '', source: other } = source
    const from = other?.issue?.repository
    if (UNTOLD.has(event)) return []
    if (from && !allowed({ owner: from.owner.login, repo: from.name })) return []
    return [pieceOf(source, offset + index, items.length - index)]
  })
  const end = offset + items.length
  return { pieces, rest: more && items.length > 0 ? { offset: end, limit } : undefined }
}

/** Unbroken runs of lost events, with what is untold between them. */
export function windowsOfEvents(
  { pieces }: IssueHistory,
  lost: ReadonlySet<Piece>,
): readonly (Window & { readonly count: number })[] {
  const windows: { offset: number; limit: number; count: number }[] = []
  let open = false
  for (const piece of pieces) {
    const window = windows.at(-1)
    const isLost = lost.has(piece)
    if (isLost && open && window) {
      window.limit = piece.position - window.offset + 1
      window.count += 1
    } else if (isLost) windows.push({ offset: piece.position, limit: 1, count: 1 })
    open = isLost
  }
  return windows
}

function pieceOf(source: TimelineEvent, position: number, age: number): EventPiece {
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
    position,
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
