/** What a job of GitHub Actions wrote, by steps. */

interface LogLine {
  /** Epoch milliseconds; of the line before where it has none of its own. */
  readonly at: number
  readonly text: string
}

/** When a step ran, as the API tells it: to the second. */
export interface StepTimes {
  readonly started_at?: string | null
  readonly completed_at?: string | null
}

const STAMPED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?(.*)$/s
const LONGEST_LINE = 1_000
const SECOND = 1_000

export const isError = (line: string): boolean => line.startsWith('##[error]')

/** The lines of a log without their times. Of the runner's own marks errors and warnings stay. */
export function readLog(log: string): LogLine[] {
  const lines: LogLine[] = []
  let at = Number.NEGATIVE_INFINITY
  for (const raw of log.split('\n')) {
    const [, stamp, rest = raw] = STAMPED.exec(raw) ?? []
    if (stamp !== undefined) at = Date.parse(stamp)
    const text = plain(rest)
    if (text !== undefined) lines.push({ at, text })
  }
  while (lines.at(-1)?.text === '') lines.pop()
  return lines
}

/** Undefined for a mark that only folds lines. */
function plain(raw: string): string | undefined {
  if (raw === '##[endgroup]') return undefined
  const unmarked = raw.replace(/^##\[(?:group|command|section)\]/, '').trimEnd()
  return unmarked.length > LONGEST_LINE ? `${unmarked.slice(0, LONGEST_LINE)} …` : unmarked
}

/**
 * The lines of one step. The log does not part them: what was written in the step's time is the
 * step's, down to its last error, as the next step may have begun in the same second.
 */
export function linesOfStep(lines: readonly LogLine[], step: StepTimes): string[] {
  const from = Date.parse(step.started_at ?? '')
  const to = Date.parse(step.completed_at ?? '')
  const within = Number.isNaN(from)
    ? lines
    : lines.filter(({ at }) => at >= from && !(at >= to + SECOND))
  const texts = within.map(({ text }) => text)
  const last = texts.findLastIndex(isError)
  return last === -1 ? texts : texts.slice(0, last + 1)
}
