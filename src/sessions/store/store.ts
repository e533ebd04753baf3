/** What a session may hold at most. */
export interface Limits {
  readonly items: number
  readonly turns: number
  /** UTF-8 bytes of all that is kept of it, as JSON. */
  readonly bytes: number
}

export const LIMITS: Limits = { items: 2_000, turns: 1_000, bytes: 8 * 1024 * 1024 }

/** A session that belongs to one caller: to any other it is not there. */
export interface Address {
  readonly id: string
  readonly owner: string
}

/** One item as it is kept. */
export interface ItemRecord {
  /** Names what it is about: a newer version has the same key, and takes the older one's place. */
  readonly key: string
  readonly json: string
  /** Another one each time that `json` changed. */
  readonly version: number
  /**
   * What it was at the last turn, where that is to be told in the next one and it has changed since;
   * null where it was not there.
   */
  readonly before: string | null | undefined
}

/** A session as it is kept. Times are epoch milliseconds. */
export interface SessionRecord {
  readonly createdAt: number
  readonly expiresAt: number
  /** What counts against the limit. */
  readonly bytes: number
  /** In the order in which they came. */
  readonly items: readonly ItemRecord[]
  /** Where items came from, by name. */
  readonly sources: ReadonlyMap<string, string>
  /** From the first on. */
  readonly turns: readonly string[]
}

export interface Put {
  readonly key: string
  readonly json: string
  /** Whether the next turn is to tell how it has changed. */
  readonly told: boolean
}

export interface Append {
  readonly items: readonly Put[]
  readonly sources: ReadonlyMap<string, string>
}

/** A turn with all that it changes. What others changed after the turn began stays as they left it. */
export interface Commit {
  /** Names the turn: the same one is written once, however often it is sent. */
  readonly turnId: string
  readonly turn: string
  /** Turns that there were when it began. */
  readonly after: number
  /** Put unless the item is no longer of the version; undefined where there was none. */
  readonly items: readonly (Omit<Put, 'told'> & { readonly version: number | undefined })[]
  /** Removed unless they are no longer of the version. */
  readonly removed: readonly Pick<ItemRecord, 'key' | 'version'>[]
  /** What the turn told: it is not told again, unless there is a newer version. */
  readonly told: readonly Pick<ItemRecord, 'key' | 'version'>[]
  /** Undefined removes it. */
  readonly sources: ReadonlyMap<string, string | undefined>
}

export type Refusal =
  /** No such session of this owner's. */
  | 'missing'
  | 'too_many_items'
  | 'too_many_turns'
  | 'too_large'
  /** Another turn was written since it began. */
  | 'conflict'

/**
 * Where sessions are kept. Every method is one atomic step, whoever else writes; each refreshes the
 * session's expiry. All but `count` throw ServiceError `overloaded` when the store does not answer.
 */
export interface SessionStore {
  create(session: Address): Promise<{ createdAt: number; expiresAt: number }>
  read(session: Address): Promise<SessionRecord | undefined>
  append(session: Address, append: Append): Promise<'done' | Refusal>
  commit(session: Address, commit: Commit): Promise<'done' | Refusal>
  /** Whether it was there. */
  remove(session: Address): Promise<boolean>
  /** Sessions that are kept, or undefined where that is not known. */
  count(): Promise<number | undefined>
  /** What is wrong with it, if anything is known to be. */
  trouble(): string | undefined
  close(): void
}

export interface StoreOptions {
  readonly now: () => number
  /** Milliseconds after its last use that a session is kept. */
  readonly ttl: number
  readonly limits: Limits
}
