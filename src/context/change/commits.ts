import type { components } from '@octokit/openapi-types'
import { type Static, Type } from '@sinclair/typebox'
import type { Kept, Piece, Source } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { Nullable } from '../../core/schemas.ts'

export type GitHubCommit = components['schemas']['commit']

/** A commit as lists show it. */
export const Commit = Type.Object(
  {
    sha: Type.String(),
    author: Nullable(Type.String({ description: 'Login, where GitHub knows the account' })),
    author_name: Nullable(Type.String({ description: 'As the commit says, which nobody checks' })),
    date: Nullable(Type.String({ description: 'When it was committed' })),
    message: Type.String(),
    url: Type.String(),
  },
  { title: 'Commit' },
)
export type Commit = Static<typeof Commit>

export interface CommitPiece extends Piece {
  readonly part: 'commits'
  readonly commit: Commit
  /** Place in GitHub's list. */
  readonly position: number
}

export function commitOf({ author, commit, html_url, sha }: GitHubCommit): Commit {
  return {
    sha,
    author: author && 'login' in author ? (author.login ?? null) : null,
    author_name: commit.author?.name === undefined ? null : oneLine(commit.author.name),
    date: commit.committer?.date ?? commit.author?.date ?? null,
    message: commit.message,
    url: html_url,
  }
}

export const shortSha = (sha: string) => sha.slice(0, 10)

function commitHeading({ author, author_name, date, sha }: Commit): string {
  const name = author ?? oneLine(author_name ?? 'somebody')
  return [`### ${shortSha(sha)} ${name}`, date].filter(Boolean).join(', ')
}

/** The first matters most: lists begin with it where they begin with the newest. */
export function commitPieces(
  commits: readonly GitHubCommit[],
  offset: number,
  rank: number,
  by: Source,
): CommitPiece[] {
  return commits.map((source, index) => {
    const commit = commitOf(source)
    return {
      part: 'commits',
      heading: commitHeading(commit),
      text: commit.message.trim() || '(no message)',
      by,
      rank: rank + index,
      commit,
      position: offset + index,
    }
  })
}

export const isCommitPiece = (piece: Piece): piece is CommitPiece => piece.part === 'commits'

/** The commits that were kept, with no more of their messages than was kept. */
export function keptCommits(kept: readonly Kept[]): Commit[] {
  return kept.flatMap(({ piece, text }) =>
    isCommitPiece(piece) ? [{ ...piece.commit, message: piece.commit.message && text }] : [],
  )
}

/**
 * Whose words commits are that a ref leads to. Branches and tags hold what those let in who may
 * write. By its sha, and by `pull/…`, GitHub also finds what strangers pushed to forks.
 */
export function sourceOfRef(ref: string | undefined): Source {
  const isOwn = ref === undefined || !/^[0-9a-f]{7,40}$|^(?:refs\/)?pull\/|:/i.test(ref)
  return isOwn ? 'repository' : { login: 'whoever pushed it', association: 'NONE' }
}
