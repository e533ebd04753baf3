/** Builders for what machines say about commits: check runs with annotations, and commit statuses. */
import { documented } from './recordings.ts'
import type { Body, World } from './types.ts'
import type { CheckRun, CheckRunBody, StatusBody } from './work-types.ts'
import { nextId, nodeId, type RepositoryRef, repositoryOf, timestamp, touch } from './world.ts'

export interface CheckRunOptions {
  head_sha: string
  id?: number
  name?: string
  /** `completed` unless given. */
  status?: string
  /** `success` unless given or not completed. */
  conclusion?: string | null
  output?: Body
  annotations?: readonly AnnotationOptions[]
  [field: string]: unknown
}

export interface AnnotationOptions {
  path?: string
  start_line?: number
  end_line?: number
  annotation_level?: string
  title?: string | null
  message?: string | null
  raw_details?: string | null
}

const CHECK_RUNS = '/repos/{owner}/{repo}/commits/{ref}/check-runs'
const STATUS = '/repos/{owner}/{repo}/commits/{ref}/status'
const ANNOTATIONS = '/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations'

export function addCheckRun(world: World, ref: RepositoryRef, options: CheckRunOptions): CheckRun {
  const { work, body: repository } = repositoryOf(world, ref)
  const { annotations = [], output, ...overrides } = options
  const id = options.id ?? nextId(world)
  const examples = documented('GET', CHECK_RUNS) as { check_runs: CheckRunBody[] }
  const text = JSON.stringify(examples.check_runs[0])
    .replaceAll('github/hello-world', repository.full_name)
    .replaceAll('check-runs/4', `check-runs/${id}`)
    .replaceAll('/runs/4"', `/runs/${id}"`)
  const template = JSON.parse(text) as CheckRunBody & { output: Body }
  const status = options.status ?? 'completed'
  const now = timestamp(world.now())
  const [documentedAnnotation] = documented('GET', ANNOTATIONS) as Body[]
  const check: CheckRun = {
    annotations: annotations.map((annotation) => ({ ...documentedAnnotation, ...annotation })),
    body: Object.freeze({
      ...template,
      id,
      node_id: nodeId('CheckRun', id),
      started_at: status === 'queued' ? null : now,
      completed_at: status === 'completed' ? now : null,
      output: {
        ...template.output,
        title: null,
        summary: null,
        text: null,
        annotations_count: annotations.length,
        ...output,
      },
      pull_requests: [],
      name: 'build',
      ...overrides,
      status,
      conclusion: status === 'completed' ? (options.conclusion ?? 'success') : null,
    }) as unknown as CheckRunBody,
  }
  work.checkRuns.push(check)
  touch(world)
  return check
}

export interface StatusOptions {
  sha: string
  context?: string
  /** `success`, `failure`, `error` or `pending`. */
  state?: string
  description?: string | null
  target_url?: string | null
}

/** A status replaces an earlier one of the same context. */
export function addStatus(world: World, ref: RepositoryRef, options: StatusOptions): StatusBody {
  const { work, body: repository } = repositoryOf(world, ref)
  const { sha, ...overrides } = options
  const example = (documented('GET', STATUS) as { statuses: StatusBody[] }).statuses[0]
  const id = nextId(world)
  const now = timestamp(world.now())
  const body = Object.freeze({
    ...example,
    id,
    node_id: nodeId('StatusContext', id),
    url: `https://api.github.com/repos/${repository.full_name}/statuses/${sha}`,
    created_at: now,
    updated_at: now,
    ...overrides,
  }) as StatusBody
  work.statuses.set(sha, [...(work.statuses.get(sha) ?? []), body])
  touch(world)
  return body
}
