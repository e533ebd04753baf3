import type { Urgency } from '../core/github.ts'
import type { Party } from '../core/party.ts'
import { withRetries } from './attempts.ts'
import { authorized } from './authorized.ts'
import type { Watch } from './call.ts'
import type { Credential } from './credentials.ts'
import { tooSlow } from './failures.ts'

/** In whose name GitHub is asked, until when, and whether somebody waits. */
export interface Reading extends Watch {
  readonly credential: Credential
  readonly signal: AbortSignal
  readonly urgency: Urgency
  /** Whose turn it is; without it the service's own. */
  readonly caller?: Party | undefined
}

export interface Patience {
  /** Milliseconds for one resource, retries included. */
  readonly timeoutMs: number
  readonly now: () => number
  readonly random: () => number
}

/** What was used of GitHub for one answer. */
export interface Usage {
  calls: number
  changed: number
}

/** One attempt: the reading with the signal that also ends with its time, and what to send as `Authorization`. */
export type Attempt<T> = (reading: Reading, authorization: string | undefined) => Promise<T>

/**
 * Reads with the credential's authorization, again after what may pass, until its time is over.
 * @throws ServiceError of the last attempt, `upstream_timeout`; the reading's abort reason
 */
export async function patiently<T>(
  { now, random, timeoutMs }: Patience,
  reading: Reading,
  attempt: Attempt<T>,
): Promise<T> {
  const deadline = now() + timeoutMs
  reading.signal.throwIfAborted()
  // Neither `AbortSignal.timeout`, which makes an error of each call that ended in time, nor
  // `AbortSignal.any`, whose weak references V8 follows as long as it does not look through the whole heap.
  const over = new AbortController()
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    over.abort()
  }, timeoutMs).unref()
  const onAbort = () => over.abort(reading.signal.reason)
  reading.signal.addEventListener('abort', onAbort, { once: true })
  const { signal } = over
  try {
    return await authorized(reading.credential, signal, (authorization) =>
      withRetries(() => attempt({ ...reading, signal }, authorization), {
        deadline,
        signal,
        now,
        random,
      }),
    )
  } catch (cause) {
    reading.signal.throwIfAborted()
    throw isLate ? tooSlow(cause) : cause
  } finally {
    clearTimeout(timer)
    reading.signal.removeEventListener('abort', onAbort)
  }
}
