import type { FitReason, Kept, Piece, Source } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import type { Omission } from '../../core/schemas.ts'
import { type Window, windowsOf } from '../common/windows.ts'
import { classOf, classRank } from './fileClasses.ts'
import {
  type DiffEntry,
  type Hunk,
  hunksOf,
  noteOn,
  patchKindOf,
  readHunks,
  writeHunks,
} from './patches.ts'

/** A file of a change, and its place in GitHub's list. */
export interface PlacedFile {
  readonly entry: DiffEntry
  readonly position: number
}

export interface FilesView {
  readonly files: readonly PlacedFile[]
  /** Whose change it is. */
  readonly by: Source
  /** `stats` lists the files only, `patch` shows their hunks. */
  readonly detail: 'stats' | 'patch'
  readonly hunks?: string | undefined
  /** Of the piece that matters most. */
  readonly rank: number
  /** The request for other files of this change. */
  next(params: NextFiles): Omission['next']
}

export type NextFiles = Partial<Window> & {
  readonly detail?: 'stats' | 'patch'
  readonly paths?: readonly string[]
  readonly hunks?: string
}

/** What a draft needs of the files. */
export interface FilesPart {
  readonly pieces: readonly Piece[]
  fields(kept: readonly Kept[]): { files: object[] }
  omit(dropped: readonly Piece[], cut: readonly Piece[], reason: FitReason): Omission[]
  /** Left out because it would be too much for one answer. */
  readonly omitted: readonly Omission[]
}

interface FilePiece extends Piece {
  readonly files: readonly PlacedFile[]
  readonly hunk?: Hunk
}

/** Characters of patches in one answer at most, whatever the budget: about 300,000 tokens. */
const MOST_CHARACTERS = 1024 * 1024
/** Files of one piece of a list without patches. */
const LISTED_TOGETHER = 10
/** GitHub's largest page: a file is looked for in the one that held it. */
const PAGE = 100

export function filesPart(view: FilesView): FilesPart {
  const { shown, rest } = withinCharacters(view)
  const pieces = view.detail === 'stats' ? listPieces(view) : patchPieces(view, shown)
  return {
    pieces,
    fields: (kept) => ({ files: fieldsOf(kept) }),
    omit: (dropped, cut, reason) =>
      omissionsOf([...dropped, ...cut].filter(isFilePiece), view, reason),
    omitted: rest.map((window) => ({
      what: 'files',
      count: window.limit,
      reason: 'answer_limit',
      next: view.next({ ...window, detail: 'patch' }),
    })),
  }
}

/** Files that are asked for by path but not there. */
export function missingPaths(
  paths: readonly string[] | undefined,
  files: readonly PlacedFile[],
): Omission[] {
  const known = new Set(files.map(({ entry }) => entry.filename))
  return (paths ?? [])
    .filter((path) => !known.has(path))
    .map((path) => ({ what: path, count: 1, reason: 'not_changed' }))
}

function withinCharacters({ detail, files }: FilesView): {
  shown: readonly PlacedFile[]
  rest: readonly Window[]
} {
  if (detail === 'stats') return { shown: files, rest: [] }
  let left = MOST_CHARACTERS
  const end = files.findIndex(({ entry }, index) => {
    left -= entry.patch?.length ?? 0
    return left < 0 && index > 0
  })
  if (end === -1) return { shown: files, rest: [] }
  const beyond = files.slice(end).map(({ position }) => position)
  return { shown: files.slice(0, end), rest: windowsOf(beyond) }
}

function listPieces({ by, files, rank }: FilesView): FilePiece[] {
  const pieces: FilePiece[] = []
  const ordered = files.toSorted((left, right) => lastIfGenerated(left) - lastIfGenerated(right))
  for (let start = 0; start < ordered.length; start += LISTED_TOGETHER) {
    const some = ordered.slice(start, start + LISTED_TOGETHER)
    pieces.push({
      part: 'files',
      text: some.map(({ entry }) => lineOf(entry)).join('\n'),
      by,
      rank: rank + Math.min(...some.map(({ entry }) => classRank(entry.filename))),
      whole: true,
      files: some,
    })
  }
  return pieces
}

/** In GitHub's order, but what tools wrote comes last. */
function patchPieces(view: FilesView, files: readonly PlacedFile[]): FilePiece[] {
  const isWanted = view.hunks === undefined ? () => true : readHunks(view.hunks)
  return files
    .flatMap((file) => {
      const hunks = hunksOf(file.entry.patch)
      if (hunks.length === 0) return [[file, notePiece(view, file)] as const]
      return hunks
        .filter(({ number }) => isWanted(number))
        .map((hunk) => [file, hunkPiece(view, file, hunk, hunks.length)] as const)
    })
    .toSorted(([left], [right]) => lastIfGenerated(left) - lastIfGenerated(right))
    .map(([, piece]) => piece)
}

