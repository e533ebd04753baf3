import type { ServiceError } from '../core/errors.ts'

/** Epoch milliseconds throughout. */
export interface Times {
  /** When the fetch began: the answer is as of then. */
  readonly asOf: number
  readonly freshUntil: number
  /** Until then served at once while a refresh runs. */
  readonly staleUntil: number
  /** Until then served when GitHub fails. */
  readonly keepUntil: number
  /** Until then served when GitHub fails, where it said that the repository is public. */
  readonly openUntil?: number
  /** Milliseconds by which it is fresh and stale for longer while every change is told. */
  readonly told?: number
}

interface Tagged {
  /** What it depends on: events that name one of these make it stale or revoke it. */
  readonly tags: readonly string[]
}

/** A finished answer, as the bytes that are sent. */
export interface AnswerEntry extends Times, Tagged {
  readonly kind: 'answer'
  readonly contextId: string
  readonly body: Buffer
}

/** GitHub's refusal, remembered for a moment so that it is not asked again at once. */
export interface RefusalEntry extends Times, Tagged {
  readonly kind: 'refusal'
  readonly error: ServiceError
}

export type Entry = AnswerEntry | RefusalEntry
