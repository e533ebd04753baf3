import { Type } from '@sinclair/typebox'
import type { Draft, FetchContext } from '../../core/provider.ts'
import { blockFields, type Omission } from '../../core/schemas.ts'
import { type FilesView, filesPart, type PlacedFile } from '../change/files.ts'
import { ChangedFile, nextFiles } from '../change/params.ts'
import type { DiffEntry } from '../change/patches.ts'
import { facts, lines } from '../common/render.ts'
import type { Window } from '../common/windows.ts'
import { type GitHubPull, pullAuthor, pullName, pullRepository } from './fields.ts'
import { type PartRequest, PULL, type PullPart } from './parts.ts'

/** GitHub lists no more (docs.github.com/rest/pulls/pulls#list-pull-requests-files). */
export const MOST_FILES = 3_000
const USUAL = 100
/** After verdicts, failing checks and what is not resolved. */
const RANK = 8

export const pullFilesBlock = Type.Object({
  ...blockFields,
  total: Type.Integer({ description: 'Files that the pull request changes' }),
  additions: Type.Integer(),
  deletions: Type.Integer(),
  files: Type.Array(ChangedFile),
})

export interface PullFiles {
  readonly draft: Draft
  readonly omitted: readonly Omission[]
}

export const pullFilesNext = (pull: GitHubPull) =>
  nextFiles('github_pull_request_files', {
    ...pullRepository(pull),
    pull_number: pull.number,
  })

/** Changed files of a pull request as a block. */
export function pullFilesDraft(
  pull: GitHubPull,
  files: readonly PlacedFile[],
  view: Pick<FilesView, 'detail' | 'hunks' | 'rank'>,
  from?: FetchContext,
): PullFiles {
  const by = pullAuthor(pull)
  const part = filesPart({ ...view, files, by, next: pullFilesNext(pull) })
  const { additions, changed_files: total, deletions } = pull
  const first = files[0]?.position ?? 0
  const name = `Changed files of ${pullName(pull)}`
  const url = `${pull.html_url}/files`
  const counts = facts({
    Files: `${files.length} of ${total}`,
    Changes: `+${additions} −${deletions}`,
  })
  const draft: Draft = {
    type: 'github_pull_request_files',
    id: `github_pull_request_files:${pullName(pull)}@${first}+${files.length}`,
    // Beside the pull request's own block, its title and address need not be said again.
    title: from ? name : pull.title,
    url,
    head: lines(`# ${name}`, !from && url, counts),
    by: from ? 'service' : by,
    pieces: part.pieces.length > 0 ? part.pieces : [NOTHING],
    ...(from && { from }),
    fields: (kept) => ({ total, additions, deletions, ...part.fields(kept) }),
    omit: part.omit,
  }
  return { draft, omitted: part.omitted }
}

/** A block always has something that can be left out. */
const NOTHING = {
  part: 'nothing',
  text: 'No files.',
  by: 'service',
  rank: 0,
  whole: true,
} as const

/** The changed files as a part of the pull request, with their patches where those are wanted. */
export async function readFiles(
  { context, most = USUAL, place, pull: reading, window = {} }: PartRequest,
  detail: 'stats' | 'patch',
): Promise<PullPart> {
  const { limit = most, offset = 0 } = window
  const range = { offset, limit }
  const [pull, { items }] = await Promise.all([
    reading,
    context.github.list<DiffEntry>(`${PULL}/files`, { params: place, ...range }),
  ])
  const files = items.map((entry, index) => ({ entry, position: offset + index }))
  const { draft, omitted } = pullFilesDraft(pull, files, { detail, rank: RANK }, context)
  return {
    draft,
    omitted: [...restOfFiles(pull, range, items.length, detail), ...omitted],
    ...(detail === 'patch' ? { patches: items } : {}),
  }
}

/** What comes after a window of GitHub's list, and what that list never has. */
export function restOfFiles(
  pull: GitHubPull,
  { offset, limit }: Window,
  count: number,
  detail: string,
): Omission[] {
  const end = offset + count
  const listed = Math.min(pull.changed_files, MOST_FILES)
  const level = detail === 'stats' ? { detail: 'stats' as const } : {}
  const rest: Omission = {
    what: 'files',
    count: listed - end,
    reason: 'limit',
    next: pullFilesNext(pull)({ offset: end, limit, ...level }),
  }
  const never: Omission = {
    what: 'files',
    count: pull.changed_files - MOST_FILES,
    reason: 'github_limit',
  }
  return [
    ...(count > 0 && end < listed ? [rest] : []),
    ...(pull.changed_files > MOST_FILES && end >= listed ? [never] : []),
  ]
}
