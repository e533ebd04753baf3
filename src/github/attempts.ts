import { setTimeout as sleep } from 'node:timers/promises'
import type { ServiceError } from '../core/errors.ts'
import { isPassing } from './failures.ts'

/** A GET is sent three times at most. */
const RETRIES = 2
/** Milliseconds; doubles with each retry. */
const FIRST_DELAY = 100

export interface AttemptOptions {
  /** Epoch milliseconds by which the answer must be there. */
  readonly deadline: number
  readonly signal: AbortSignal
  readonly now: () => number
  readonly random: () => number
  /** As `setTimeout` of `node:timers/promises`, which it is unless given. */
  readonly pause?: typeof sleep
}

/**
 * Runs `attempt` until it succeeds, fails for good, or time runs out. Delays have full jitter
 * (aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter); a `Retry-After` is obeyed
 * when it fits before the deadline, else the failure is reported at once.
 * @throws ServiceError of the last attempt
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  { deadline, signal, now, random, pause = sleep }: AttemptOptions,
): Promise<T> {
  for (let retry = 0; ; retry += 1) {
    try {
      return await attempt()
    } catch (cause) {
      const failure = cause as ServiceError
      const jitter = random() * FIRST_DELAY * 2 ** retry
      const delay = failure.retryAfter === undefined ? jitter : failure.retryAfter * 1000 + jitter
      if (retry === RETRIES || !isPassing(failure) || now() + delay >= deadline) throw failure
      await pause(delay, undefined, { signal })
    }
  }
}
