import type { ServiceError } from '../../core/errors.ts'
import type { Refreshed } from '../github/refresh.ts'
import type { Source } from '../github/source.ts'
import { type Item, labelOf, textOf } from '../items/item.ts'
import type { KeptItem } from '../state.ts'
import { difference } from './diff.ts'

/** What is different since the last turn, as the caller and the model are told. */
export interface Update {
  readonly type: string
  readonly id: string
  readonly title: string
  readonly change: 'added' | 'changed' | 'removed' | 'unavailable'
  /** Only the difference: removed lines behind `- `, new ones behind `+ `; of a new item all of it. */
  readonly content: string
  readonly metadata: Item['metadata']
  readonly url?: string
}

/** Everything that GitHub changed, in the session's order. */
export function updatesOf(
  refreshed: Refreshed,
  sources: ReadonlyMap<string, Source>,
): readonly Update[] {
  const updates: Update[] = []
  for (const { item, why } of refreshed.gone) updates.push(update(item, 'removed', why.detail))
  for (const kept of refreshed.items.values()) {
    const change = changeOf(kept)
    if (change) updates.push(change)
    const why = refreshed.unavailable.get(kept.key)
    if (why) updates.push(update(kept.item, 'unavailable', excuse(kept.item, why, sources)))
  }
  return updates
}

function changeOf({ item, before }: KeptItem): Update | undefined {
  if (before === undefined) return undefined
  if (before === null) return update(item, 'added', textOf(item))
  const changes = difference(textOf(before), textOf(item))
  return changes === '' ? undefined : update(item, 'changed', changes)
}

function update(item: Item, change: Update['change'], content: string): Update {
  const { type, metadata, url } = item
  const id = String(metadata?.id ?? labelOf(item))
  const page = url ? { url } : {}
  return { type, id, title: labelOf(item), change, content, metadata, ...page }
}

function excuse(item: Item, why: ServiceError, sources: ReadonlyMap<string, Source>): string {
  const asOf = sources.get(item.source ?? '')?.asOf
  const age = asOf === undefined ? '' : ` What is kept is as of ${new Date(asOf).toISOString()}.`
  const use = isWithheld(why) ? ' It was not used in this turn.' : ''
  return `Could not be looked at (${why.code}).${age}${use}`
}

/** A refused credential may no longer see it: until GitHub takes it again, the copy is not used. */
export function isWithheld(why: ServiceError | undefined): boolean {
  return why?.code === 'upstream_auth'
}
