import { createTwoQueues } from '../core/memory/twoQueues.ts'
import { ownBytes } from '../core/ownBytes.ts'
import { packEntry, unpackEntry } from './codec.ts'
import type { AnswerEntry, Entry } from './entry.ts'
import type { Store } from './store.ts'

/**
 * Bytes that V8 needs beside texts and body, as measured by bench/memory.ts: for an answer with its
 * Buffer, its array and its place in the list; for a refusal with its error; around each text.
 */
const ANSWER = 560
const REFUSAL = 640
const TEXT = 24

export interface MemoryStore extends Store {
  get(key: string): Entry | undefined
  /** @param unpacked whether it was just read from bytes, so that nothing but these hangs on it */
  set(key: string, entry: Entry, unpacked?: boolean): void
  delete(key: string): void
  clear(): void
  /** Bytes in use. */
  readonly bytes: number
  readonly entries: number
}

/** The cache in this process, bounded by bytes. */
export function createMemoryStore(maxBytes: number): MemoryStore {
  const entries = createTwoQueues<Entry>({
    maxBytes,
    // One giant answer must not push out everything else.
    largest: 1 / 8,
    usual: 1024,
    sizeOf,
    compact,
    // A refusal stays the error that it is.
    pack: (entry) => (entry.kind === 'refusal' ? undefined : packEntry(entry)),
    unpack: unpackEntry,
  })
  return {
    get: entries.get,
    set: entries.set,
    delete: entries.delete,
    clear: entries.clear,
    get bytes() {
      return entries.bytes()
    },
    get entries() {
      return entries.size()
    },
  }
}

function sizeOf(entry: Entry, key: string): number {
  if (entry.kind === 'refusal') return REFUSAL + key.length
  let size = ANSWER + key.length + entry.contextId.length + entry.body.length
  for (const tag of entry.tags) size += TEXT + tag.length
  return size
}

/**
 * The entry without what hangs on it: V8 keeps the parts that a text was put together from, and an
 * array the room that it grew by.
 */
function compact(entry: Entry, unpacked: boolean): Entry {
  if (entry.kind === 'refusal') return entry
  const { body, contextId, tags } = entry
  const own = ownBytes(body)
  if (unpacked) return own === body ? entry : { ...entry, body: own }
  const flat: Pick<AnswerEntry, 'contextId' | 'tags'> = JSON.parse(
    JSON.stringify({ contextId, tags }),
  )
  return { ...entry, ...flat, body: own }
}
