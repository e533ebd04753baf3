import { createPace } from '../core/tokens.ts'
import type { Source } from './github/source.ts'
import type { Item } from './items/item.ts'
import type { SessionRecord } from './store/store.ts'

/** Tokens of a turn, and what it did without. */
export interface Usage {
  readonly provider: string
  /** The model that answered, by the provider's word. */
  readonly model: string
  readonly input_tokens: number
  readonly output_tokens: number
  /** Of items and earlier turns that were not sent (o200k_base). */
  readonly saved_tokens: number
  readonly items_sent: number
  readonly items_named: number
  readonly turns_sent: number
  /** Whether the reply was cut short. */
  readonly truncated: boolean
}

/** One exchange, as it is kept and shown. */
export interface Turn {
  readonly user_input: string
  readonly model_response: string
  /** ISO 8601. */
  readonly created_at: string
  /** Of both texts (o200k_base). */
  readonly tokens: number
  readonly usage: Usage
}

export interface KeptItem {
  readonly key: string
  readonly item: Item
  /** Undefined for one that is not kept yet. */
  readonly version: number | undefined
  /** What it was at the last turn, where it has changed since; null where it was not there. */
  readonly before: Item | null | undefined
}

export interface SessionState {
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly expiresAt: number
  readonly bytes: number
  readonly items: readonly KeptItem[]
  readonly sources: ReadonlyMap<string, Source>
  readonly turns: readonly Turn[]
}

/** Reads what the store kept, without holding others up where that is much. */
export async function readState(record: SessionRecord): Promise<SessionState> {
  const pace = createPace()
  const items: KeptItem[] = []
  for (const { key, json, version, before } of record.items) {
    const earlier = before == null ? before : read<Item>(before)
    items.push({ key, item: read<Item>(json), version, before: earlier })
    await (pace() ?? null)
  }
  const turns: Turn[] = []
  for (const json of record.turns) {
    turns.push(read<Turn>(json))
    await (pace() ?? null)
  }
  const sources = [...record.sources].map(([name, json]) => [name, read<Source>(json)] as const)
  const { createdAt, expiresAt, bytes } = record
  return { createdAt, expiresAt, bytes, items, sources: new Map(sources), turns }
}

/** The parser's own error would quote the conversation. */
function read<T>(json: string): T {
  try {
    return JSON.parse(json) as T
  } catch {
    throw new Error('The store holds something of a session that cannot be read')
  }
}
