import { Type } from '@sinclair/typebox'
import { invalid } from '../../core/errors.ts'
import type { Draft, FetchContext, FitReason, Kept, Piece } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { blockFields, Nullable, type Omission } from '../../core/schemas.ts'
import { facts, lines } from '../common/render.ts'
import type { FileBody, FileFound } from './content.ts'
import {
  gapsBetween,
  joinRanges,
  type LineRange,
  type LinesPiece,
  linePieces,
  linesOf,
  rangesAround,
  shownRanges,
} from './lines.ts'

/** Lines shown before and after each that has the words asked for. */
const AROUND = 6
/** Characters of one answer at most, whatever the budget: about 300,000 tokens. */
const MOST_CHARACTERS = 1024 * 1024

/** What of a file is wanted. */
export interface Wanted {
  readonly start_line?: number | undefined
  readonly end_line?: number | undefined
  readonly match?: string | undefined
}

export const fileBlock = Type.Object({
  ...blockFields,
  kind: Type.Unsafe<FileBody['kind']>(
    Type.String({
      enum: ['text', 'empty', 'binary', 'symlink', 'submodule', 'lfs_pointer', 'too_large'],
      description:
        'A link to a file of the same repository is answered as that file: GitHub does not tell them apart',
    }),
  ),
  path: Type.String(),
  ref: Type.String(),
  sha: Type.String({ description: 'Of the blob; of the commit where `kind` is `submodule`' }),
  size: Type.Integer({ description: 'Bytes in the repository' }),
  lines: Nullable(Type.Integer({ description: 'Lines that the file has' })),
  encoding: Nullable(Type.String()),
  target: Nullable(Type.String({ description: 'Where a symbolic link leads' })),
  repository: Nullable(Type.String({ description: 'Address of the repository of a submodule' })),
  stored_size: Nullable(Type.Integer({ description: 'Bytes of what an LFS pointer stands for' })),
  matches: Nullable(Type.Integer({ description: 'Lines that have the words of `match`' })),
  ranges: Type.Array(
    Type.Object({
      start_line: Type.Integer(),
      end_line: Type.Integer(),
      text: Type.String({ description: 'The lines as they are, without numbers' }),
    }),
    { description: 'What is shown of the text, in order' },
  ),
})

export interface FileOptions {
  /** Where the answer has several files: what this one was read with. */
  readonly from?: FetchContext
  /** Files of the answer, which share what one may hold. */
  readonly files?: number
}

/** A file as a block, and what of it was not asked for but may be wanted. */
export interface FileBlock {
  readonly draft: Draft
  readonly omitted: readonly Omission[]
}

/** @throws ServiceError `invalid_request` for lines that the file does not have */
export function fileBlockOf(file: FileFound, wanted: Wanted, options: FileOptions = {}): FileBlock {
  const { body } = file
  if (body.kind === 'text') {
    return textBlock(file, linesOf(body.text), body.encoding, wanted, options)
  }
  const by = 'target' in body || 'repository' in body ? 'repository' : 'service'
  const note: Piece = { part: 'file', text: noteOn(body), by, rank: 0, whole: true }
  const draft = draftOf(file, facts({ Size: `${file.size} bytes` }), [note], options, {
    fields: () => ({ ...fieldsOf(file), ...ownFields(body) }),
    omit: (lost, reason) =>
      lost.map(() => ({ what: 'file', count: 1, reason, next: request(file) })),
  })
  return { draft, omitted: [] }
}

function textBlock(
  file: FileFound,
  all: readonly string[],
  encoding: string,
  wanted: Wanted,
  options: FileOptions,
): FileBlock {
  const window = windowOf(wanted, all.length)
  const { match } = wanted
  const found = match === undefined ? undefined : rangesAround(all, window, match, AROUND)
  const { shown, rest } = withinCharacters(
    all,
    found?.ranges ?? [window],
    MOST_CHARACTERS / (options.files ?? 1),
  )
  const pieces = repieced(shown.flatMap((range) => linePieces(all, range)))
  const about = facts({
    Lines: `${shown.map(nameOf).join(', ') || 'none'} of ${all.length}`,
    Matches: found && `${found.matches} lines have ${JSON.stringify(match)}`,
    Encoding: encoding !== 'utf-8' && encoding,
  })
  const draft = draftOf(file, about, pieces, options, {
    fields: (kept) => ({
      ...fieldsOf(file),
      lines: all.length,
      encoding,
      matches: found?.matches ?? null,
      ranges: shownRanges(kept.map(({ piece }) => piece as LinesPiece)),
    }),
    omit: (lost, reason) =>
      joinRanges(lost.map((piece) => (piece as LinesPiece).range)).map((range) =>
        omission(file, range, reason),
      ),
  })
  const unmatched = found ? gapsBetween(window, found.ranges) : []
  return {
    draft,
    omitted: [
      ...unmatched.map((range) => omission(file, range, 'match')),
      ...rest.map((range) => omission(file, range, 'answer_limit')),
    ],
  }
}

