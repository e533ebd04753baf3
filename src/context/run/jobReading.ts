import type { components } from '@octokit/openapi-types'
import { ServiceError } from '../../core/errors.ts'
import type { GitHub } from '../../core/github.ts'
import type { GitHubJob, Repository } from './runs.ts'

export type GitHubAnnotation = components['schemas']['check-annotation']

/** A job with what was read of it. */
export interface JobFound {
  readonly job: GitHubJob
  readonly annotations: readonly GitHubAnnotation[]
  readonly log?: LogFound
  /** Why there is no log. */
  readonly missing?: string
}

interface LogFound {
  readonly text: string
  /** Bytes before it that were not kept. */
  readonly skipped: number
}

/** Bytes of a log's end that are read into memory. */
const TAIL = 1024 * 1024

/** @returns why there is none, where that can be said and the rest be answered */
export async function readJobLog(
  github: GitHub,
  place: Repository,
  job_id: number,
): Promise<Pick<JobFound, 'log' | 'missing'>> {
  try {
    const path = '/repos/{owner}/{repo}/actions/jobs/{job_id}/logs'
    return { log: await github.download(path, { params: { ...place, job_id }, tail: TAIL }) }
  } catch (error) {
    if (!(error instanceof ServiceError) || !MENDED.has(error.code)) throw error
    if (error.code !== 'not_found') return { missing: error.code }
    return { missing: error.upstreamStatus === 410 ? 'expired' : 'not_available' }
  }
}

/** Failures of one log that the rest of the answer does not depend on. */
const MENDED = new Set<ServiceError['code']>([
  'not_found',
  'upstream_forbidden',
  'upstream_error',
  'upstream_timeout',
  'upstream_unreachable',
])

/** Reasons that may be gone when asked again. */
export const isPassing = (reason: string | undefined): boolean =>
  reason !== 'upstream_forbidden' && (reason ?? '').startsWith('upstream_')

export async function readAnnotations(
  github: GitHub,
  place: Repository,
  check_run_id: number,
): Promise<readonly GitHubAnnotation[]> {
  const { items } = await github.list<GitHubAnnotation>(
    '/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations',
    // GitHub keeps 50 of a job at most.
    { params: { ...place, check_run_id }, limit: 100 },
  )
  return items
}
