import { Type } from '@sinclair/typebox'
import { blockFields, type Omission } from '../../core/schemas.ts'
import type { PartWindow } from '../common/partWindow.ts'
import { windowsOf } from '../common/windows.ts'
import { isLinkPiece, LinkedItem, readLinks } from '../issue/links.ts'
import { nextPart, type PartRequest, type PullPart, partDraft } from './parts.ts'

export const linkedBlock = Type.Object({ ...blockFields, linked: Type.Array(LinkedItem) })

const LINKED: ReadonlySet<string> = new Set(['linked'])

/** Issues that its merge closes, and what mentions it. Needs a credential. */
export async function readLinked(request: PartRequest): Promise<PullPart> {
  const { context, place, window = {} } = request
  const { owner, pull_number: issue_number, repo } = place
  const [pull, { more, pieces: all }] = await Promise.all([
    request.pull,
    readLinks(context, { owner, repo, issue_number }, LINKED, window.after),
  ])
  const { after, limit = all.length, offset = 0 } = window
  const pieces = all.slice(offset, offset + limit)
  const rest = all.length - offset - limit
  const omission = (at: PartWindow, count: number | undefined, reason: string): Omission => ({
    what: 'linked',
    ...(count === undefined ? {} : { count }),
    reason,
    next: nextPart(pull, 'linked', at),
  })
  const page = after === undefined ? {} : { after }
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
        return windowsOf(lost).map((at) => omission({ ...page, ...at }, at.limit, reason))
      },
    }),
    omitted:
      rest > 0
        ? [omission({ ...page, offset: offset + limit, limit }, rest, 'limit')]
        : more.map(({ after, count }) => omission({ after }, count, 'limit')),
  }
}
