import { createHash } from 'node:crypto'
import MiniSearch from 'minisearch'
import { createPace, type Pace } from '../../core/tokens.ts'
import { type LineRange, type LinesPiece, linePieces } from '../file/lines.ts'
import { type Document, documentOf } from './document.ts'
import type { Folder, Listed } from './folder.ts'
import { sectionsOf } from './markdown.ts'

/** Lines of one section that are found, and shown, together. */
export interface Passage {
  readonly id: number
  readonly document: Pick<Document, 'path' | 'removed' | 'title'>
  /** The headings that it stands under, the outermost first. */
  readonly headings: readonly string[]
  /** All lines of its section. */
  readonly section: LineRange
  readonly piece: LinesPiece
}

/** What cannot be found though it is in the folder, in numbers. */
export interface Unindexed {
  /** Documents past the most that are indexed; undefined where nobody counted them. */
  readonly documents: number | undefined
  /** Documents that cannot be read, or are no text. */
  readonly unreadable: number
  /** Documents of which only the start is indexed. */
  readonly started: number
}

export interface Ask {
  readonly words: string
  /** A folder or a document; everything lies in ''. */
  readonly within: string
  readonly offset: number
  readonly limit: number
}

export interface Found {
  /** Those of the window that was asked for, best first. */
  readonly passages: readonly Passage[]
  /** Of all that have the words. */
  readonly count: number
  readonly unindexed: Unindexed
}

/** The sections of all documents of a folder. */
export interface Sections {
  /** Names all that the folder holds now, once the index has it. @throws ServiceError as `Folder` */
  version(): Promise<string>
  /** What has the words, as of the last `version`. @throws ServiceError as `Folder` */
  search(ask: Ask): Promise<Found>
}

interface Shelf extends Listed {
  readonly hash: string
  readonly passages: readonly Passage[]
  /** Undefined for what could not be read. */
  readonly kind: 'whole' | 'start' | 'past' | 'unreadable'
}

/** Characters that are indexed, of one document and of all. */
const MOST_OF_ONE = 1024 * 1024
const MOST_OF_ALL = 16 * 1024 * 1024
/** Passages that are indexed without a pause. */
const AT_ONCE = 20
/** A word that is longer is looked for as it is written: telling near ones costs too much. */
const LONGEST_FUZZY = 24

/** An index that is brought up to date, where documents changed, whenever its version is asked for. */
export function createSections(folder: Folder): Sections {
  const index = createIndex()
  const live = new Map<number, Passage>()
  const shelves = new Map<string, Shelf>()
  let state: { readonly version: string; readonly more: boolean } | undefined
  let nextId = 0
  const refresh = oneAtATime(readAnew)

  /** What is listed with the same stamp is not read again, unless it had been touched a moment ago. */
  async function readAnew(): Promise<void> {
    const { documents: listing, more } = await folder.list()
    const pace = createPace()
    const present = new Set(listing.map(({ path }) => path))
    for (const [path, { passages }] of [...shelves]) {
      if (present.has(path)) continue
      shelves.delete(path)
      await withdraw(passages, pace)
    }
    let room = MOST_OF_ALL
    for (const listed of listing) {
      const known = shelves.get(listed.path)
      const fits = room > 0
      const same = known?.stamp === listed.stamp && !known.young
      if (!same || fits !== (known.kind !== 'past')) await shelve(listed, known, fits, pace)
      room -= lengthOf(shelves.get(listed.path))
    }
    const all = listing.flatMap(({ path }) => shelves.get(path) ?? [])
    state = { version: versionOf(all, more), more }
  }

  async function shelve(
    listed: Listed,
    known: Shelf | undefined,
    fits: boolean,
    pace: Pace,
  ): Promise<void> {
    const { path } = listed
    const read = fits ? await folder.read(path) : undefined
    const { stamp, young } = read ?? listed
    if (known && read?.hash === known.hash) {
      shelves.set(path, { ...known, stamp, young })
      return
    }
    const document = read && (await documentOf(read, pace))
    const { passages, cut } = document ? passagesOf(document) : { passages: [], cut: false }
    // The old ones are found until all new ones can be.
    for (const [at, passage] of passages.entries()) {
      index.add(passage)
      if (at % AT_ONCE === 0) await (pace() ?? null)
    }
    const isText = document?.encoding !== undefined
    const kind = !fits ? 'past' : !isText ? 'unreadable' : cut ? 'start' : 'whole'
    shelves.set(path, { path, stamp, young, hash: read?.hash ?? kind, passages, kind })
    for (const passage of passages) live.set(passage.id, passage)
    if (known) await withdraw(known.passages, pace)
  }

  async function withdraw(passages: readonly Passage[], pace: Pace): Promise<void> {
    for (const { id } of passages) live.delete(id)
    for (const [at, passage] of passages.entries()) {
      index.remove(passage)
      if (at % AT_ONCE === 0) await (pace() ?? null)
    }
  }

  function passagesOf(document: Document): { passages: Passage[]; cut: boolean } {
    const { lines, outline, path, removed, title, unread } = document
    const passages: Passage[] = []
    let room = MOST_OF_ONE
    for (const { headings, range } of sectionsOf(outline, lines.length)) {
      if (room <= 0) return { passages, cut: true }
      for (const piece of linePieces(lines, withoutBlankEnd(lines, range))) {
        if (room <= 0) break
        room -= piece.text.length
        if (piece.plain.trim() === '') continue
        passages.push({
          id: nextId,
          document: { path, removed, title },
          headings,
          section: range,
          piece,
        })
        nextId += 1
      }
    }
    return { passages, cut: room <= 0 || unread > 0 }
  }

  return {
    async version() {
      await refresh()
      return state?.version ?? ''
    },
    async search({ limit, offset, within, words }) {
      if (!state) await refresh()
      const all = index
        .search(words, { filter: ({ id }) => isWithin(live.get(id as number), within) })
        // What was added and removed before leaves traces in the last digits.
        .map(({ id, score }) => ({
          passage: live.get(id as number),
          score: Number(score.toPrecision(6)),
        }))
        .sort((left, right) => right.score - left.score || byPlace(left.passage, right.passage))
      return {
        passages: all.slice(offset, offset + limit).flatMap(({ passage }) => passage ?? []),
        count: all.length,
        unindexed: unindexedOf([...shelves.values()], state?.more ?? false),
      }
    },
  }
}

