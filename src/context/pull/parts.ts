import { ServiceError } from '../../core/errors.ts'
import type { CachePolicy, Draft, FetchContext, Kept, Piece } from '../../core/provider.ts'
import type { Omission } from '../../core/schemas.ts'
import type { DiffEntry } from '../change/patches.ts'
import type { PartWindow } from '../common/partWindow.ts'
import { lines } from '../common/render.ts'
import { type GitHubPull, pullName, pullRepository } from './fields.ts'

/** Parts of a pull request that can be included, each a block of its own. */
export const PARTS = [
  'files',
  'patches',
  'reviews',
  'threads',
  'comments',
  'commits',
  'checks',
  'statuses',
  'linked',
] as const
export type PartName = (typeof PARTS)[number]

/** What a part is read with. */
export interface PartRequest {
  readonly context: FetchContext
  readonly place: { readonly owner: string; readonly repo: string; readonly pull_number: number }
  /** The pull request itself, which is read at the same time. */
  readonly pull: Promise<GitHubPull>
  /** Undefined where the part comes with others. */
  readonly window: PartWindow | undefined
  /** Entries at most where there is no window, if that is more or less than usual. */
  readonly most?: number
}

export interface PullPart {
  readonly draft: Draft
  /** Files whose patches it shows. */
  readonly patches?: readonly DiffEntry[]
  /** Left out for other reasons than budget and trust. */
  readonly omitted: readonly Omission[]
  /** Where this part changes sooner than the rest. */
  readonly cache?: CachePolicy
}

export const PULL = '/repos/{owner}/{repo}/pulls/{pull_number}'

/** The request for some entries of one part. */
export function nextPart(pull: GitHubPull, part: PartName, window: PartWindow): Omission['next'] {
  const { owner, repo } = pullRepository(pull)
  return {
    context_type: 'github_pull_request',
    params: { owner, repo, pull_number: pull.number, include: [part], ...window },
  }
}

export interface PartContent {
  /** `type` of the block. */
  readonly type: string
  /** What it is, for the heading: `Reviews`. */
  readonly name: string
  readonly pull: GitHubPull
  readonly from: FetchContext
  readonly facts?: string
  readonly page?: string
  readonly pieces: readonly Piece[]
  readonly nothing: string
  fields(kept: readonly Kept[]): Record<string, unknown>
  omit: Draft['omit']
}

/** A part as a block. It always has a piece, so that leaving it out can be named. */
export function partDraft(content: PartContent): Draft {
  const { facts, fields, from, name, nothing, omit, page, pieces, pull, type } = content
  const title = `${name} of ${pullName(pull)}`
  const empty: Piece = { part: 'nothing', text: nothing, by: 'service', rank: 100, whole: true }
  return {
    type,
    id: `${type}:${pullName(pull)}`,
    title,
    url: pull.html_url + (page ?? ''),
    // The pull request's own block has its title and address.
    head: lines(`# ${title}`, facts),
    by: 'service',
    pieces: pieces.length > 0 ? pieces : [empty],
    from,
    fields,
    omit,
  }
}

/** A part that GitHub refuses to this credential says so, and does not keep the rest from being answered. */
export async function orRefused(
  name: PartName,
  request: PartRequest,
  part: Promise<PullPart>,
  fields: Record<string, unknown>,
  type: string,
): Promise<PullPart> {
  try {
    return await part
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'upstream_forbidden') throw error
    return {
      draft: partDraft({
        type,
        name: name[0]?.toUpperCase() + name.slice(1),
        pull: await request.pull,
        from: request.context,
        pieces: [],
        nothing: error.detail,
        fields: () => fields,
        omit: () => [],
      }),
      omitted: [{ what: name, reason: 'upstream_forbidden' }],
    }
  }
}
