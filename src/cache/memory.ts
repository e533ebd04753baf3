import { LRUCache } from 'lru-cache'
import { ownBytes } from '../core/ownBytes.ts'
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
  /** @param decoded whether it was just read from bytes, so that nothing but those hangs on it */
  set(key: string, entry: Entry, decoded?: boolean): void
  delete(key: string): void
  clear(): void
  /** Bytes in use. */
  readonly bytes: number
  readonly entries: number
}

/** The cache in this process, least recently used out first, bounded by bytes. */
export function createMemoryStore(maxBytes: number): MemoryStore {
  const lru = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    // One giant answer must not push out everything else.
    maxEntrySize: Math.max(1, Math.floor(maxBytes / 8)),
    sizeCalculation: sizeOf,
  })
  return {
    get: (key) => lru.get(key),
    set: (key, entry, decoded) => void lru.set(key, decoded ? owned(entry) : compact(entry)),
    delete: (key) => void lru.delete(key),
    clear: () => lru.clear(),
    get bytes() {
      return lru.calculatedSize
    },
    get entries() {
      return lru.size
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
function compact(entry: Entry): Entry {
  if (entry.kind === 'refusal') return entry
  const { contextId, tags } = entry
  const flat: Pick<AnswerEntry, 'contextId' | 'tags'> = JSON.parse(
    JSON.stringify({ contextId, tags }),
  )
  return { ...entry, ...flat, body: ownBytes(entry.body) }
}

const owned = (entry: Entry): Entry =>
  entry.kind === 'refusal' ? entry : { ...entry, body: ownBytes(entry.body) }