function createIndex() {
  return new MiniSearch<Passage>({
    fields: ['headings', 'path', 'text'],
    extractField(passage, field) {
      if (field === 'headings') return [passage.document.title, ...passage.headings].join('\n')
      if (field === 'path') return passage.document.path
      return field === 'text' ? passage.piece.plain : (passage.id as unknown as string)
    },
    searchOptions: {
      boost: { headings: 3, path: 2 },
      prefix: (term) => term.length > 3,
      fuzzy: (term) => (term.length > 5 && term.length <= LONGEST_FUZZY ? 0.2 : false),
    },
  })
}

/** Runs of one kind one after another; whoever asks gets one that began after the asking. */
function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  const start = () => {
    next = undefined
    const run = work().finally(() => {
      if (running === run) running = undefined
    })
    running = run
    return run
  }
  return () => {
    next ??= running?.then(start, start)
    return next ?? start()
  }
}

function versionOf(shelves: readonly Shelf[], more: boolean): string {
  const digest = createHash('sha256').update(String(more))
  for (const { hash, kind, path } of shelves) digest.update(`\n${path}\0${hash}\0${kind}`)
  return digest.digest('base64url').slice(0, 22)
}

function unindexedOf(shelves: readonly Shelf[], more: boolean): Unindexed {
  const count = (wanted: Shelf['kind']) => shelves.filter(({ kind }) => kind === wanted).length
  return {
    documents: more ? undefined : count('past'),
    unreadable: count('unreadable'),
    started: count('start'),
  }
}

const lengthOf = (shelf: Shelf | undefined) =>
  shelf?.passages.reduce((sum, { piece }) => sum + piece.plain.length, 0) ?? 0

function withoutBlankEnd(lines: readonly string[], { end_line, start_line }: LineRange): LineRange {
  let last = end_line
  while (last > start_line && lines[last - 1]?.trim() === '') last -= 1
  return { start_line, end_line: last }
}

/** Whether it lies in the folder, or is the document, that `within` names; everything does in ''. */
function isWithin(passage: Passage | undefined, within: string): boolean {
  if (!passage || within === '') return passage !== undefined
  const { path } = passage.document
  return path === within || path.startsWith(`${within}/`)
}

function byPlace(left: Passage | undefined, right: Passage | undefined): number {
  if (!left || !right) return 0
  const [one, other] = [left.document.path, right.document.path]
  if (one !== other) return one < other ? -1 : 1
  return left.piece.range.start_line - right.piece.range.start_line || left.id - right.id
}
