import { ServiceError } from '../core/errors.ts'
import { brokenOff, type Failure, failureOf, type Provider, tooSlow } from './failures.ts'
import type { ModelEvent } from './model.ts'

/** A reply is asked for three times at most. */
const RETRIES = 2
/** Milliseconds; doubles with each retry. */
const FIRST_DELAY = 500
/** Milliseconds: rather than wait longer, the caller is told when to come back. */
const LONGEST_DELAY = 20_000

export interface Patience {
  /** Milliseconds until the first token, retries included. */
  readonly firstMs: number
  /** Milliseconds for the whole reply. */
  readonly wholeMs: number
}

export interface Persistence {
  readonly patience: Patience
  readonly now: () => number
  readonly random: () => number
  /** Rejects when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown>
  readonly onRetry: () => void
}

/** One attempt: the events of one call, without `end` where the stream ended too soon. */
export type Attempt = (signal: AbortSignal) => AsyncIterable<ModelEvent>

/**
 * The reply, asked for again while that may help and nothing of it was passed on: afterwards a
 * second reply would not fit the part of the first that the caller has.
 * @throws ServiceError `model_*`; the signal's reason
 */
export async function* persist(
  provider: Provider,
  attempt: Attempt,
  signal: AbortSignal,
  { now, onRetry, patience, random, wait }: Persistence,
): AsyncGenerator<ModelEvent> {
  const deadline = createDeadline(provider, patience, now)
  const either = AbortSignal.any([signal, deadline.signal])
  let begun = false
  let spoken = false
  try {
    for (let retry = 0; ; retry += 1) {
      let failure: Failure
      try {
        either.throwIfAborted()
        for await (const event of attempt(either)) {
          if (event.type === 'text') {
            if (!begun) deadline.extend()
            begun = true
            spoken ||= /\S/.test(event.text)
            yield event
          } else {
            if (!spoken) throw saidNothing(provider, event.truncated)
            yield event
            return
          }
        }
        either.throwIfAborted()
        failure = brokenOff(provider)
      } catch (cause) {
        either.throwIfAborted()
        failure = failureOf(provider, cause, now())
      }
      const jittered = FIRST_DELAY * 2 ** retry * (0.5 + random() / 2)
      const delay = failure.waitMs === undefined ? jittered : failure.waitMs + jittered / 2
      const possible = delay <= Math.min(LONGEST_DELAY, deadline.left())
      if (begun || !failure.passing || retry === RETRIES || !possible) throw failure.error
      onRetry()
      // An abort shows at the start of the next attempt.
      await wait(delay, either).catch(() => {})
    }
  } finally {
    deadline.stop()
  }
}

/** Aborts when it is over: first by the time for the first token, once extended by that for all. */
function createDeadline(provider: Provider, { firstMs, wholeMs }: Patience, now: () => number) {
  const over = new AbortController()
  const start = now()
  let end = start + firstMs
  const abort = () => over.abort(tooSlow(provider))
  let timer = setTimeout(abort, firstMs)
  return {
    signal: over.signal,
    /** Milliseconds. */
    left: () => end - now(),
    extend() {
      clearTimeout(timer)
      end = start + wholeMs
      timer = setTimeout(abort, Math.max(0, end - now()))
    },
    stop: () => clearTimeout(timer),
  }
}

/** Not a turn: the providers take no empty message as a part of a conversation. */
function saidNothing({ name }: Provider, truncated: boolean): ServiceError {
  return new ServiceError(
    'model_error',
    truncated
      ? `The model of ${name} used up its tokens before it said anything. Raise max_tokens in model_config.`
      : `The model of ${name} said nothing. Ask differently, or name another model.`,
  )
}
