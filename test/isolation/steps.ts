import fc from 'fast-check'
import {
  MODES,
  type Mode,
  PARTS,
  type Part,
  REPOSITORIES,
  type Repository,
  type Tags,
  WHO,
  type Who,
} from './github.ts'

/** What may happen next. Numbers choose among what is there. */
export type Step =
  | { readonly do: 'ask'; readonly who: Who; readonly ask: Ask; readonly twin?: Who }
  /** What was asked for last, of another replica or with another bound on age. */
  | {
      readonly do: 'askAgain'
      readonly replica: number
      readonly maxAge: number | undefined
      /** Seconds. */
      readonly later: number
    }
  | { readonly do: 'deliver'; readonly index: number; readonly mode: Mode }
  | { readonly do: 'decide'; readonly index: number; readonly mode: Mode }
  | { readonly do: 'deliverAll' }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'abort'; readonly index: number }
  | { readonly do: 'change'; readonly repository: Repository; readonly part: Part }
  | { readonly do: 'access'; readonly who: Who; readonly repository: Repository }
  | { readonly do: 'visibility' }
  /** For some steps GitHub answers everything with an error. */
  | { readonly do: 'outage'; readonly steps: number }
  | { readonly do: 'rotate' | 'token'; readonly who: Who }
  | { readonly do: 'event'; readonly replica: number; readonly event: MarkingEvent }
  | { readonly do: 'redis' | 'flush' }
  | { readonly do: 'bus'; readonly replica: number }
  /** The subscription hangs without a word, or goes on with all that was told meanwhile. */
  | { readonly do: 'hang'; readonly replica: number }
  | { readonly do: 'deliverHook'; readonly replica: number; readonly delivery: Delivery }

export interface Ask {
  readonly replica: number
  readonly type: 'github_repo' | 'github_issue'
  readonly repository: Repository
  readonly maxTokens: number | undefined
  readonly maxAge: number | undefined
}

export interface MarkingEvent {
  readonly mark: 'changed' | 'revoked'
  readonly tag: string
}

/** What a repository's webhook sends: its list of events, that an issue changed, that it is gone. */
export interface Delivery {
  readonly event: 'ping' | 'issues' | 'meta'
  readonly repository: Repository
}

/** How one history begins. */
export interface Setting {
  /** Whether webhooks come, for replicas to rely on. */
  readonly webhooks: boolean
  /** How GitHub makes its tags; `drifting`: by counting versions, which is not known yet. */
  readonly tags: Tags | 'drifting'
  readonly sharedResources: boolean
}

const index = fc.nat(7)
const replica = fc.nat(1)
const who = fc.constantFrom<Who>(...WHO, 'ann', 'ann', 'bob')
const repository = fc.constantFrom<Repository>(...REPOSITORIES, 'personal')
/** Mostly what GitHub really says. */
const mode = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Mode>('truth') },
  { weight: 2, arbitrary: fc.constantFrom(...MODES) },
)

const maxAge = fc.constantFrom(undefined, undefined, undefined, undefined, undefined, 0, 30, 600)

const ask = fc.record<Ask>({
  replica,
  type: fc.constantFrom('github_repo', 'github_issue'),
  repository,
  maxTokens: fc.constantFrom(...Array<undefined>(5), 500),
  maxAge,
})

const event = fc.record<MarkingEvent>({
  mark: fc.constantFrom('changed', 'revoked'),
  tag: fc
    .tuple(repository, fc.constantFrom('repo:', 'issue:', 'access:', 'owner'))
    .map(([name, kind]) =>
      kind === 'owner' ? 'access:acme' : `${kind}acme/${name}${kind === 'issue:' ? '#1' : ''}`,
    ),
})

const delivery = fc.record<Delivery>({
  event: fc.constantFrom('ping', 'ping', 'ping', 'ping', 'issues', 'issues', 'issues', 'meta'),
  repository,
})

/** Around the ends of what is fresh, stale and kept. */
const seconds = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(1, 5, 9) },
  { weight: 4, arbitrary: fc.constantFrom(20, 70, 150) },
  { weight: 4, arbitrary: fc.constantFrom(320, 400, 600) },
  { weight: 1, arbitrary: fc.constantFrom(910, 1_500, 7_200, 90_000) },
)

/** Now, or when only webhooks may keep it fresh. */
const later = fc.constantFrom(0, 0, 0, 0, 0, 0, 100, 200)

const simple = <T extends Step['do']>(name: T) => fc.constant({ do: name } as const)
const steps: readonly (readonly [number, fc.Arbitrary<Step>])[] = [
  [10, fc.record({ do: fc.constant('ask'), who, ask })],
  [26, fc.record({ do: fc.constant('askAgain'), replica, maxAge, later })],
  [6, fc.record({ do: fc.constant('ask'), who, ask, twin: who })],
  [14, fc.record({ do: fc.constant('deliver'), index, mode })],
  [6, fc.record({ do: fc.constant('decide'), index, mode })],
  [30, simple('deliverAll')],
  [12, fc.record({ do: fc.constant('wait'), seconds })],
  [2, fc.record({ do: fc.constant('abort'), index })],
  [5, fc.record({ do: fc.constant('change'), repository, part: fc.constantFrom(...PARTS) })],
  [3, fc.record({ do: fc.constant('access'), who, repository })],
  [1, simple('visibility')],
  [3, fc.record({ do: fc.constant('rotate'), who })],
  [2, fc.record({ do: fc.constant('outage'), steps: fc.nat(15) })],
  [1, fc.record({ do: fc.constant('token'), who })],
  [3, fc.record({ do: fc.constant('event'), replica, event })],
  [2, simple('redis')],
  [1, simple('flush')],
  [2, fc.record({ do: fc.constant('bus'), replica })],
  [1, fc.record({ do: fc.constant('hang'), replica })],
  [8, fc.record({ do: fc.constant('deliverHook'), replica, delivery })],
]

const step: fc.Arbitrary<Step> = fc.oneof(
  ...steps.map(([weight, arbitrary]) => ({ weight, arbitrary })),
)

const LONGEST = 400

/** Histories of up to 400 steps. */
export const history = fc.array(step, { minLength: 1, maxLength: LONGEST, size: 'max' })

export const setting: fc.Arbitrary<Setting> = fc.record({
  webhooks: fc.constantFrom(true, true, false),
  tags: fc.constantFrom('recipe', 'recipe', 'version', 'drifting', 'none'),
  sharedResources: fc.constantFrom(false, false, false, true),
})
