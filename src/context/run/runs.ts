import type { components } from '@octokit/openapi-types'
import { ServiceError } from '../../core/errors.ts'
import type { GitHub } from '../../core/github.ts'
import { absentWhere422 } from '../common/absent.ts'
import { type GitHubCheckRun, runIdOf } from '../pull/checks.ts'
import type { GitHubPull } from '../pull/fields.ts'
import { PULL } from '../pull/parts.ts'

/** Ids as JSON has them: GitHub's description also thinks of languages that need more than a number. */
type Plain<T> = Omit<T, 'id'> & { readonly id: number }
export type GitHubRun = Plain<components['schemas']['workflow-run']>
export type GitHubJob = Plain<Omit<components['schemas']['job'], 'run_id'>> & {
  readonly run_id: number
}

export const RUN = '/repos/{owner}/{repo}/actions/runs/{run_id}'
const ACTIONS = 'github-actions'
const FAILING = new Set<string | null>(['failure', 'timed_out', 'startup_failure'])

export const hasFailed = ({ conclusion }: { readonly conclusion: string | null }) =>
  FAILING.has(conclusion)

export interface Repository {
  readonly owner: string
  readonly repo: string
}

/** The run to tell of, and what is known of it already. */
export interface ChosenRun {
  readonly id: number
  readonly run?: GitHubRun
  /** Jobs of it that failed, by id, where they are known without asking for its jobs. */
  readonly failedJobs?: readonly number[]
  /** Other runs of the same commit that failed. */
  readonly others: readonly number[]
}

/** The latest run of a branch that failed; its last run where none did. One round. */
export async function runOfBranch(
  github: GitHub,
  place: Repository,
  branch: string,
): Promise<ChosenRun> {
  const [checks, failed] = await Promise.all([
    checksOf(github, place, branch).catch(absentWhere422('branch')),
    github.list<GitHubRun>('/repos/{owner}/{repo}/actions/runs', {
      params: { ...place },
      query: { branch, status: 'failure' },
      limit: 1,
      under: 'workflow_runs',
    }),
  ])
  const [older] = failed.items
  const atHead = choose(checks)
  if (atHead?.failedJobs?.length || !older) return atHead ?? none(`the branch ${branch}`)
  return { id: older.id, run: older, others: [] }
}

/** The latest run of a pull request's head that failed; the last one where none did. */
export async function runOfPull(
  github: GitHub,
  place: Repository,
  pull_number: number,
): Promise<ChosenRun> {
  const [pull, checks] = await Promise.all([
    github.get<GitHubPull>(PULL, 'head', { params: { ...place, pull_number } }),
    // git's own name of the head (git-scm.com/docs/gitrevisions): it saves a round.
    checksOf(github, place, `pull/${pull_number}/head`).catch(noneWhereUnknown),
  ])
  const found = checks ?? (await checksOf(github, place, pull.head.sha))
  return choose(found) ?? none(`the head of pull request ${pull_number}`)
}

/** A server may not know that name: then the sha is asked for. */
function noneWhereUnknown(error: unknown): undefined {
  const status = error instanceof ServiceError ? error.upstreamStatus : undefined
  if (status !== 404 && status !== 422) throw error
}

async function checksOf(
  github: GitHub,
  place: Repository,
  ref: string,
): Promise<readonly GitHubCheckRun[]> {
  const { items } = await github.list<GitHubCheckRun>(
    '/repos/{owner}/{repo}/commits/{ref}/check-runs',
    { params: { ...place, ref }, limit: 100, under: 'check_runs' },
  )
  return items
}

function choose(checks: readonly GitHubCheckRun[]): ChosenRun | undefined {
  const jobs = checks.flatMap((check) => {
    const run = check.app?.slug === ACTIONS ? runIdOf(check.details_url ?? null) : null
    return run === null ? [] : [{ run, check }]
  })
  const failed = jobs.filter(({ check }) => hasFailed(check))
  const latest = latestOf(failed) ?? latestOf(jobs)
  if (!latest) return undefined
  return {
    id: latest.run,
    failedJobs: failed.filter(({ run }) => run === latest.run).map(({ check }) => check.id),
    others: [...new Set(failed.map(({ run }) => run))].filter((run) => run !== latest.run),
  }
}

/** Ids of runs grow with time. */
function latestOf<T extends { readonly run: number }>(jobs: readonly T[]): T | undefined {
  return jobs.toSorted((left, right) => right.run - left.run)[0]
}

function none(where: string): never {
  throw new ServiceError(
    'not_found',
    `GitHub Actions has no run for ${where}. The checks there may be of other apps: github_pull_request with include=checks lists them.`,
  )
}

/** Jobs of the first page: more than most runs have. */
const FIRST_JOBS = 100
/** GitHub's own limit is 256 jobs of one matrix. */
const MOST_JOBS = 1_000

export interface Jobs {
  readonly jobs: readonly GitHubJob[]
  readonly total: number
}

export async function firstJobs(github: GitHub, place: Repository, run_id: number): Promise<Jobs> {
  const { head, items } = await github.list<GitHubJob>(`${RUN}/jobs`, {
    params: { ...place, run_id },
    limit: FIRST_JOBS,
    under: 'jobs',
  })
  const { total_count = items.length } = (head ?? {}) as { total_count?: number }
  return { jobs: items, total: total_count }
}

export async function furtherJobs(
  github: GitHub,
  place: Repository,
  run_id: number,
  { jobs, total }: Jobs,
): Promise<readonly GitHubJob[]> {
  if (jobs.length >= total) return []
  const { items } = await github.list<GitHubJob>(`${RUN}/jobs`, {
    params: { ...place, run_id },
    offset: jobs.length,
    limit: Math.min(MOST_JOBS, total - jobs.length),
    eager: true,
    under: 'jobs',
  })
  return items
}
