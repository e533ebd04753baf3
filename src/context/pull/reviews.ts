import type { components } from '@octokit/openapi-types'
import { type Static, Type } from '@sinclair/typebox'
import type { Piece } from '../../core/provider.ts'
import { blockFields, Nullable, type Omission } from '../../core/schemas.ts'
import { facts, loginOf } from '../common/render.ts'
import { windowsOf } from '../common/windows.ts'
import { nextPart, type PartRequest, PULL, type PullPart, partDraft } from './parts.ts'

type GitHubReview = components['schemas']['pull-request-review']

const Review = Type.Object(
  {
    author: Type.String(),
    association: Type.String({
      description: "The author's relation to the repository, as GitHub names it",
    }),
    state: Type.String({
      description: '`approved`, `changes_requested`, `commented`, `dismissed` or `pending`',
    }),
    body: Type.String(),
    submitted_at: Nullable(Type.String()),
    commit: Nullable(Type.String({ description: 'Sha that was reviewed' })),
    url: Type.String(),
  },
  { title: 'Review' },
)
type Review = Static<typeof Review>

export const reviewsBlock = Type.Object({ ...blockFields, reviews: Type.Array(Review) })

interface ReviewPiece extends Piece {
  readonly part: 'reviews'
  readonly review: Review
  readonly position: number
}

const USUAL = 100
const RANKS: Readonly<Record<string, number>> = { changes_requested: 2, approved: 6 }
const COMMENTED = 25
/** No word of its own: what it says stands in its threads. */
const WORDLESS = 400

/** Who approved, who asked for changes, and with what words. */
export async function readReviews(request: PartRequest): Promise<PullPart> {
  const { context, most = USUAL, place, window = {} } = request
  const { limit = most, offset = 0 } = window
  const [pull, { items, more }] = await Promise.all([
    request.pull,
    context.github.list<GitHubReview>(`${PULL}/reviews`, { params: place, offset, limit }),
  ])
  const pieces = items.map((review, index) => pieceOf(review, offset + index, items.length - index))
  const omission = (at: { offset: number; limit: number }, reason: string): Omission => ({
    what: 'reviews',
    reason,
    next: nextPart(pull, 'reviews', at),
  })
  return {
    draft: partDraft({
      type: 'github_pull_request_reviews',
      name: 'Reviews',
      pull,
      from: context,
      facts: facts({ Latest: verdicts(pieces) }),
      pieces,
      nothing: 'No reviews.',
      fields: (kept) => ({
        reviews: kept.flatMap(({ piece, text }) =>
          isReviewPiece(piece) ? [{ ...piece.review, body: piece.review.body && text }] : [],
        ),
      }),
      omit: (dropped, cut, reason) =>
        windowsOf([...dropped, ...cut].filter(isReviewPiece).map((piece) => piece.position)).map(
          (at) => ({ ...omission(at, reason), count: at.limit }),
        ),
    }),
    omitted: more ? [omission({ offset: offset + items.length, limit }, 'limit')] : [],
  }
}

const isReviewPiece = (piece: Piece): piece is ReviewPiece => piece.part === 'reviews'

function pieceOf(source: GitHubReview, position: number, age: number): ReviewPiece {
  const review: Review = {
    author: loginOf(source.user),
    association: source.author_association ?? 'NONE',
    state: source.state.toLowerCase(),
    body: source.body ?? '',
    submitted_at: source.submitted_at ?? null,
    commit: source.commit_id ?? null,
    url: source.html_url,
  }
  const { association, author, body, state, submitted_at } = review
  const verdict = RANKS[state]
  const rank = verdict ?? (body ? COMMENTED : WORDLESS)
  return {
    part: 'reviews',
    heading: `### ${state.replace('_', ' ')} by ${author} (${association.toLowerCase()}), ${submitted_at ?? 'not submitted'}`,
    text: body || '(no text)',
    by: body ? { login: author, association } : 'service',
    // The newest of a kind first.
    rank: rank + age / 1_000,
    review,
    position,
  }
}

/** Everybody's last verdict. */
function verdicts(pieces: readonly ReviewPiece[]): string {
  const latest = new Map<string, string>()
  for (const { review } of pieces) {
    if (review.state === 'commented' || review.state === 'pending') continue
    latest.set(review.author, review.state.replace('_', ' '))
  }
  return [...latest].map(([author, state]) => `${author} ${state}`).join(', ')
}