/** Ranks go on from one range to the next. */
const repieced = (pieces: readonly LinesPiece[]): LinesPiece[] =>
  pieces.map((piece, rank) => ({ ...piece, rank }))

function windowOf({ start_line = 1, end_line }: Wanted, total: number): LineRange {
  if (start_line > total) throw invalid('/params/start_line', `the file has ${total} lines.`)
  if (end_line !== undefined && end_line < start_line) {
    throw invalid('/params/end_line', 'must not be less than start_line.')
  }
  return { start_line, end_line: Math.min(end_line ?? total, total) }
}

/** Ranges up to the most that one answer may hold; at least one line. */
function withinCharacters(all: readonly string[], ranges: readonly LineRange[], most: number) {
  const shown: LineRange[] = []
  const rest: LineRange[] = []
  let left = most
  for (const { start_line, end_line } of ranges) {
    let line = start_line
    for (; line <= end_line && left > 0; line += 1) left -= (all[line - 1]?.length ?? 0) + 1
    if (line > start_line) shown.push({ start_line, end_line: line - 1 })
    if (line <= end_line) rest.push({ start_line: line, end_line })
  }
  return { shown, rest }
}

interface Behaviour {
  fields(kept: readonly Kept[]): Record<string, unknown>
  omit(lost: readonly Piece[], reason: FitReason): Omission[]
}

function draftOf(
  file: FileFound,
  about: string,
  pieces: readonly Piece[],
  { from }: FileOptions,
  { fields, omit }: Behaviour,
): Draft {
  const { owner, repo, path, ref, url } = file
  return {
    id: `github_file:${owner}/${repo}@${ref}:${path}`,
    title: path,
    url,
    head: lines(`# File of ${owner}/${repo} at ${oneLine(ref)}`, url, about),
    by: 'repository',
    pieces,
    ...(from && { from }),
    fields,
    // Pieces of files are never cut.
    omit: (dropped, _cut, reason) => omit(dropped, reason),
  }
}

function noteOn(body: Exclude<FileBody, { kind: 'text' }>): string {
  switch (body.kind) {
    case 'empty':
      return 'The file is empty.'
    case 'binary':
      return 'The file is binary: it has no text.'
    case 'too_large':
      return 'The file is too large to be read here.'
    case 'symlink':
      return `A symbolic link that leads to ${JSON.stringify(body.target)}.`
    case 'submodule':
      return `A submodule: commit ${body.commit} of ${JSON.stringify(body.repository)}.`
    case 'lfs_pointer':
      return `A pointer to a file of ${body.stored} bytes in Git LFS, which GitHub's API does not hand out.`
  }
}

function ownFields(body: FileBody): Record<string, unknown> {
  if (body.kind === 'symlink') return { target: body.target }
  if (body.kind === 'submodule') return { repository: body.repository }
  return body.kind === 'lfs_pointer' ? { stored_size: body.stored } : {}
}

function fieldsOf({ body, path, ref, sha, size }: FileFound) {
  return {
    kind: body.kind,
    path,
    ref,
    sha,
    size,
    lines: null,
    encoding: null,
    target: null,
    repository: null,
    stored_size: null,
    matches: null,
    ranges: [],
  }
}

const nameOf = ({ start_line, end_line }: LineRange) =>
  start_line === end_line ? `${start_line}` : `${start_line}–${end_line}`

function omission(file: FileFound, range: LineRange, reason: string): Omission {
  return {
    what: `lines ${nameOf(range)}`,
    count: range.end_line - range.start_line + 1,
    reason,
    next: request(file, range),
  }
}

function request({ owner, repo, path, ref }: FileFound, range?: LineRange) {
  return { context_type: 'github_file', params: { owner, repo, path, ref, ...range } }
}
