import type { components } from '@octokit/openapi-types'
import { type Static, Type } from '@sinclair/typebox'
import type { Listing } from '../../core/github.ts'
import type { CachePolicy, Piece, Source } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { blockFields, Nullable, type Omission } from '../../core/schemas.ts'
import { facts, lines } from '../common/render.ts'
import { windowsOf } from '../common/windows.ts'
import { type GitHubPull, pullAuthor } from './fields.ts'
import { nextPart, type PartName, type PartRequest, type PullPart, partDraft } from './parts.ts'

export type GitHubCheckRun = Omit<components['schemas']['check-run'], 'id'> & {
  readonly id: number
}
type GitHubStatus = components['schemas']['simple-commit-status']

const Check = Type.Object(
  {
    kind: Type.String({ description: '`check_run` or `status`' }),
    name: Type.String(),
    outcome: Type.String({
      description: 'GitHub’s conclusion or state, or `queued`, `in_progress` and the like',
    }),
    app: Nullable(Type.String({ description: 'Slug of the GitHub App that ran it' })),
    run_id: Nullable(
      Type.Integer({ description: 'Of the workflow run, for `github_workflow_run`' }),
    ),
    title: Nullable(Type.String()),
    summary: Nullable(Type.String()),
    annotations: Type.Integer(),
    url: Nullable(Type.String()),
  },
  { title: 'Check' },
)
type Check = Static<typeof Check>

export const checksBlock = Type.Object({
  ...blockFields,
  sha: Type.String({ description: 'The commit that was checked' }),
  failing: Type.Integer(),
  pending: Type.Integer(),
  checks: Type.Array(Check, { description: 'Failing ones first' }),
})

/** Conclusions that stand in the way of a merge (docs.github.com/rest/checks/runs, "conclusion"). */
const FAILING = new Set(['failure', 'timed_out', 'startup_failure', 'action_required', 'error'])
const FINISHED = new Set(['success', 'neutral', 'skipped', 'cancelled', 'stale', ...FAILING])

/** A running check is soon another. */
const RUNNING: CachePolicy = { freshFor: 10, staleFor: 0, keepFor: 300 }
const USUAL = 100
const RANKS = { failing: 1, output: 5, pending: 20, done: 200 }
/** Checks in one piece, where there is nothing to say but that they are done. */
const TOGETHER = 20

interface PlacedCheck {
  readonly check: Check
  readonly part: 'checks' | 'statuses'
  /** Place in GitHub's list of its part. */
  readonly position: number
}

interface CheckPiece extends Piece {
  readonly checks: readonly PlacedCheck[]
  /** What the check itself says, rather than that there is one. */
  readonly output?: true
}

const NONE: Listing<never> = { items: [], more: false }

/** Checks and statuses of the pull request's head, failing ones first. They need its sha: a second round. */
export async function readChecks(
  request: PartRequest,
  wanted: ReadonlySet<PartName>,
): Promise<PullPart> {
  const { context, window = {} } = request
  const pull = await request.pull
  const { owner, repo } = request.place
  const params = { owner, repo, sha: pull.head.sha }
  const { limit = USUAL, offset = 0 } = window
  const path = '/repos/{owner}/{repo}/commits/{sha}'
  const range = { params, offset, limit }
  const [runs, statuses] = await Promise.all([
    wanted.has('checks')
      ? context.github.list<GitHubCheckRun>(`${path}/check-runs`, { ...range, under: 'check_runs' })
      : NONE,
    wanted.has('statuses')
      ? context.github.list<GitHubStatus>(`${path}/status`, { ...range, under: 'statuses' })
      : NONE,
  ])
  const all: PlacedCheck[] = [
    ...runs.items.map((run, i) => placed(checkOfRun(run), 'checks', offset + i)),
    ...statuses.items.map((status, i) => placed(checkOfStatus(status), 'statuses', offset + i)),
  ]
  const failing = all.filter(({ check }) => FAILING.has(check.outcome))
  const pending = all.filter(({ check }) => !FINISHED.has(check.outcome))
  const done = all.filter((one) => !failing.includes(one) && !pending.includes(one))
  const by = pullAuthor(pull)
  const pieces = [
    ...failing.flatMap((one) => [factsPiece(one, RANKS.failing), ...outputPieces(one, by)]),
    ...pending.map((one) => factsPiece(one, RANKS.pending)),
    ...donePieces(done),
  ]
  const draft = partDraft({
    type: 'github_pull_request_checks',
    name: 'Checks',
    pull,
    from: context,
    page: '/checks',
    facts: facts({
      Commit: pull.head.sha,
      Failing: failing.length,
      Pending: pending.length,
      Other: done.length,
    }),
    pieces,
    nothing: 'No checks.',
    fields: (kept) => ({
      sha: pull.head.sha,
      failing: failing.length,
      pending: pending.length,
      checks: kept.flatMap(({ piece }) =>
        isCheckPiece(piece) && !piece.output
          ? piece.checks.map((one) => fieldsOf(one, kept.find(isOutputOf(one))?.text))
          : [],
      ),
    }),
    omit: (dropped, cut, reason) =>
      omissionsOf([...dropped, ...cut].filter(isCheckPiece), pull, reason),
  })
  return {
    draft,
    omitted: [
      ...(runs.more ? [rest(pull, 'checks', offset + runs.items.length, limit, runs)] : []),
      ...(statuses.more
        ? [rest(pull, 'statuses', offset + statuses.items.length, limit, statuses)]
        : []),
    ],
    ...(pending.length > 0 ? { cache: RUNNING } : {}),
  }
}

