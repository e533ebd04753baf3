import type { Kept, Piece, Source } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import type { Omission } from '../../core/schemas.ts'
import { facts, lines } from '../common/render.ts'
import {
  failingSteps,
  type GitHubStep,
  isJobPiece,
  type Job,
  type JobPiece,
  jobsOf,
  type LogStretch,
} from './jobFields.ts'
import { isError, linesOfStep, readLog } from './jobLog.ts'
import { type GitHubAnnotation, isPassing, type JobFound } from './jobReading.ts'
import type { GitHubJob } from './runs.ts'

/** Which lines of a log are wanted: `offset` are skipped from the end, `limit` shown before those. */
export interface LogWindow {
  readonly step?: number | undefined
  readonly offset: number
  readonly limit: number
}

const JOB_RANK = 0
const ANNOTATION_RANK = 2
const LOG_RANK = 10
const DONE_RANK = 500
/** Of one piece: enough to make sense, little enough to choose from. The last is small, to fit nearly anywhere. */
const MOST = { lines: 20, characters: 1_200 }
const MOST_OF_LAST = { lines: 6, characters: 300 }
const TOGETHER = 20

export interface JobsView {
  readonly failed: readonly JobFound[]
  readonly other: readonly GitHubJob[]
  readonly window: LogWindow
  /** Whose words names, logs and annotations are. */
  readonly by: Source
  /** The request for the log of one job. */
  next(job_id: number, window: Partial<LogWindow>): Omission['next']
}

export interface JobsPart {
  readonly pieces: readonly Piece[]
  fields(kept: readonly Kept[]): { jobs: Job[] }
  omit(dropped: readonly Piece[], cut: readonly Piece[], reason: string): Omission[]
  readonly omitted: readonly Omission[]
}

export function jobsPart(view: JobsView): JobsPart {
  const logs = view.failed.map((found) => ({ found, logs: logsOf(found, view.window) }))
  const pieces = [
    ...logs.flatMap(({ found, logs }) => [
      factsPiece(found.job),
      ...found.annotations.map((annotation) => annotationPiece(found.job, annotation, view.by)),
      ...logs.flatMap((log) => logPieces(found.job, log, view.by)),
    ]),
    ...otherPieces(view.other),
  ]
  return {
    pieces,
    fields: (kept) => ({ jobs: jobsOf(kept) }),
    omit: (dropped, cut, reason) =>
      omissionsOf([...dropped, ...cut].filter(isJobPiece), view, reason),
    omitted: logs.flatMap(({ found, logs }) => [
      ...missingLog(found, view),
      ...logs.flatMap((log) => earlierLines(found, log, view)),
    ]),
  }
}

interface StepLog {
  readonly step: GitHubStep | undefined
  readonly lines: readonly string[]
  /** The lines that are shown. */
  readonly from: number
  readonly to: number
  /** Whether it began before what was kept of the log. */
  readonly isTail: boolean
}

/** The end of each step that failed, of one step, or of all where no step is known to have. */
function logsOf({ job, log }: JobFound, { limit, offset, step }: LogWindow): StepLog[] {
  if (!log || limit === 0) return []
  const all = readLog(log.text)
  const wanted = job.steps?.filter(({ number }) => number === step) ?? []
  const steps = step === undefined ? failingSteps(job) : wanted
  const parts = steps.length > 0 ? steps : [undefined]
  return parts.map((one) => {
    const lines = one ? linesOfStep(all, one) : all.map(({ text }) => text)
    const to = Math.max(0, lines.length - offset)
    const isTail = log.skipped > 0 && (lines.length === 0 || lines[0] === all[0]?.text)
    return { step: one, lines, from: Math.max(0, to - limit), to, isTail }
  })
}

function factsPiece(job: GitHubJob): JobPiece {
  return {
    part: 'jobs',
    heading: `## Job ${oneLine(job.name)}: ${job.conclusion ?? job.status}`,
    group: groupOf(job),
    text: lines(
      facts({
        'Failing steps': stepsOf(job) || 'none told',
        Started: job.started_at,
        Completed: job.completed_at,
        Job: job.id,
      }),
    ),
    by: 'service',
    rank: JOB_RANK,
    whole: true,
    jobs: [job],
  }
}

const stepsOf = (job: GitHubJob) =>
  failingSteps(job)
    .map(({ name, number }) => `${number} ${oneLine(name)}`)
    .join(', ')

/** What is shown of one job: the first of it names the job. */
const groupOf = (job: GitHubJob) => `job ${job.id}`
const namedBy = (job: GitHubJob, heading: string) => ({
  heading: `${heading}, job ${oneLine(job.name)}`,
  group: groupOf(job),
  further: heading,
})

