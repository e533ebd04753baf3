import type { Meter } from '../core/meter.ts'
import type { Answer, FetchContext } from '../core/provider.ts'
import type { Credential } from '../github/credentials.ts'
import type { Block } from './answer/answer.ts'
import { ownCredential } from './common/ownData.ts'
import type { Policy } from './request/policy.ts'

/** One of those who share this service. */
export interface Who {
  /** By which it is counted. */
  readonly name: string
  /** What holds for this one alone. */
  readonly policy?: Policy | undefined
}

/** Who asks, and until when it is wanted. */
export interface Caller {
  /** `X-GitHub-Token`, as it was sent: then the only credential used for this caller. */
  readonly callerToken: string | undefined
  /** Absent where there is but one who asks. */
  readonly who?: Who | undefined
  readonly signal: () => AbortSignal
  /** Counts the calls to GitHub that are made for this caller, also where they fail. */
  readonly meter: Meter
  /** Told of each block that is ready before the whole answer is, where this caller's fetch makes it. */
  readonly onBlock?: (block: Block) => void
  /** Answers read for this caller a moment ago, by subject: fitted anew, not read anew. */
  readonly memo?: Map<string, Fetched>
}

/** An answer, and what it was read with. */
export interface Fetched {
  readonly answer: Answer
  readonly context: FetchContext
}

/** The principal, and what of its answers is left out: whoever shares both shares what is kept. */
export function scopeOf({ principal }: Credential, { who }: Caller): string {
  const scope = who?.policy?.scope
  return scope === undefined || principal === ownCredential.principal
    ? principal
    : `${principal}~${scope}`
}
