/** Builders for GitHub Actions: workflow runs, their jobs with steps, and what they logged. */
import { type AnnotationOptions, addCheckRun } from './checks.ts'
import { documented } from './recordings.ts'
import type { Body, Repository, World } from './types.ts'
import type { Job, JobBody, Run, RunBody } from './work-types.ts'
import { nextId, nodeId, type RepositoryRef, repositoryOf, timestamp, touch } from './world.ts'

export interface RunOptions {
  id?: number
  head_sha: string
  head_branch?: string | null
  name?: string
  event?: string
  status?: string
  conclusion?: string | null
  created_at?: string
  run_attempt?: number
  /** Numbers of the pull requests whose head it ran on; empty for those of forks. */
  pull_requests?: readonly Body[]
  [field: string]: unknown
}

const RUN = '/repos/{owner}/{repo}/actions/runs/{run_id}'

/** Without jobs: they come by `addJob`. */
export function addRun(world: World, ref: RepositoryRef, options: RunOptions): Run {
  const repository = repositoryOf(world, ref)
  const id = options.id ?? nextId(world)
  const text = JSON.stringify(documented('GET', RUN))
    .replaceAll(/octo(?:cat|-org)\/(?:Hello-World|octo-repo)/g, repository.body.full_name)
    .replaceAll('30433642', String(id))
    .replaceAll('acb5820ced9479c074f688cc328bf03f341a511d', options.head_sha)
  const now = timestamp(world.now())
  const status = options.status ?? 'completed'
  const run: Run = {
    jobs: [],
    body: Object.freeze({
      ...JSON.parse(text),
      node_id: nodeId('WorkflowRun', id),
      run_number: repository.work.runs.size + 1,
      created_at: now,
      updated_at: now,
      run_started_at: now,
      head_branch: String(repository.body.default_branch),
      ...options,
      id,
      status,
      conclusion: status === 'completed' ? (options.conclusion ?? 'success') : null,
      head_repository: options.head_repository,
      repository: undefined,
    }) as RunBody,
  }
  repository.work.runs.set(id, run)
  touch(world)
  return run
}

/** As the API words it: with the repository as it is now; a run is of that itself unless it is of a fork. */
export function runBody({ body }: Repository, run: Run): Body {
  const { head_repository } = run.body
  return {
    ...run.body,
    repository: run.body.repository ?? body,
    head_repository: head_repository === undefined ? body : head_repository,
  }
}

export interface StepOptions {
  name: string
  /** `success` unless given. */
  conclusion?: string | null
  status?: string
  /** Seconds that it took; 1 unless given. */
  seconds?: number
  /** What it wrote, without timestamps, which are added. */
  log?: readonly string[]
  started_at?: string | null
  completed_at?: string | null
}

export interface JobOptions {
  name?: string
  status?: string
  conclusion?: string | null
  steps?: readonly StepOptions[]
  /** Instead of what the steps wrote. */
  log?: Job['log']
  location?: string
  annotations?: readonly AnnotationOptions[]
  [field: string]: unknown
}

/** A job is a check run too, by the same id. Its log is what its steps wrote, one after another. */
export function addJob(world: World, ref: RepositoryRef, run: Run, options: JobOptions = {}): Job {
  const repository = repositoryOf(world, ref)
  const { steps = [], log, location, annotations, ...overrides } = options
  const { head_sha, head_branch, run_attempt, created_at, id: runId } = run.body
  const status = options.status ?? 'completed'
  const conclusion = status === 'completed' ? (options.conclusion ?? 'success') : null
  const name = options.name ?? 'build'
  const check = addCheckRun(world, repository, {
    ...(options.id !== undefined && { id: Number(options.id) }),
    head_sha,
    name,
    status,
    conclusion,
    ...(annotations && { annotations }),
  })
  const { id } = check.body
  const page = `https://github.com/${repository.body.full_name}/actions/runs/${runId}/job/${id}`
  const owner = { id: 15_368, slug: 'github-actions', name: 'GitHub Actions' }
  check.body = Object.freeze({
    ...check.body,
    details_url: page,
    html_url: page,
    app: { ...(check.body.app as Body), ...owner },
  })
  const timed = timeSteps(steps, Date.parse(created_at))
  const examples = documented('GET', `${RUN}/jobs`) as { jobs: JobBody[] }
  const text = JSON.stringify(examples.jobs[0])
    .replaceAll('octo-org/octo-repo', repository.body.full_name)
    .replaceAll('399444496', String(id))
    .replaceAll('29679449', String(runId))
  const job: Job = {
    body: Object.freeze({
      ...JSON.parse(text),
      node_id: nodeId('CheckRun', id),
      run_attempt,
      head_sha,
      head_branch,
      started_at: created_at,
      completed_at: status === 'completed' ? (timed.at(-1)?.completed_at ?? created_at) : null,
      html_url: page,
      steps: timed.map(({ log: _, ...step }) => step),
      ...overrides,
      name,
      status,
      conclusion,
    }) as JobBody,
    ...(location && { location }),
  }
  const text_ = log ?? logOf(timed)
  if (text_ !== '' && status === 'completed') job.log = text_
  run.jobs.push(job)
  touch(world)
  return job
}

interface TimedStep extends Body {
  readonly started_at: string | null
  readonly completed_at: string | null
  readonly log: readonly string[]
}

function timeSteps(steps: readonly StepOptions[], start: number): TimedStep[] {
  let at = start
  return steps.map((step, index) => {
    const { seconds = 1, conclusion, log = [], ...overrides } = step
    const [started_at, completed_at] = [timestamp(at), timestamp(at + seconds * 1_000)]
    at += seconds * 1_000
    const status = step.status ?? 'completed'
    return {
      status,
      conclusion: status === 'completed' ? (conclusion ?? 'success') : null,
      number: index + 1,
      started_at,
      completed_at,
      ...overrides,
      log,
    }
  })
}

/** As GitHub writes it: a byte order mark, then each line with its time in front. */
function logOf(steps: readonly TimedStep[]): string {
  const lines = steps.flatMap(({ log, started_at, completed_at }) => {
    const [from, to] = [Date.parse(started_at ?? ''), Date.parse(completed_at ?? '')]
    return log.map((line, index) => {
      const at = from + ((to - from) * index) / log.length
      return `${new Date(at).toISOString().slice(0, -1)}0000Z ${line}\n`
    })
  })
  return lines.length > 0 ? `\ufeff${lines.join('')}` : ''
}
