import type { Hearing } from '../../cache/hearing.ts'
import type { Dependent, Invalidations } from '../../cache/invalidations.ts'
import type { SharedTimes } from '../../cache/times.ts'
import { accessTagOf, ownerAccessTag, repositoryAccessTag } from '../common/tags.ts'
import type { Coverable } from '../load.ts'
import { KNOWN_EVENTS } from './marks.ts'
import { neededEvents } from './needed.ts'
import {
  accountsOf,
  eventsOf,
  hookScopeOf,
  namesOf,
  type Payload,
  repositoryOf,
} from './payload.ts'

/** Where a delivery came from, as its headers say. */
export interface Hook {
  /** `X-GitHub-Hook-ID` */
  readonly id: string
  /** `X-GitHub-Hook-Installation-Target-Type`: `repository`, `organization`, `integration`, … */
  readonly target: string
}

/** What webhooks can be relied on for. */
export interface Coverage {
  /** A delivery was verified, and what it invalidates was told. */
  delivered(event: string, payload: Payload, hook: Hook): Promise<void>
  /** Whether all changes of an answer are told by webhooks, as far as is known. */
  covers(answer: Coverable): Promise<boolean>
  /** An answer has changed of which no event told: unless one comes late, its repository is not covered. */
  doubt(answer: Dependent): void
}

export interface CoverageOptions {
  /** When which event came, by what it was told of. */
  readonly came: SharedTimes
  /** Events that hooks send, by the hook's id. */
  readonly lists: SharedTimes
  readonly invalidations: Pick<Invalidations, 'missedUntil' | 'verdict'>
  readonly hearing: Hearing
  readonly now: () => number
  /** Aborted when the process closes. */
  readonly closing: AbortSignal
}

/** Milliseconds for which a delivery shows that a hook works. */
const LATELY = 86_400_000
/** Milliseconds for which a hook's list of events is kept after its last delivery. */
const LISTED = 30 * 86_400_000
/** Milliseconds that a delivery may be late. */
const GRACE = 30_000
/** Milliseconds for which a repository is not trusted after a change that was not told. */
const DISTRUST = 3_600_000
/** Changes at once of which it is not known yet whether they are told. */
const MOST_DOUBTS = 1_000
/** Stands among the events of a scope for when they were last found not to come. */
const FORGOTTEN = '!'
/** Events after which a hook, or what it is told of, is another one. */
const ENDING = new Set(['meta', 'installation', 'installation_repositories'])
const MOVED = new Set<unknown>(['renamed', 'transferred', 'deleted'])

/**
 * Which events come, for a repository or for all of an account. Evidence is a delivery; of a hook
 * whose list of events is known (a ping has it, and what tells of an App's installation) any delivery
 * is evidence for all of them. Kept in Redis alone: a process that cannot read it relies on nothing.
 */
export function createCoverage(options: CoverageOptions): Coverage {
  const { came, closing, hearing, invalidations, lists, now } = options
  let doubts = 0

  const record = (scope: string, events: readonly string[], at: number) =>
    came.raise(
      scope,
      events.map((event) => [event, at]),
      LATELY + Math.max(0, at - now()),
    )

  const forget = (scopes: readonly string[], at: number) =>
    Promise.all(scopes.map((scope) => record(scope, [FORGOTTEN], at)))

  /** Events that the hook sends; remembers them where the payload names them. */
  async function listOf(id: string, payload: Payload): Promise<readonly string[]> {
    const named = eventsOf(payload)
    // What it does not send any more must not stay.
    if (named) await lists.forget(id)
    const events = named ?? [...((await lists.read(id)) ?? new Map()).keys()]
    await lists.raise(
      id,
      events.map((event) => [event, now()]),
      LISTED,
    )
    return known(events)
  }

  return {
    async delivered(event, payload, { id, target }) {
      const at = now()
      if (ENDING.has(event)) await forget(endedScopes(payload), at)
      const list = id === '' ? [] : await listOf(id, payload)
      if (event === 'meta') {
        await lists.forget(id)
        return
      }
      const place = repositoryOf(payload.repository)
      if (event === 'repository' && place && MOVED.has(payload.action))
        return void (await forget(
          namesOf(payload, place).map((name) => repositoryAccessTag(...name)),
          at,
        ))
      const scope = hookScopeOf(payload, target)
      if (scope && !ENDING.has(event))
        await record(tagOf(scope), known([event, ...list]), Math.max(at, now()))
    },
    async covers(answer) {
      const needed = neededEvents(answer)
      const repository = accessTagOf(answer.tags)
      if (!needed || repository === undefined || !hearing.since(invalidations.missedUntil))
        return false
      const owner = repository.slice(0, repository.indexOf('/'))
      const found = await Promise.all([came.read(repository), came.read(owner)])
      const [own, all] = found
      if (!own || !all) return false
      const at = (event: string) => Math.max(own.get(event) ?? -1, all.get(event) ?? -1)
      const valid = Math.max(at(FORGOTTEN), now() - LATELY)
      const last = Math.max(...[...KNOWN_EVENTS].map(at))
      // After a gap the next delivery shows that they reach this service again.
      if (last < invalidations.missedUntil) return false
      return [...needed].every((event) => at(event) > valid)
    },
    doubt(answer) {
      const tag = accessTagOf(answer.tags)
      if (tag === undefined || doubts >= MOST_DOUBTS) return
      doubts += 1
      setTimeout(() => {
        doubts -= 1
        if (closing.aborted || invalidations.verdict(answer) !== undefined) return
        void forget([tag], now() + DISTRUST)
      }, GRACE).unref()
    },
  }
}

/** Those that are acted upon; `*` are all. */
function known(events: readonly string[]): string[] {
  return events.includes('*')
    ? [...KNOWN_EVENTS]
    : [...new Set(events)].filter((event) => KNOWN_EVENTS.has(event))
}

const tagOf = ([owner, repo]: readonly [string, string?]) =>
  repo === undefined ? ownerAccessTag(owner) : repositoryAccessTag(owner, repo)

/** A hook that is gone told of one repository or one account; an App, of all that an account has. */
function endedScopes(payload: Payload): string[] {
  const place = repositoryOf(payload.repository)
  return place ? [repositoryAccessTag(...place)] : accountsOf(payload).map(ownerAccessTag)
}
