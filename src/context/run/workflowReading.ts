import { invalid } from '../../core/errors.ts'
import type { GitHub } from '../../core/github.ts'
import type { FetchContext } from '../../core/provider.ts'
import { type JobFound, readAnnotations, readJobLog } from './jobReading.ts'
import {
  type ChosenRun,
  firstJobs,
  furtherJobs,
  type GitHubJob,
  type GitHubRun,
  hasFailed,
  type Jobs,
  type Repository,
  RUN,
} from './runs.ts'

/** Logs of one answer at most. */
const MOST_LOGS = 10

export interface RunRead {
  readonly run: GitHubRun
  readonly jobs: Jobs
  /** With what was read of them. */
  readonly failed: readonly JobFound[]
  /** Failed jobs whose log was not read. */
  readonly unread: readonly GitHubJob[]
}

/** Run and jobs, and as soon as it is known which failed, their logs: two rounds, with the choice of a run. */
export async function readRun(
  { github }: FetchContext,
  place: Repository,
  { failedJobs, id: run_id, run: known }: ChosenRun,
  withLogs: boolean,
): Promise<RunRead> {
  const reading =
    known ?? github.get<GitHubRun>(RUN, 'run_number', { params: { ...place, run_id } })
  const details = new Map<number, Promise<Partial<JobFound>>>()
  const readDetails = (ids: readonly number[]) => {
    for (const id of ids.slice(0, MOST_LOGS)) {
      const detail = readJob(github, place, id, withLogs)
      // What fails while something else is awaited has been heard.
      detail.catch(() => {})
      details.set(id, detail)
    }
  }
  if (failedJobs) readDetails(failedJobs)
  const [run, first] = await Promise.all([reading, firstJobs(github, place, run_id)])
  // Of a run that was found by its branch, logs would be a third round.
  const isLate = known !== undefined || failedJobs !== undefined
  if (!isLate) readDetails(first.jobs.filter(hasFailed).map(({ id }) => id))
  const further = await furtherJobs(github, place, run_id, first)
  const all = [...first.jobs, ...further]
  const failing = all.filter(hasFailed)
  const failed = await Promise.all(
    failing.map(async (job): Promise<JobFound> => {
      return { job, annotations: [], ...(await details.get(job.id)) }
    }),
  )
  return {
    run,
    jobs: { jobs: all, total: first.total },
    failed,
    unread: failing.filter(({ id }) => !details.has(id)),
  }
}

async function readJob(
  github: GitHub,
  place: Repository,
  job_id: number,
  withLog: boolean,
): Promise<Partial<JobFound>> {
  const [annotations, log] = await Promise.all([
    readAnnotations(github, place, job_id),
    withLog ? readJobLog(github, place, job_id) : {},
  ])
  return { annotations, ...log }
}

/** One job's log, whatever came of it: one round. */
export async function readOneJob(
  { github }: FetchContext,
  place: Repository,
  run_id: number,
  job_id: number,
): Promise<RunRead> {
  const params = { ...place, run_id }
  const [run, job, log] = await Promise.all([
    github.get<GitHubRun>(RUN, 'run_number', { params }),
    github.get<GitHubJob>('/repos/{owner}/{repo}/actions/jobs/{job_id}', 'run_id', {
      params: { ...place, job_id },
    }),
    readJobLog(github, place, job_id),
  ])
  if (job.run_id !== run_id) throw invalid('/params/job_id', 'is a job of another run.')
  return {
    run,
    jobs: { jobs: [job], total: 1 },
    failed: [{ job, annotations: [], ...log }],
    unread: [],
  }
}
