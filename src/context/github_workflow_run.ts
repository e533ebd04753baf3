import { Type } from '@sinclair/typebox'
import { invalid } from '../core/errors.ts'
import {
  type CachePolicy,
  type Draft,
  defineProvider,
  type FetchContext,
  type Source,
} from '../core/provider.ts'
import { oneLine } from '../core/quote.ts'
import { blockFields, Nullable, type Omission, Ref, repositoryParams } from '../core/schemas.ts'
import { facts, lines, loginOf } from './common/render.ts'
import { pullTag, runsTag } from './common/tags.ts'
import { PullNumber } from './pull/fields.ts'
import { Job } from './run/jobFields.ts'
import { isPassing } from './run/jobReading.ts'
import { type JobsPart, jobsPart, type LogWindow } from './run/jobs.ts'
import {
  type ChosenRun,
  type GitHubRun,
  type Repository,
  runOfBranch,
  runOfPull,
} from './run/runs.ts'
import { readOneJob, readRun } from './run/workflowReading.ts'

/** A running workflow is soon further; a log that did not come may come. */
const SOON: CachePolicy = { freshFor: 10, staleFor: 0, keepFor: 300 }
const USUAL_LINES = 100

/** Ids that GitHub gives grow beyond 32 bits. */
const id = (description: string) =>
  Type.Integer({ minimum: 1, maximum: 999_999_999_999_999, description })

export const githubWorkflowRun = defineProvider({
  type: 'github_workflow_run',
  blockType: 'github_workflow_run',
  title: 'Workflow run of GitHub Actions',
  description:
    'Why a run failed: failing jobs and steps, the end of each failing step’s log, annotations. One run, or the latest failing of a branch or pull request.',
  uri: 'github://{owner}/{repo}/actions/runs/{run_id}',
  pages: [
    'github://{owner}/{repo}/actions/runs/{run_id}/job/{job_id}',
    'github://{owner}/{repo}/actions/runs/{run_id}/attempts/{_}',
  ],
  params: Type.Object(
    {
      ...repositoryParams,
      run_id: Type.Optional(id('The run; or else `branch` or `pull_number`')),
      branch: Type.Optional(
        Type.String({ ...Ref, description: 'The latest failing run of this branch' }),
      ),
      pull_number: Type.Optional(
        Type.Integer({ ...PullNumber, description: 'The latest failing run of its head' }),
      ),
      job_id: Type.Optional(id('With `run_id`: the log of this job alone')),
      step: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 10_000,
          description: 'With `job_id`: the log of this step alone',
        }),
      ),
      offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 10_000_000,
          default: 0,
          description: 'Lines to skip from the end of each log',
        }),
      ),
      limit: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 5_000,
          default: USUAL_LINES,
          description:
            'Lines of each log at most, the last before those that are skipped; 0 for jobs without logs',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    run_id: Type.Integer(),
    run_number: Type.Integer(),
    attempt: Type.Integer(),
    workflow: Nullable(Type.String()),
    event: Type.String(),
    status: Nullable(Type.String()),
    conclusion: Nullable(Type.String()),
    branch: Nullable(Type.String()),
    sha: Type.String(),
    actor: Type.String(),
    created_at: Type.String(),
    updated_at: Type.String(),
    jobs_total: Type.Integer(),
    jobs: Type.Array(Job, { description: 'Failing ones first' }),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', run_id: 30_433_643 },
  cache: { freshFor: 60, staleFor: 300, keepFor: 86_400 },
  tags: ({ owner, repo, pull_number }) => [
    runsTag(owner, repo),
    ...(pull_number === undefined ? [] : [pullTag(owner, repo, pull_number)]),
  ],
  async fetch(params, context) {
    checkParams(params)
    const { job_id, limit = USUAL_LINES, offset = 0, owner, repo, step } = params
    const place = { owner, repo }
    const chosen = await chooseRun(params, context, place)
    const read =
      job_id === undefined
        ? await readRun(context, place, chosen, limit > 0)
        : await readOneJob(context, place, chosen.id, job_id)
    const { failed, jobs, run, unread } = read
    const repository = repositoryOf(run)
    const next = (of: number, window: Partial<LogWindow>): Omission['next'] => ({
      context_type: 'github_workflow_run',
      params: {
        ...repository,
        run_id: run.id,
        ...(of > 0 ? { job_id: of } : {}),
        ...Object.fromEntries(Object.entries(window).filter(([, value]) => value !== undefined)),
      },
    })
    const shown = new Set(failed.map(({ job }) => job.id))
    const part = jobsPart({
      failed,
      other: job_id === undefined ? jobs.jobs.filter((job) => !shown.has(job.id)) : [],
      window: { step, offset, limit },
      by: sourceOf(run),
      next,
    })
    const missing = failed.some((found) => isPassing(found.missing))
    const visibility = run.repository.private ? 'private' : 'public'
    return {
      repository,
      visibility,
      said: [{ ...repository, visibility }],
      omitted: [
        ...part.omitted,
        ...unread.map((job) => ({
          what: `log and annotations of ${job.name}`,
          count: 1,
          reason: 'limit',
          next: next(job.id, {}),
        })),
        ...chosen.others.map((run_id) => ({
          what: 'failing run',
          count: 1,
          reason: 'one_run',
          next: { context_type: 'github_workflow_run', params: { ...repository, run_id } },
        })),
      ],
      cache: () => (missing || run.status !== 'completed' ? SOON : undefined),
      blocks: [draftOf(run, jobs.total, part)],
    }
  },
})

