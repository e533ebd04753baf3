import type { Publicity } from '../publicity.ts'
import { namesOf, type Payload, repositoryOf, saidAt } from './payload.ts'

/** After these a repository is another one, or its name another's: until GitHub speaks of it anew it is private. */
const FORGETTING = new Set<unknown>(['privatized', 'deleted', 'renamed', 'transferred'])

/**
 * What a delivery says of who may read its repository. A delivery may come late, or again: that a
 * repository is public was true when GitHub wrote it, that it is private is held to be true now.
 */
export function hearPublicity(
  publicity: Publicity,
  event: string,
  payload: Payload,
  now: number,
): void {
  const place = repositoryOf(payload.repository)
  if (!place) return
  const words = (payload.repository ?? {}) as { private?: unknown; visibility?: unknown }
  const { private: isPrivate, visibility = 'public' } = words
  const forgets = event === 'repository' && FORGETTING.has(payload.action)
  if (forgets || isPrivate === true) {
    for (const [owner, repo] of namesOf(payload, place))
      publicity.heard({ owner, repo, visibility: 'private' }, now)
  } else if (isPrivate === false && visibility === 'public') {
    const [owner, repo] = place
    publicity.heard({ owner, repo, visibility: 'public' }, Math.min(now, saidAt(payload)))
  }
}
