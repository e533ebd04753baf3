import { Type } from '@sinclair/typebox'
import type { Author, CachePolicy, Kept, Piece } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { blockFields, Nullable, type Omission } from '../../core/schemas.ts'
import { hunkName } from '../change/files.ts'
import { type DiffEntry, hunksOf } from '../change/patches.ts'
import type { PartWindow } from '../common/partWindow.ts'
import { facts } from '../common/render.ts'
import { Comment } from '../issue/comments.ts'
import { pullAuthor } from './fields.ts'
import { nextPart, type PartRequest, type PullPart, partDraft } from './parts.ts'
import { findThreads, type ThreadFound } from './threadsFound.ts'

const Thread = Type.Object(
  {
    path: Type.String(),
    line: Nullable(Type.Integer({ description: 'Null where later commits changed the line' })),
    start_line: Nullable(Type.Integer()),
    resolved: Type.Union([Type.Boolean(), Type.Null()], {
      description: 'Null where GitHub does not tell this credential',
    }),
    outdated: Type.Boolean(),
    hunk: Type.String({ description: 'The lines that it is about' }),
    comments: Type.Array(Comment),
  },
  { title: 'Review thread' },
)

export const threadsBlock = Type.Object({ ...blockFields, threads: Type.Array(Thread) })

const SOON: CachePolicy = { freshFor: 10, staleFor: 0, keepFor: 300 }
const COMMENT_RANK = 3
const HUNK_RANK = 4

/**
 * What reviewers said about lines. With the other parts only what is not resolved; in a window of its
 * own everything. Who may not use GraphQL is not told what is resolved.
 * @param patches of the same answer: a hunk that stands there is not shown again
 */
export async function readThreads(
  request: PartRequest,
  patches?: Promise<PullPart>,
): Promise<PullPart> {
  const { context, window } = request
  const [pull, found, files] = await Promise.all([request.pull, findThreads(request), patches])
  const inPatch = createPatchSearch(files?.patches ?? [])
  const shown = window ? found.threads : found.threads.filter(({ resolved }) => resolved !== true)
  const hidden = found.threads.filter((thread) => !shown.includes(thread))
  const pieces = shown.flatMap((thread, index) =>
    piecesOf(thread, pullAuthor(pull), index, inPatch(thread)),
  )
  const omission = (what: string, at: PartWindow, count: number | undefined, reason: string) => ({
    what,
    ...(count === undefined ? {} : { count }),
    reason,
    next: nextPart(pull, 'threads', at),
  })
  const omitted: Omission[] = [
    ...runsOf(found.threads, new Set(hidden)).map(({ at, limit }) =>
      omission('threads', { ...at, limit }, limit, 'resolved'),
    ),
    ...(found.rest ? [omission('threads', found.rest, found.restCount, 'limit')] : []),
    ...[...found.threads.map(({ missing }) => missing), found.unread].flatMap((missing) =>
      missing ? [omission('comments of a thread', missing.at, missing.count, 'limit')] : [],
    ),
    ...(found.untold && shown.length > 0
      ? [{ what: 'which threads are resolved', reason: found.untold }]
      : []),
  ]
  return {
    draft: partDraft({
      type: 'github_pull_request_threads',
      name: window ? 'Review threads' : 'Unresolved review threads',
      pull,
      from: context,
      page: '/files',
      facts: facts({ Threads: shown.length }),
      pieces,
      nothing: window ? 'No threads here.' : 'No unresolved threads.',
      fields: (kept) => ({ threads: fieldsOf(shown, kept) }),
      omit: (dropped, cut, reason) => {
        const lost = [...dropped, ...cut].filter(isThreadPiece).map(({ thread }) => thread)
        return runsOf(shown, new Set(lost), found.threads).map(({ at, limit }) =>
          omission('threads', { ...at, limit }, limit, reason),
        )
      },
    }),
    omitted,
    // Another time GraphQL may answer; a refusal stays.
    ...(found.untold && found.untold !== 'upstream_forbidden' ? { cache: SOON } : {}),
  }
}

