import { type Static, Type } from '@sinclair/typebox'
import type { Kept, Piece } from '../core/provider.ts'
import { oneLine } from '../core/quote.ts'
import {
  authorOf,
  type GitHubIssue,
  issueFacts,
  issueFields,
  issueFieldsOf,
  issueName,
} from './issueFields.ts'
import type { FoundIssue } from './issueScan.ts'
import { lines } from './render.ts'

const EXCERPT_CHARACTERS = 280

/** An issue as lists show it. */
export const ListedIssue = Type.Object({
  name: Type.String({ description: '`owner/repo#1`' }),
  title: Type.String(),
  url: Type.String(),
  ...issueFields,
  excerpt: Type.String({ description: 'The start of the text' }),
})

export interface IssuePiece extends Piece {
  readonly found: FoundIssue
}

/** @param nameOf what the issue is called in the list */
export function issuePieces(
  found: readonly FoundIssue[],
  nameOf: (issue: GitHubIssue) => string,
): IssuePiece[] {
  return found.map((one, index) => ({
    part: 'issues',
    heading: lines(`## ${nameOf(one.issue)}`, issueFacts(one.issue)),
    text: lines(oneLine(one.issue.title), excerptOf(one.issue)),
    by: authorOf(one.issue),
    rank: index,
    whole: true,
    found: one,
  }))
}

export function listedIssues(kept: readonly Kept[]): Static<typeof ListedIssue>[] {
  return kept.map(({ piece }) => {
    const { issue } = (piece as IssuePiece).found
    return {
      name: issueName(issue),
      title: issue.title,
      url: issue.html_url,
      ...issueFieldsOf(issue),
      excerpt: excerptOf(issue),
    }
  })
}

/** The start of an issue's text on one line. */
function excerptOf({ body }: GitHubIssue): string {
  const text = oneLine(body ?? '')
  if (text.length <= EXCERPT_CHARACTERS) return text
  return `${text.slice(0, text.lastIndexOf(' ', EXCERPT_CHARACTERS))} …`
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