function annotationPiece(job: GitHubJob, annotation: GitHubAnnotation, by: Source): JobPiece {
  const { annotation_level, message, path, raw_details, start_line, title } = annotation
  const isFailure = annotation_level === 'failure'
  return {
    part: 'jobs',
    ...namedBy(job, `### ${annotation_level ?? 'annotation'} at ${oneLine(path)}:${start_line}`),
    text: lines(title, message, raw_details) || '(no text)',
    by,
    rank: ANNOTATION_RANK + (isFailure ? 0 : 20),
    jobs: [job],
    annotation,
  }
}

/** From the end on: what is nearest to the failure matters most. */
function logPieces(job: GitHubJob, { from, lines, step, to }: StepLog, by: Source): JobPiece[] {
  const pieces: JobPiece[] = []
  for (let end = to; end > from; ) {
    const start = startOfPiece(lines, from, end, end === to ? MOST_OF_LAST : MOST)
    const text = lines.slice(start, end)
    const name = step ? `step ${step.number} ${oneLine(step.name)}` : 'the job'
    pieces.unshift({
      part: 'jobs',
      ...namedBy(job, `### Log of ${name}, lines ${start + 1}–${end} of ${lines.length}`),
      text: text.join('\n'),
      by,
      rank: text.some(isError) ? LOG_RANK - 5 : LOG_RANK + pieces.length,
      jobs: [job],
      log: { step, from: start, to: end, total: lines.length },
    })
    end = start
  }
  return pieces
}

function startOfPiece(
  lines: readonly string[],
  from: number,
  end: number,
  most: typeof MOST,
): number {
  let start = end - 1
  let characters = lines[start]?.length ?? 0
  while (start > from && end - start < most.lines) {
    characters += (lines[start - 1]?.length ?? 0) + 1
    if (characters > most.characters) break
    start -= 1
  }
  return start
}

function otherPieces(jobs: readonly GitHubJob[]): JobPiece[] {
  const pieces: JobPiece[] = []
  for (let start = 0; start < jobs.length; start += TOGETHER) {
    const some = jobs.slice(start, start + TOGETHER)
    pieces.push({
      part: 'jobs',
      text: some
        .map((job) => {
          const steps = stepsOf(job)
          const failing = steps ? ` (failing steps: ${steps})` : ''
          return `- ${job.conclusion ?? job.status}: ${oneLine(job.name)}${failing}`
        })
        .join('\n'),
      by: 'service',
      rank: DONE_RANK,
      whole: true,
      jobs: some,
    })
  }
  return pieces
}

function missingLog({ job, missing }: JobFound, { next }: JobsView): Omission[] {
  if (missing === undefined) return []
  const again = isPassing(missing) ? { next: next(job.id, {}) } : {}
  return [{ what: `log of ${job.name}`, reason: missing, ...again }]
}

/** Lines before those that are shown, and what was not even read of a long log. */
function earlierLines(
  { job }: JobFound,
  { from, isTail, lines, step, to }: StepLog,
  { next, window }: JobsView,
): Omission[] {
  const what = `log lines of ${step ? oneLine(step.name) : oneLine(job.name)}`
  if (from > 0 && from < to) {
    const { limit } = window
    const earlier = { step: step?.number, offset: lines.length - from, limit }
    return [{ what, count: from, reason: 'limit', next: next(job.id, earlier) }]
  }
  return isTail ? [{ what, reason: 'log_limit' }] : []
}

function omissionsOf(lost: readonly JobPiece[], { next }: JobsView, reason: string): Omission[] {
  const ofLog = lost.flatMap(({ jobs: [job], log }) => (job && log ? [{ job, log }] : []))
  const jobs = new Set(lost.filter(({ log }) => !log).flatMap((piece) => piece.jobs))
  const whole = next(0, { limit: 0 })
  return [
    ...(jobs.size > 0 ? [{ what: 'jobs', count: jobs.size, reason, next: whole }] : []),
    ...joined(ofLog).map(({ job, log: { from, step, to, total } }) => ({
      what: `log lines of ${step ? oneLine(step.name) : oneLine(job.name)}`,
      count: to - from,
      reason,
      next: next(job.id, { step: step?.number, offset: total - to, limit: to - from }),
    })),
  ]
}

interface Lost {
  readonly job: GitHubJob
  readonly log: LogStretch
}

/** Stretches of one step that touch, as one. */
function joined(lost: readonly Lost[]): Lost[] {
  const result: Lost[] = []
  const sorted = lost.toSorted(
    (left, right) =>
      left.job.id - right.job.id ||
      (left.log.step?.number ?? 0) - (right.log.step?.number ?? 0) ||
      left.log.from - right.log.from,
  )
  for (const { job, log } of sorted) {
    const last = result.at(-1)
    if (last && last.job === job && last.log.step === log.step && last.log.to === log.from) {
      result[result.length - 1] = { job, log: { ...log, from: last.log.from } }
    } else result.push({ job, log })
  }
  return result
}