const placed = (check: Check, part: PlacedCheck['part'], position: number): PlacedCheck => ({
  check,
  part,
  position,
})

const isCheckPiece = (piece: Piece): piece is CheckPiece => piece.part === 'checks'

const isOutputOf =
  (one: PlacedCheck) =>
  ({ piece }: { piece: Piece }): boolean =>
    isCheckPiece(piece) && piece.output === true && piece.checks[0] === one

function checkOfRun(run: GitHubCheckRun): Check {
  const url = run.details_url ?? run.html_url ?? null
  return {
    kind: 'check_run',
    name: run.name,
    outcome: run.conclusion ?? run.status,
    app: run.app?.slug ?? null,
    run_id: runIdOf(url),
    title: run.output.title ?? null,
    summary: run.output.summary ?? null,
    annotations: run.output.annotations_count,
    url,
  }
}

/** A job of GitHub Actions is a check run that leads to its page. */
export function runIdOf(url: string | null): number | null {
  const id = /\/actions\/runs\/(\d{1,15})(?:\/|$)/.exec(url ?? '')?.[1]
  return id === undefined ? null : Number(id)
}

function checkOfStatus({ context, description, state, target_url }: GitHubStatus): Check {
  return {
    kind: 'status',
    name: context,
    outcome: state,
    app: null,
    run_id: runIdOf(target_url ?? null),
    title: null,
    summary: description ?? null,
    annotations: 0,
    url: target_url ?? null,
  }
}

const nameOf = ({ app, name }: Check) =>
  app ? `${oneLine(name)} (${oneLine(app)})` : oneLine(name)

function factsPiece(one: PlacedCheck, rank: number): CheckPiece {
  const { annotations, outcome, run_id } = one.check
  return {
    part: 'checks',
    text: [
      `- ${outcome.replaceAll('_', ' ')}: ${nameOf(one.check)}`,
      facts({ 'Workflow run': run_id, Annotations: annotations > 0 && annotations }),
    ]
      .filter(Boolean)
      .join(' · '),
    by: 'service',
    rank,
    whole: true,
    checks: [one],
  }
}

/** What a check says may come out of the code that it checked: no more trusted than that. */
function outputPieces(one: PlacedCheck, by: Source): CheckPiece[] {
  const { app, summary, title } = one.check
  const text = lines(title, summary).trim()
  if (text === '') return []
  const association = typeof by === 'object' ? by.association : 'NONE'
  return [
    {
      part: 'checks',
      heading: `### Output of ${nameOf(one.check)}`,
      text,
      by: { login: app ?? 'whoever set the status', association },
      rank: RANKS.output,
      checks: [one],
      output: true,
    },
  ]
}

/** By outcome and app, which are then said once. */
function donePieces(done: readonly PlacedCheck[]): CheckPiece[] {
  const pieces: CheckPiece[] = []
  const alike = Map.groupBy(done, ({ check: { app, outcome } }) =>
    [outcome.replaceAll('_', ' '), app && `by ${oneLine(app)}`].filter(Boolean).join(', '),
  )
  for (const [group, all] of alike) {
    for (let start = 0; start < all.length; start += TOGETHER) {
      const checks = all.slice(start, start + TOGETHER)
      pieces.push({
        part: 'checks',
        heading: `### ${group}`,
        group,
        text: checks.map(({ check }) => `- ${oneLine(check.name)}`).join('\n'),
        by: 'service',
        rank: RANKS.done,
        whole: true,
        checks,
      })
    }
  }
  return pieces
}

/** A check with no more of what it says than was kept. */
function fieldsOf({ check }: PlacedCheck, output: string | undefined): Check {
  if (output === undefined) return { ...check, title: null, summary: null }
  const whole = lines(check.title, check.summary).trim()
  return output === whole ? check : { ...check, title: null, summary: output }
}

function omissionsOf(lost: readonly CheckPiece[], pull: GitHubPull, reason: string): Omission[] {
  const checks = [...new Set(lost.flatMap((piece) => piece.checks))]
  return (['checks', 'statuses'] as const).flatMap((part) =>
    windowsOf(checks.filter((one) => one.part === part).map(({ position }) => position)).map(
      (window) => ({
        what: part,
        count: window.limit,
        reason,
        next: nextPart(pull, part, window),
      }),
    ),
  )
}

function rest(
  pull: GitHubPull,
  part: 'checks' | 'statuses',
  offset: number,
  limit: number,
  { head }: Listing<unknown>,
): Omission {
  const total = (head as { total_count?: number } | undefined)?.total_count
  return {
    what: part,
    ...(total === undefined ? {} : { count: total - offset }),
    reason: 'limit',
    next: nextPart(pull, part, { offset, limit }),
  }
}
