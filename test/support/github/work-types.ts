/** What people and machines do to a repository's code: pull requests, reviews, checks, workflow runs. */
import type { Body, Issue, Repository } from './types.ts'

export interface FileBody extends Body {
  readonly filename: string
  readonly status: string
  readonly additions: number
  readonly deletions: number
  readonly changes: number
  /** Absent for what is binary or too large to show. */
  readonly patch?: string
  readonly previous_filename?: string
}

export interface ReviewBody extends Body {
  readonly id: number
  readonly state: string
}

export interface Pull {
  /** A pull request is an issue too: title, text, state, labels and comments are the issue's. */
  issue: Issue
  /** Fields of the body that are not the issue's, and those that are set rather than computed. */
  own: Body
  base: { ref: string; sha: string }
  /** `repository` is null where the fork is gone. */
  head: { ref: string; sha: string; login: string; repository: Repository | null }
  /** Set where they are not what git says. */
  files?: FileBody[]
  /** Bodies, set where they are not what git says. */
  commits?: Body[]
  reviews: ReviewBody[]
  /** What GitHub finds in the background once somebody has asked whether it can be merged. */
  computes?: Body
}

export interface CheckRunBody extends Body {
  readonly id: number
  readonly name: string
  readonly head_sha: string
  readonly status: string
  readonly conclusion: string | null
}

export interface CheckRun {
  body: CheckRunBody
  annotations: Body[]
}

export interface StatusBody extends Body {
  readonly id: number
  readonly context: string
  readonly state: string
}

export interface RunBody extends Body {
  readonly id: number
  readonly head_sha: string
  readonly head_branch: string | null
  readonly status: string
  readonly conclusion: string | null
  readonly created_at: string
  readonly run_attempt: number
}

export interface JobBody extends Body {
  readonly id: number
  readonly run_attempt: number
}

export interface Job {
  body: JobBody
  /** The text, or what makes it piece by piece. Absent while it runs; gone after 90 days. */
  log?: string | (() => Iterable<string>) | { readonly expired: true }
  /** Where the log is said to be, if not in the simulator's own store. */
  location?: string
}

export interface Run {
  body: RunBody
  jobs: Job[]
}

export interface Work {
  pulls: Map<number, Pull>
  /** Bodies of commits that were documented rather than made, by sha. */
  documented: Map<string, Body>
  /** What commits change, by sha, where that is set rather than what git says. */
  files: Map<string, FileBody[]>
  checkRuns: CheckRun[]
  /** By sha, oldest first. */
  statuses: Map<string, StatusBody[]>
  runs: Map<number, Run>
}

export const newWork = (): Work => ({
  pulls: new Map(),
  documented: new Map(),
  files: new Map(),
  checkRuns: [],
  statuses: new Map(),
  runs: new Map(),
})
