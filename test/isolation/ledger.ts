import { isFailure, isRefusal } from '../../src/cache/refusals.ts'
import type { Cached, CacheRequest, Outcome } from '../../src/cache/request.ts'
import { type ProblemCode, ServiceError } from '../../src/core/errors.ts'
import type { FakeConnection } from '../support/fakeRedis.ts'
import type { StandIn, Who, Word } from './github.ts'
import type { Delivery } from './steps.ts'

/*
 * What was said, refused and marked, and by that the judgement of every answer:
 * - GitHub sent or confirmed every part of it to the very principal that gets it;
 * - it is as young as it says, no older than its policy, and than its caller's `max_age`;
 * - nothing that GitHub said before it refused is served after the refusal;
 * - nothing whose fetch began before an event is served after it as if the event had not been;
 * - who does not hear of events serves nothing of others, and trusts nothing from before he did;
 * - an answer is fresh for longer only where webhooks tell of its repository, and who serves it
 *   hears them.
 */

export interface Asked {
  readonly replica: number
  readonly who: Who
  readonly key: string
  readonly maxAge: number | undefined
  readonly at: number
  readonly order: number
  /** Since when events have not reached the replica, if they do not. */
  readonly deafSince: number | undefined
}

export interface Ledger {
  /** How many answers came about in which way. */
  readonly outcomes: ReadonlyMap<Outcome | 'told', number>
  asked(replica: number, who: Who, key: string, maxAge: number | undefined): Asked
  /** @throws Error where the answer must not have been given */
  answered(asked: Asked, cached: Cached): void
  /** @throws Error where GitHub did not refuse, or it is not a problem that a caller may see */
  failed(asked: Asked, error: unknown): void
  refused(replica: number, request: CacheRequest, code: ProblemCode, word: Word | undefined): void
  /** GitHub told a replica, which had begun to ask at `at`, who may read a repository. */
  spoke(replica: number, tags: readonly string[], isPublic: boolean, at: number): void
  /** A webhook's delivery comes to a replica. */
  delivered(replica: number, event: Delivery['event'], repository: string): void
  /**
   * What a replica has fetched will be fresh for longer.
   * @throws Error where webhooks do not tell of it, or the replica would not hear them
   */
  relied(replica: number, request: CacheRequest, tags: readonly string[]): void
  /** A replica's subscription hangs from now on, or no more. @returns which of them */
  hangs(replica: number): boolean
  /** A replica begins to fetch. */
  loads(replica: number, request: CacheRequest): void
  mark(replica: number, mark: 'changed' | 'revoked', tags: readonly string[]): void
  /** A step is over: replicas that listen have caught up. */
  settled(): void
  /** Redis has lost all. */
  flushed(): void
}

type HeardAt = Pick<Asked, 'at' | 'deafSince'>

interface Refusal {
  /** When GitHub decided on it. */
  readonly word: Word
  /** When it had arrived. */
  readonly arrived: Word
}

interface Marked extends Word {
  readonly mark: 'changed' | 'revoked'
  /** Since when each replica knows of it, in the order of all things. */
  readonly known: (number | undefined)[]
}

/** Seconds. The longest times with jitter: fresh, stale, and kept by visibility; a refusal's. */
const FRESH = { github_repo: 300 * 1.1, github_issue: 60 * 1.1 }
const LONGEST = { github_repo: 3_900 * 1.1, github_issue: 360 * 1.1 }
/** The same for issues of which every change is told. */
const TOLD = { fresh: 300 * 1.1, served: 600 * 1.1 }
/** Milliseconds for which a subscription may hang before that must be known, and a delivery counts. */
const HUNG = 15_000
const LATELY = 86_400_000
const KEPT = { public: 86_400, private: 900 }
/** Milliseconds by which a word on a repository may be older than what it is used for. */
const WORD_BEFORE = 900_000
const REFUSAL = 10 * 1.1
/** Seconds that a fetch of our own may have taken: three rounds of calls, and steps between. */
const SLOWEST_FETCH = 45
/** Events of one tag by which answers are judged: the latest say most. */
const MOST_EVENTS = 16
const MARKER = /\|(\w+\/\w+)\|(\d+)\|(\w+)\|/g

/** Epoch milliseconds. */
interface Hearing {
  deafSince: number | undefined
  hungSince: number | undefined
  backAt: number
}

export interface LedgerOptions {
  readonly now: () => number
  readonly next: () => number
  readonly github: StandIn
  readonly connections: readonly FakeConnection[]
}

