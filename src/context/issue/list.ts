import { type Static, Type } from '@sinclair/typebox'
import type { Kept, Piece } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { excerptOf } from '../common/excerpt.ts'
import { lines } from '../common/render.ts'
import {
  authorOf,
  type GitHubIssue,
  issueFacts,
  issueFields,
  issueFieldsOf,
  issueName,
} from './fields.ts'
import type { FoundIssue } from './scan.ts'

/** An issue as lists show it. */
export const ListedIssue = Type.Object({
  name: Type.String({ description: '`owner/repo#1`' }),
  title: Type.String(),
  url: Type.String(),
  ...issueFields,
  excerpt: Type.String({ description: 'The start of the text' }),
  body: Type.Optional(Type.String({ description: 'The whole text, with `texts: whole`' })),
})

export interface IssuePiece extends Piece {
  readonly found: FoundIssue
  /** Whether it holds the whole text. */
  readonly complete: boolean
}

/**
 * @param nameOf what the issue is called in the list
 * @param complete whether whole texts are wanted
 */
export function issuePieces(
  found: readonly FoundIssue[],
  nameOf: (issue: GitHubIssue) => string,
  complete = false,
): IssuePiece[] {
  return found.map((one, index) => ({
    part: 'issues',
    heading: lines(`## ${nameOf(one.issue)}`, issueFacts(one.issue)),
    text: lines(
      oneLine(one.issue.title),
      complete ? one.issue.body?.trim() : excerptOf(one.issue.body),
    ),
    by: authorOf(one.issue),
    rank: index,
    whole: true,
    found: one,
    complete,
  }))
}

export function listedIssues(kept: readonly Kept[]): Static<typeof ListedIssue>[] {
  return kept.map(({ piece }) => {
    const { complete, found } = piece as IssuePiece
    const { issue } = found
    return {
      name: issueName(issue),
      title: issue.title,
      url: issue.html_url,
      ...issueFieldsOf(issue),
      excerpt: excerptOf(issue.body),
      ...(complete ? { body: issue.body?.trim() ?? '' } : {}),
    }
  })
}

/** Unbroken runs of lost issues, as windows of GitHub's list. */
export function runsOf(pieces: readonly IssuePiece[], lost: ReadonlySet<Piece>) {
  const runs: { offset: number; limit: number }[] = []
  let open = false
  for (const piece of pieces) {
    const isLost = lost.has(piece)
    const run = runs.at(-1)
    if (isLost && open && run) run.limit += 1
    else if (isLost) runs.push({ offset: piece.found.position, limit: 1 })
    open = isLost
  }
  return runs
}
