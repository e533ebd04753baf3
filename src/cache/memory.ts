import { LRUCache } from 'lru-cache'
import type { Entry } from './entry.ts'
import type { Store } from './store.ts'

/** Bytes that an entry costs beside its key and body: the objects around them. */
const OVERHEAD = 400

export interface MemoryStore extends Store {
  get(key: string): Entry | undefined
  set(key: string, entry: Entry): void
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
    sizeCalculation: (entry, key) =>
      OVERHEAD + key.length + (entry.kind === 'answer' ? entry.body.length : 0),
  })
  return {
    get: (key) => lru.get(key),
    set: (key, entry) => void lru.set(key, entry),
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
