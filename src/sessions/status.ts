import type { Item } from './items/item.ts'
import type { SessionState, Turn } from './state.ts'

/** An item as callers see it. */
export type ItemView = Omit<Item, 'source'> & {
  /** When GitHub was asked for it, ISO 8601. */
  readonly as_of?: string
}

/** A session as callers see it. Times are ISO 8601. */
export interface StatusView {
  readonly session_id: string
  readonly context: { readonly items: readonly ItemView[]; readonly tokens: number }
  readonly history: readonly Omit<Turn, 'tokens'>[]
  readonly created_at: string
  readonly expires_at: string
}

export function viewOf(id: string, state: SessionState): StatusView {
  return {
    session_id: id,
    context: {
      items: state.items.map(({ item }) => itemView(state, item)),
      tokens: state.items.reduce((sum, { item }) => sum + item.tokens, 0),
    },
    history: state.turns.map(({ tokens: _, ...turn }) => turn),
    created_at: new Date(state.createdAt).toISOString(),
    expires_at: new Date(state.expiresAt).toISOString(),
  }
}

function itemView({ sources }: SessionState, { source, ...item }: Item): ItemView {
  const asOf = sources.get(source ?? '')?.asOf
  const seen = asOf === undefined ? {} : { as_of: new Date(asOf).toISOString() }
  return { ...item, metadata: item.metadata ?? {}, ...seen }
}