function lastIfGenerated({ entry }: PlacedFile): number {
  return classOf(entry.filename) === 'generated' ? 1 : 0
}

function notePiece({ rank }: FilesView, file: PlacedFile): FilePiece {
  return {
    part: 'files',
    heading: headingOf(file.entry),
    text: noteOn(file.entry),
    by: 'service',
    rank: rank + rankOf(file, 0),
    whole: true,
    files: [file],
  }
}

function hunkPiece({ by, rank }: FilesView, file: PlacedFile, hunk: Hunk, count: number) {
  const of = count > 1 ? `, hunk ${hunk.number} of ${count}` : ''
  return {
    part: 'files',
    heading: headingOf(file.entry) + of,
    group: file.entry.filename,
    further: `hunk ${hunk.number} of ${count}`,
    shows: hunkName(file.entry.filename, hunk.number),
    text: hunk.text,
    by,
    marked: true,
    rank: rank + rankOf(file, hunk.number - 1),
    files: [file],
    hunk,
  }
}

/** Under which other pieces find that a hunk is shown. */
export const hunkName = (path: string, number: number) => `hunk ${number} of ${path}`

/** Source before tests before generated files; the first hunk of each file before the second of any. */
function rankOf({ entry }: PlacedFile, hunk: number): number {
  return classRank(entry.filename) * 10 + Math.min(9, hunk)
}

function headingOf(entry: DiffEntry): string {
  const from = entry.previous_filename ? `, from ${oneLine(entry.previous_filename)}` : ''
  return `### ${oneLine(entry.filename)} (${countsOf(entry)}${from})`
}

const countsOf = ({ additions, deletions, status }: DiffEntry) =>
  `${status} +${additions} −${deletions}`

function lineOf(entry: DiffEntry): string {
  const from = entry.previous_filename ? ` from ${oneLine(entry.previous_filename)}` : ''
  const kind = patchKindOf(entry)
  const why = kind === 'patch' || kind === 'renamed' ? '' : ` (${kind.replace('_', ' ')})`
  return `${countsOf(entry)} ${oneLine(entry.filename)}${from}${why}`
}

function isFilePiece(piece: Piece): piece is FilePiece {
  return piece.part === 'files'
}

function fieldsOf(kept: readonly Kept[]): object[] {
  const shown = new Map<DiffEntry, { number: number; text: string }[]>()
  for (const { piece, text } of kept) {
    if (!isFilePiece(piece)) continue
    for (const { entry } of piece.files) {
      const hunks = shown.get(entry) ?? []
      if (piece.hunk) hunks.push({ number: piece.hunk.number, text })
      shown.set(entry, hunks)
    }
  }
  return [...shown].map(([entry, hunks]) => ({
    path: entry.filename,
    previous_path: entry.previous_filename ?? null,
    status: entry.status,
    additions: entry.additions,
    deletions: entry.deletions,
    kind: patchKindOf(entry),
    hunks_count: hunksOf(entry.patch).length,
    hunks,
  }))
}

/** Whole files by windows of GitHub's list, parts of files by their hunks. */
function omissionsOf(lost: readonly FilePiece[], view: FilesView, reason: string): Omission[] {
  const { detail } = view
  const whole: number[] = []
  const parts: Omission[] = []
  for (const [file, pieces] of groupByFile(lost)) {
    const numbers = pieces.flatMap(({ hunk }) => hunk?.number ?? [])
    if (numbers.length === hunksOf(file.entry.patch).length || detail === 'stats') {
      whole.push(file.position)
    } else parts.push(hunksOmission(view, file, numbers, reason))
  }
  const windows = windowsOf(whole).map((window) => ({
    what: 'files',
    count: window.limit,
    reason,
    next: view.next({ ...window, detail }),
  }))
  return [...windows, ...parts]
}

function groupByFile(pieces: readonly FilePiece[]): Map<PlacedFile, FilePiece[]> {
  const groups = new Map<PlacedFile, FilePiece[]>()
  for (const piece of pieces) {
    for (const file of piece.files) groups.set(file, [...(groups.get(file) ?? []), piece])
  }
  return groups
}

function hunksOmission(
  view: FilesView,
  { entry, position }: PlacedFile,
  numbers: readonly number[],
  reason: string,
): Omission {
  return {
    what: `hunks of ${entry.filename}`,
    count: numbers.length,
    reason,
    next: view.next({
      offset: position - (position % PAGE),
      limit: PAGE,
      paths: [entry.filename],
      hunks: writeHunks(numbers.toSorted((left, right) => left - right)),
      detail: 'patch',
    }),
  }
}
