import type { Span } from './trace.ts'

/** What is known of the calls to GitHub that are made for one request. */
export interface Meter {
  /** Calls that were sent, also where they failed. */
  calls: number
  /** What came of them, as they ended; of many the first. */
  answers?: CallAnswer[] | undefined
  /** What they are part of, where it is traced. */
  span?: Span | undefined
}

/** What came of one call to GitHub. */
export interface CallAnswer {
  /** GitHub's status, or 0 where there was no answer. */
  readonly status: number
  /** GitHub's own name of the call (`X-GitHub-Request-Id`), by which its support finds it. */
  readonly id: string | undefined
}

/** Answers that are named of one request. */
const MOST_ANSWERS = 10

export function noteAnswer(meter: Meter, answer: CallAnswer): void {
  meter.answers ??= []
  if (meter.answers.length < MOST_ANSWERS) meter.answers.push(answer)
}