interface Asked {
  readonly run_id?: number
  readonly branch?: string
  readonly pull_number?: number
  readonly job_id?: number
  readonly step?: number
}

/** @throws ServiceError `invalid_request` */
function checkParams({ branch, job_id, pull_number, run_id, step }: Asked): void {
  const given = [run_id, branch, pull_number].filter((value) => value !== undefined)
  if (given.length !== 1) {
    throw invalid('/params', 'needs exactly one of run_id, branch and pull_number.')
  }
  if (job_id !== undefined && run_id === undefined) {
    throw invalid('/params/job_id', 'needs the run_id that it is of.')
  }
  if (step !== undefined && job_id === undefined) {
    throw invalid('/params/step', 'needs the job_id that it is of.')
  }
}

async function chooseRun(
  { branch, pull_number, run_id }: Asked,
  { github }: FetchContext,
  place: Repository,
): Promise<ChosenRun> {
  if (run_id !== undefined) return { id: run_id, others: [] }
  if (branch !== undefined) return runOfBranch(github, place, branch)
  return runOfPull(github, place, pull_number ?? 0)
}

function repositoryOf({ repository }: GitHubRun): Repository {
  return { owner: repository.owner.login, repo: repository.name }
}

/** What ran is the repository's own, where its people pushed it; that of forks is anybody's. */
function sourceOf({ actor, head_repository, repository }: GitHubRun): Source {
  const from: { readonly full_name: string } | null = head_repository
  if (from?.full_name === repository.full_name) return 'repository'
  return { login: loginOf(actor), association: 'NONE' }
}

function draftOf(run: GitHubRun, total: number, jobs: JobsPart): Draft {
  const { owner, repo } = repositoryOf(run)
  const own = {
    run_id: run.id,
    run_number: run.run_number,
    attempt: run.run_attempt ?? 1,
    workflow: run.name ?? null,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    branch: run.head_branch,
    sha: run.head_sha,
    actor: loginOf(run.actor),
    created_at: run.created_at,
    updated_at: run.updated_at,
    jobs_total: total,
  }
  return {
    id: `github_workflow_run:${owner}/${repo}@${run.id}`,
    title: run.display_title,
    url: run.html_url,
    head: lines(
      `# Workflow run ${run.id} of ${owner}/${repo}`,
      run.html_url,
      facts({
        Workflow: own.workflow && oneLine(own.workflow),
        Outcome: own.conclusion ?? own.status,
        Event: own.event,
        Branch: own.branch,
        Commit: own.sha,
        By: own.actor,
        Attempt: own.attempt > 1 && own.attempt,
        Created: own.created_at,
      }),
    ),
    by: sourceOf(run),
    pieces: jobs.pieces,
    fields: (kept) => ({ ...own, ...jobs.fields(kept) }),
    omit: (dropped, cut, reason) => jobs.omit(dropped, cut, reason),
  }
}
