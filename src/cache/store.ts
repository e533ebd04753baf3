import type { Span } from '../core/trace.ts'
import type { Entry } from './entry.ts'

type MaybePromise<T> = T | Promise<T>

/** Where entries are kept. A store never throws: what it cannot tell is absent. */
export interface Store {
  /** @param span what the look is part of, where it is traced */
  get(key: string, span?: Span): MaybePromise<Entry | undefined>
  /** Keeps the entry; whether it may still be served, its times tell. */
  set(key: string, entry: Entry): MaybePromise<void>
  delete(key: string): MaybePromise<void>
}

/** For a service without Redis. */
export const noStore: Store = { get: () => undefined, set: () => {}, delete: () => {} }
