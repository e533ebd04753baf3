import type { Block } from './app.ts'
import {
  addFiles,
  addJob,
  addRun,
  type GitHub,
  type Job,
  type Run,
  type StepOptions,
} from './github/index.ts'
import { TALK } from './talk.ts'

export const runRequest = (params: object) => ({
  context_type: 'github_workflow_run',
  params: { owner: 'octo', repo: 'talk', ...params },
})

/** A job whose second step fails. */
export const STEPS: readonly StepOptions[] = [
  { name: 'Set up job', log: ['Runner version 2'] },
  {
    name: 'Run npm test',
    conclusion: 'failure',
    seconds: 30,
    log: [
      '##[group]Run npm test',
      '\u001b[36;1mnpm test\u001b[0m',
      '##[endgroup]',
      'expected 1, got 2',
      '##[error]Process completed with exit code 1.',
    ],
  },
  { name: 'Post checkout', log: ['Post job cleanup.'] },
]

export interface ShownJob {
  readonly job_id: number
  readonly name: string
  readonly conclusion: string
  readonly failing_steps: readonly { number: number; name: string }[]
  readonly annotations: readonly { message: string }[]
  readonly log: readonly { step: number; first_line: number; last_line: number; text: string }[]
}
export const jobsIn = (blocks: readonly Block[]) =>
  blocks.flatMap(({ jobs }) => jobs as readonly ShownJob[])
export const linesIn = (blocks: readonly Block[]) =>
  jobsIn(blocks).flatMap(({ log }) => log.flatMap(({ text }) => text.split('\n')))

/** Makes runs and their failing jobs. @param github which is there by the time of the first */
export function createRuns(github: () => GitHub) {
  let made = 0
  return {
    /** A run of a commit of its own, on a branch of its own unless given. */
    run(options: Partial<Parameters<typeof addRun>[2]> = {}): Run {
      made += 1
      const branch = String(options.head_branch ?? `topic-${made}`)
      const file = { [`file-${made}`]: `${made}` }
      const { sha } = addFiles(github().world, TALK, file, { branch, message: `Commit ${made}` })
      const defaults = { head_sha: sha, head_branch: branch, conclusion: 'failure', name: 'Test' }
      const created_at = new Date(Date.UTC(2026, 0, 1, made)).toISOString().replace('.000', '')
      return addRun(github().world, TALK, { ...defaults, created_at, ...options })
    },
    failingJob(of: Run, options: Parameters<typeof addJob>[3] = {}): Job {
      return addJob(github().world, TALK, of, {
        name: 'test (24)',
        conclusion: 'failure',
        steps: STEPS,
        annotations: [
          { path: 'a.ts', start_line: 3, annotation_level: 'failure', message: 'got 2' },
        ],
        ...options,
      })
    },
  }
}