interface ThreadPiece extends Piece {
  readonly thread: ThreadFound
  /** Index of the comment; none for the hunk. */
  readonly comment?: number
}

const isThreadPiece = (piece: Piece): piece is ThreadPiece => piece.part === 'threads'

function piecesOf(
  thread: ThreadFound,
  author: Author,
  index: number,
  inPatch: number | undefined,
): ThreadPiece[] {
  const place = `${oneLine(thread.path)}${thread.line === null ? '' : `:${thread.line}`}`
  const state = [
    thread.resolved === null ? '' : thread.resolved ? 'resolved' : 'unresolved',
    thread.outdated ? 'outdated' : '',
  ]
  const resolved = thread.resolved ? 300 : 0
  const common = { part: 'threads', thread, group: `thread ${index}` }
  const heading = `### Thread on ${place} (${state.filter(Boolean).join(', ') || 'state not told'})`
  const hunk: ThreadPiece = {
    ...common,
    heading,
    ...(inPatch !== undefined && {
      repeats: {
        shows: hunkName(thread.path, inPatch),
        heading: `${heading}, in hunk ${inPatch} of its patch above`,
        // Where the comment stands.
        text: thread.hunk.split('\n').at(-1) ?? '',
      },
    }),
    text: thread.hunk || '(no lines)',
    by: thread.hunk ? author : 'service',
    marked: thread.hunk !== '',
    rank: HUNK_RANK + resolved + index / 1_000,
    whole: true,
  }
  const comments = thread.comments.map(
    ({ association, author: login, body, created_at }, comment): ThreadPiece => ({
      ...common,
      heading: `#### ${login} (${association.toLowerCase()}) on ${place}, ${created_at}`,
      further: `#### ${login} (${association.toLowerCase()}), ${created_at}`,
      text: body || '(no text)',
      by: { login, association },
      rank: COMMENT_RANK + resolved + index / 1_000,
      comment,
    }),
  )
  return [hunk, ...comments]
}

/** Finds the hunk of a patch that has all that a thread shows: the one with its `@@` line and its lines. */
function createPatchSearch(files: readonly DiffEntry[]) {
  const patches = new Map(files.map((entry) => [entry.filename, entry.patch]))
  return ({ hunk, path }: ThreadFound): number | undefined => {
    const [head, ...rest] = hunk.split('\n')
    return hunksOf(patches.get(path)).find(
      ({ text }) =>
        text.split('\n', 1)[0] === head && `${text}\n`.includes(`\n${rest.join('\n')}\n`),
    )?.number
  }
}

/** Threads of which something was kept, with no more of their texts than was kept. */
function fieldsOf(threads: readonly ThreadFound[], kept: readonly Kept[]): object[] {
  const byThread = Map.groupBy(
    kept.filter(({ piece }) => isThreadPiece(piece)),
    ({ piece }) => (piece as ThreadPiece).thread,
  )
  return threads.flatMap((thread) => {
    const pieces = byThread.get(thread)
    if (!pieces) return []
    const { at: _at, comments, hunk, missing: _missing, ...facts } = thread
    const textOf = (comment: number | undefined) =>
      pieces.find(({ piece }) => (piece as ThreadPiece).comment === comment)?.text
    return [
      {
        ...facts,
        hunk: hunk && (textOf(undefined) ?? ''),
        comments: comments.flatMap((comment, index) => {
          const text = textOf(index)
          return text === undefined ? [] : [{ ...comment, body: comment.body && text }]
        }),
      },
    ]
  })
}

/** Unbroken runs of lost threads, each with the window that has its first. */
function runsOf(
  threads: readonly ThreadFound[],
  lost: ReadonlySet<ThreadFound>,
  all: readonly ThreadFound[] = threads,
): { at: PartWindow; limit: number }[] {
  const runs: { at: PartWindow; limit: number }[] = []
  let open = false
  for (const thread of all) {
    const isLost = lost.has(thread)
    const run = runs.at(-1)
    if (isLost && open && run) run.limit += 1
    else if (isLost) runs.push({ at: thread.at, limit: 1 })
    open = isLost
  }
  return runs
}