export function createLedger({ now, next, github, connections }: LedgerOptions): Ledger {
  /** The last ones, by replica and what was refused: a key, or all of a principal. */
  const refusals = new Map<string, Refusal>()
  const marks = new Map<string, Marked[]>()
  const outcomes = new Map<Outcome | 'told', number>()
  /** Events in Redis' log that not every replica knows of. */
  let unheard: Marked[] = []
  /** Fetches by replica, key and time. */
  const loads = new Set<string>()
  /** When GitHub last called a repository public, and private by replica that was told. */
  const publicAt = new Map<string, number>()
  const privateAt = new Map<string, Word>()
  const hearing = connections.map(
    () => ({ deafSince: undefined, hungSince: undefined, backAt: 0 }) as Hearing,
  )
  /** When a webhook was last seen to come, by what it tells of; Redis alone remembers it. */
  const cameAt = new Map<string, number>()

  const isHung = (replica: number) => hearing[replica]?.hungSince !== undefined
  const here = (): Word => ({ order: next(), at: now() })

  function fault(what: string, asked: Asked, detail: unknown): Error {
    const { order: _order, ...who } = asked
    return new Error(`${what}: ${JSON.stringify({ ...who, detail })}`)
  }

  function judge(asked: Asked, { entry, outcome, failure }: Cached): void {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    const body = entry.body.toString()
    const markers = [...body.matchAll(MARKER)].map(([marker]) => marker)
    if (markers.length === 0) throw fault('an answer without content', asked, body)
    const words = markers.map((marker) => {
      const word = github.said(asked.who, marker)
      if (!word) throw fault('served what GitHub never said to it', asked, { marker, outcome })
      return word
    })
    const oldest = Math.min(...words.map(({ at }) => at))
    if (oldest < entry.asOf) throw fault('older than it says', asked, { outcome, markers })
    judgeAge(asked, body, entry, outcome)
    if (asked.maxAge === 0 && words.some(({ order }) => order < asked.order))
      throw fault('max_age 0 without asking GitHub', asked, { outcome })
    if (outcome === 'stale_if_error' && !isFailure(failure))
      throw fault('a kept answer without a failure', asked, failure)
    judgeHearing(asked, entry, outcome)
    judgeRefusals(asked, words, outcome)
    judgeMarks(asked, entry, outcome)
  }

  /** Whether GitHub's word lets an answer stand in for a day: its own, or one on its repository. */
  function isOpen(asked: Asked, said: boolean, { asOf, tags }: Cached['entry']): boolean {
    const repository = repositoryOf(tags)
    const last = publicAt.get(repository) ?? -1
    const hidden = privateAt.get(`${asked.replica} ${repository}`)
    const isHidden = hidden && hidden.order < asked.order && hidden.at >= Math.max(last, asOf)
    return !isHidden && (said || last >= asOf - WORD_BEFORE)
  }

  function judgeAge(asked: Asked, body: string, entry: Cached['entry'], outcome: Outcome): void {
    const { asOf } = entry
    const age = (asked.at - asOf) / 1000
    if (asked.maxAge !== undefined && (age > asked.maxAge || outcome === 'stale_if_error'))
      throw fault('older than max_age', asked, { age, outcome })
    const { context } = JSON.parse(body) as { context: { type: string; visibility?: string }[] }
    const isPublic = asked.who === 'anyone' || context[0]?.visibility === 'public'
    const kept = isPublic ? KEPT.public : KEPT.private
    const instead = isOpen(asked, isPublic, entry) ? KEPT.public : KEPT.private
    const type = context[0]?.type === 'github_repository' ? 'github_repo' : 'github_issue'
    const limits = { fresh: FRESH[type], served: LONGEST[type] }
    const isFresh = outcome === 'hit' || outcome === 'hit_shared' || outcome === 'collapsed'
    const isLong = age > limits[isFresh ? 'fresh' : 'served']
    if (entry.told !== undefined && isLong && outcome !== 'stale_if_error') {
      Object.assign(limits, TOLD)
      outcomes.set('told', (outcomes.get('told') ?? 0) + 1)
      if (!hears(asked.replica, asOf, asked))
        throw fault('relied on webhooks that it does not hear', asked, { age, outcome })
    }
    const fresh = Math.min(limits.fresh, kept)
    const longest = {
      hit: fresh,
      hit_shared: fresh,
      collapsed: fresh,
      stale: Math.min(limits.served, kept),
      miss: SLOWEST_FETCH,
      revalidated: SLOWEST_FETCH,
      requested: SLOWEST_FETCH,
      stale_if_error: instead,
    }[outcome]
    if (age > longest) throw fault('older than its policy allows', asked, { age, outcome })
  }

  /** Whether a replica would have known at `at` of whatever was told since then. */
  function hears(replica: number, since: number, { at, deafSince }: HeardAt): boolean {
    const { backAt, hungSince } = hearing[replica] as Hearing
    const hangs = hungSince !== undefined && at - hungSince >= HUNG
    return deafSince === undefined && since >= backAt && !hangs
  }

  function judgeHearing(
    { replica, key, deafSince, ...asked }: Asked,
    { asOf }: Cached['entry'],
    outcome: Outcome,
  ): void {
    const { backAt, ...now } = hearing[replica] as Hearing
    if (outcome === 'hit' && asOf < backAt && asked.at > backAt)
      throw fault('fresh although events were missed', { replica, key, deafSince, ...asked }, {})
    if (deafSince === undefined || now.deafSince !== deafSince || asOf < deafSince) return
    if (!loads.has(`${replica} ${key} ${asOf}`))
      throw fault('trusted what it cannot judge', { replica, key, deafSince, ...asked }, outcome)
  }

  function judgeRefusals(asked: Asked, words: readonly Word[], outcome: Outcome): void {
    const { replica, who, key } = asked
    for (const name of [`${replica} ${key}`, `${replica} ${who}`]) {
      const refusal = refusals.get(name)
      if (!refusal || refusal.arrived.order > asked.order) continue
      if (words.some(({ order }) => order < refusal.word.order))
        throw fault('served what was said before a refusal', asked, { outcome })
    }
  }

  function judgeMarks(asked: Asked, entry: Cached['entry'], outcome: Outcome): void {
    for (const tag of entry.tags) {
      for (const { mark, at, known } of marks.get(tag) ?? []) {
        const since = known[asked.replica]
        if (since === undefined || since > asked.order || entry.asOf > at) continue
        if (mark === 'revoked' || outcome !== 'stale_if_error')
          throw fault(`served what had been ${mark} before`, asked, { tag, outcome })
      }
    }
  }

  return {
    outcomes,
    asked(replica, who, key, maxAge) {
      const { deafSince } = hearing[replica] as Hearing
      return { replica, who, key, maxAge, deafSince, ...here() }
    },
    answered: judge,
    failed(asked, error) {
      if (!(error instanceof ServiceError) || error.code === 'internal_error') throw error
      if (!isRefusal(error)) return
      const { who, key, at, order, maxAge } = asked
      const refusal = refusals.get(`any ${key}`)
      if (!refusal) throw fault('refused what GitHub did not refuse', asked, error.code)
      if ((at - refusal.arrived.at) / 1000 > REFUSAL)
        throw fault('refused what GitHub refused long ago', asked, error.code)
      if (maxAge === 0 && refusal.arrived.order < order)
        throw fault('a refusal out of memory for max_age 0', asked, { who, code: error.code })
    },
    refused(replica, { key, principalTag }, code, word) {
      if (!word) throw new Error(`GitHub did not refuse ${key}`)
      const refusal: Refusal = { word, arrived: here() }
      refusals.set(`any ${key}`, refusal)
      refusals.set(`${replica} ${key}`, refusal)
      const who = principalTag.slice('principal:'.length)
      if (code === 'upstream_auth') refusals.set(`${replica} ${who}`, refusal)
    },
    spoke(replica, tags, isPublic, at) {
      const repository = repositoryOf(tags)
      const name = `${replica} ${repository}`
      if (isPublic) publicAt.set(repository, Math.max(at, publicAt.get(repository) ?? -1))
      else if ((privateAt.get(name)?.at ?? -1) < at) privateAt.set(name, { at, order: next() })
    },
    delivered(replica, event, repository) {
      if (!connections[replica]?.reachable) return
      if (event === 'meta') cameAt.delete(repository)
      // Without its list, which a ping has, one event says nothing of others.
      else if (event === 'ping' || cameAt.has(repository)) cameAt.set(repository, now())
    },
    relied(replica, { key }, tags) {
      const { backAt, deafSince } = hearing[replica] as Hearing
      const came = cameAt.get(repositoryOf(tags)) ?? Number.NEGATIVE_INFINITY
      const asked = { replica, key, came, at: now() }
      if (came < now() - LATELY)
        throw new Error(`relied on webhooks of which none came: ${json(asked)}`)
      if (came < backAt || !hears(replica, backAt, { at: now(), deafSince }))
        throw new Error(`relied on webhooks that it does not hear: ${json(asked)}`)
    },
    hangs(replica) {
      const ear = hearing[replica] as Hearing
      ear.hungSince = ear.hungSince === undefined ? now() : undefined
      return ear.hungSince !== undefined
    },
    loads: (replica, { key }) => void loads.add(`${replica} ${key} ${now()}`),
    mark(replica, mark, tags) {
      const word = here()
      const recorded = connections[replica]?.reachable ?? false
      const known = connections.map(({ bus }, index) =>
        index === replica || (recorded && bus.connected && !isHung(index)) ? word.order : undefined,
      )
      for (const tag of tags) {
        const event: Marked = { ...word, mark, known: [...known] }
        marks.set(tag, [...(marks.get(tag) ?? []), event].slice(-MOST_EVENTS))
        if (recorded && event.known.includes(undefined)) unheard.push(event)
      }
    },
    settled() {
      const listening = connections.map(({ bus, reachable }) => bus.connected && reachable)
      for (const [index, { bus }] of connections.entries())
        if (!bus.connected) (hearing[index] as Hearing).hungSince = undefined
      for (const [index, listens] of listening.entries()) {
        const ear = hearing[index] as Hearing
        if (listens && ear.deafSince !== undefined) ear.backAt = now()
        ear.deafSince = listens ? undefined : (ear.deafSince ?? now())
      }
      for (const { known } of unheard) {
        for (const [index, listens] of listening.entries())
          if (listens && !isHung(index)) known[index] ??= next()
      }
      unheard = unheard.filter(({ known }) => known.includes(undefined))
    },
    flushed() {
      unheard = []
      cameAt.clear()
    },
  }
}

const json = (what: unknown) => JSON.stringify(what)

const repositoryOf = (tags: readonly string[]) =>
  tags.find((tag) => /^access:[^/]+\/./.test(tag)) ?? ''
