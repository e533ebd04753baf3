import { type Static, Type } from '@sinclair/typebox'
import type { Kept, Piece } from '../../core/provider.ts'
import { Nullable } from '../../core/schemas.ts'
import { lines } from '../common/render.ts'
import type { GitHubAnnotation } from './jobReading.ts'
import { type GitHubJob, hasFailed } from './runs.ts'

export type GitHubStep = NonNullable<GitHubJob['steps']>[number]

const Annotation = Type.Object(
  {
    level: Type.String({ description: '`failure`, `warning` or `notice`' }),
    path: Type.String(),
    line: Type.Integer(),
    title: Nullable(Type.String()),
    message: Type.String(),
  },
  { title: 'Annotation' },
)

const Step = Type.Object(
  {
    number: Type.Integer(),
    name: Type.String(),
    conclusion: Nullable(Type.String()),
  },
  { title: 'Step' },
)

export const Job = Type.Object(
  {
    job_id: Type.Integer(),
    name: Type.String(),
    status: Type.String(),
    conclusion: Nullable(Type.String()),
    started_at: Nullable(Type.String()),
    completed_at: Nullable(Type.String()),
    url: Nullable(Type.String()),
    failing_steps: Type.Array(Step),
    annotations: Type.Array(Annotation),
    log: Type.Array(
      Type.Object({
        step: Nullable(Type.Integer({ description: 'Number of the step; null for the whole job' })),
        first_line: Type.Integer({ description: 'Counted from the start of what could be read' }),
        last_line: Type.Integer(),
        text: Type.String(),
      }),
      { description: 'Stretches of the log, in order' },
    ),
  },
  { title: 'Job' },
)
export type Job = Static<typeof Job>

/** A piece that tells of one job or several. */
export interface JobPiece extends Piece {
  readonly part: 'jobs'
  readonly jobs: readonly GitHubJob[]
  readonly annotation?: GitHubAnnotation
  readonly log?: LogStretch
}

/** Lines of a log. */
export interface LogStretch {
  readonly step: GitHubStep | undefined
  /** From 0, the second exclusive, of `total` lines that could be read. */
  readonly from: number
  readonly to: number
  readonly total: number
}

export const isJobPiece = (piece: Piece): piece is JobPiece => piece.part === 'jobs'

export const failingSteps = ({ steps = [] }: GitHubJob) => steps.filter(hasFailed)

/** The jobs of which something was kept, with no more of their texts than was kept. */
export function jobsOf(kept: readonly Kept[]): Job[] {
  const found = new Map<GitHubJob, Job>()
  for (const { piece, text } of kept) {
    if (!isJobPiece(piece)) continue
    for (const job of piece.jobs) {
      const entry = found.get(job) ?? entryOf(job)
      found.set(job, entry)
      if (piece.annotation) entry.annotations.push(annotationOf(piece.annotation, text))
      else if (!piece.log) entry.failing_steps = failingSteps(job).map(stepOf)
      if (piece.log) {
        const { from, step, to } = piece.log
        if (step && !entry.failing_steps.some(({ number }) => number === step.number)) {
          entry.failing_steps.push(...[step].filter(hasFailed).map(stepOf))
        }
        entry.log.push({ step: step?.number ?? null, first_line: from + 1, last_line: to, text })
      }
    }
  }
  return [...found.values()]
}

function entryOf(job: GitHubJob): Job {
  return {
    job_id: job.id,
    name: job.name,
    status: job.status,
    conclusion: job.conclusion,
    started_at: job.started_at ?? null,
    completed_at: job.completed_at,
    url: job.html_url,
    // Those that the content names.
    failing_steps: [],
    annotations: [],
    log: [],
  }
}

const stepOf = ({ conclusion, name, number }: GitHubStep) => ({ number, name, conclusion })

function annotationOf(source: GitHubAnnotation, text: string): Static<typeof Annotation> {
  const { annotation_level, message, path, raw_details, start_line, title } = source
  const isWhole = text === lines(title, message, raw_details)
  return {
    level: annotation_level ?? 'notice',
    path,
    line: start_line,
    title: isWhole ? title : null,
    message: isWhole ? lines(message, raw_details) : text,
  }
}
