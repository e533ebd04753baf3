import type { Reply } from './replicas.ts'

/** What a request needs in order to be answered. */
export type Need =
  /** An answer that the replicas keep. */
  | 'kept'
  /** GitHub. */
  | 'github'
  /** Redis, where sessions are. */
  | 'session'

/** Problem codes that callers may be told, by what their requests need. */
export type Permitted = Readonly<Partial<Record<Need, readonly string[]>>>

/** Stands for a code where a failure is told in words alone. */
export const IN_WORDS = 'in words'

/** What the callers of one stretch saw: how many, by outcome. */
export type Seen = Record<string, number>

export interface Tally {
  readonly requests: number
  /** By the name of the stretch and what was needed. */
  readonly seen: ReadonlyMap<string, Readonly<Record<Need, Seen>>>
  /** By kind of request. */
  readonly kinds: Readonly<Record<string, number>>
  /** Answers that are not what GitHub said, or too old. */
  readonly wrong: readonly string[]
  /** Bytes of somebody else's, and refusals that came too late. */
  readonly foreign: readonly string[]
  /** Failures that nothing excuses. */
  readonly failed: readonly string[]
  /** Failures that the fault excuses. */
  readonly excused: number
  begin(stretch: string, permitted: Permitted): void
  answered(need: Need, outcome: string): void
  /** @param code a problem's */
  refused(need: Need, code: string, status: number, detail: string): void
  broken(need: Need, reply: Reply, what: string): void
  asked(kind: string): void
  blame(sort: 'wrong' | 'foreign' | 'failed', what: string): void
}

/** Of each sort; the rest is counted as the same. */
const MOST_TOLD = 200

export function createTally(): Tally {
  const lists = { wrong: [] as string[], foreign: [] as string[], failed: [] as string[] }
  const seen = new Map<string, Record<Need, Seen>>()
  const kinds: Record<string, number> = {}
  let now: Record<Need, Seen> = { kept: {}, github: {}, session: {} }
  let name = ''
  /** What the present stretch permits, and what the one before did: a request may have begun in it. */
  let permitted: Permitted[] = [{}]
  let requests = 0
  let excused = 0

  const note = (need: Need, outcome: string) => {
    now[need][outcome] = (now[need][outcome] ?? 0) + 1
  }
  const blame: Tally['blame'] = (sort, what) => {
    if (lists[sort].length < MOST_TOLD) lists[sort].push(`${name}: ${what}`)
  }
  return {
    get requests() {
      return requests
    },
    get excused() {
      return excused
    },
    seen,
    kinds,
    ...lists,
    begin(stretch, permits) {
      now = seen.get(stretch) ?? { kept: {}, github: {}, session: {} }
      seen.set(stretch, now)
      name = stretch
      permitted = [permits, ...permitted.slice(0, 1)]
    },
    asked(kind) {
      requests += 1
      kinds[kind] = (kinds[kind] ?? 0) + 1
    },
    answered: note,
    refused(need, code, status, detail) {
      note(need, code === IN_WORDS ? 'a failure in words (MCP)' : `${status} ${code}`)
      const codes = permitted.flatMap((permits) => permits[need] ?? [])
      if (codes.includes(code) || (code === IN_WORDS && codes.length > 0)) excused += 1
      else blame('failed', `${need}: ${status} ${code}: ${detail}`)
    },
    broken(need, reply, what) {
      note(need, reply.killed ? 'cut off by SIGKILL' : `connection: ${reply.broken}`)
      if (reply.killed) excused += 1
      else
        blame(
          'failed',
          `${need}: ${what}: ${reply.broken} after ${reply.endedAt - reply.sentAt} ms`,
        )
    },
    blame,
  }
}
