import { type Static, Type } from '@sinclair/typebox'
import type { Author, Kept, Piece, Source } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { Nullable } from '../../core/schemas.ts'
import { isTrusted, trustOf } from '../../core/trust.ts'
import { facts, lines, loginOf } from '../common/render.ts'
import { nameOfLines, type Written } from './lines.ts'
import type { GraphCommit, GraphItem, GraphPull } from './query.ts'

const Item = Type.Object({
  name: Type.String({ description: '`owner/repo#1`' }),
  title: Type.String(),
  state: Type.String({ description: '`open`, `closed` or `merged`' }),
  author: Type.String(),
  url: Type.String(),
})
type Item = Static<typeof Item>

/** A commit as blocks hold it. */
export const BlamedCommit = Type.Object({
  sha: Type.String(),
  lines: Type.Array(Type.String(), { description: 'Ranges of lines that it wrote: `3–7`' }),
  message: Type.String(),
  author: Type.String({ description: 'Login; the name in the commit where there is no account' }),
  date: Type.String(),
  url: Type.String(),
  pull_request: Type.Union([Item, Type.Null()], { description: 'What brought it in' }),
  issues: Type.Array(Item, { description: 'What that closes' }),
})
export type BlamedCommit = Static<typeof BlamedCommit>

/** What is behind a commit: the pull request that brought it in, and the issues that it closes. */
export interface Behind {
  readonly pull: GraphPull
  readonly issues: readonly (GraphItem & { readonly issueState: string })[]
}

export interface CommitPiece extends Piece {
  readonly written: Written
  readonly commit: BlamedCommit
}

/** @param repository in GitHub's spelling: what somebody is elsewhere says nothing of the trust that they have here */
export function commitPieces(
  writers: readonly Written[],
  behind: ReadonlyMap<string, Behind>,
  repository: string,
): CommitPiece[] {
  // The newest are the likeliest to be asked about.
  const dates = writers
    .map(({ commit }) => commit.committedDate)
    .toSorted()
    .toReversed()
  return writers.map((written) => {
    const { commit } = written
    const why = behind.get(commit.oid)
    const told = blamedCommit(written, why)
    return {
      part: 'commits',
      heading: lines(`## Lines ${told.lines.join(', ')}`, headingFacts(told)),
      text: textOf(commit, told),
      by: leastTrusted(why, repository),
      rank: dates.indexOf(commit.committedDate),
      written,
      commit: told,
    }
  })
}

function blamedCommit({ commit, ranges }: Written, why: Behind | undefined): BlamedCommit {
  return {
    sha: commit.oid,
    lines: ranges.map(nameOfLines),
    message: commit.message.trim(),
    author: commit.author?.user?.login ?? (oneLine(commit.author?.name ?? '') || loginOf(null)),
    date: commit.committedDate,
    url: commit.url,
    pull_request: why ? itemOf(why.pull, why.pull.pullState) : null,
    issues: (why?.issues ?? []).map((issue) => itemOf(issue, issue.issueState)),
  }
}

function itemOf(item: GraphItem, state: string): Item {
  return {
    name: `${item.repository.nameWithOwner}#${item.number}`,
    title: oneLine(item.title),
    state: state.toLowerCase(),
    author: loginOf(item.author),
    url: item.url,
  }
}

function headingFacts({ author, date, issues, pull_request: pull, sha }: BlamedCommit): string {
  return facts({
    Commit: sha.slice(0, 10),
    Date: date,
    Author: author,
    'Pull request': pull && `${pull.name} (${pull.state}) by ${pull.author}`,
    Closes: issues.map(({ name, state }) => `${name} (${state})`).join(', '),
  })
}

/** The reasons first: what is cut is the end of a long message. */
function textOf({ message }: GraphCommit, { issues, pull_request: pull }: BlamedCommit): string {
  const [headline = '', ...body] = message.trim().split('\n')
  return lines(
    headline || '(no message)',
    pull && `Pull request ${pull.name}: ${pull.title}`,
    ...issues.map(({ name, title }) => `Closes ${name}: ${title}`),
    body.join('\n').trim(),
  )
}

/** A commit's message is what the repository let in; titles are their authors'. */
function leastTrusted(why: Behind | undefined, repository: string): Source {
  const authors = why ? [why.pull, ...why.issues].map((item) => authorOf(item, repository)) : []
  return authors.reduce<Source>(
    (least, by) => (isTrusted(by, trustOf(least)) ? least : by),
    'repository',
  )
}

function authorOf(item: GraphItem, repository: string): Author {
  const here = item.repository.nameWithOwner === repository
  return { login: loginOf(item.author), association: here ? item.authorAssociation : 'NONE' }
}

/** With no more of each text than was kept. */
export function keptCommit({ piece, text }: Kept): BlamedCommit {
  const { commit } = piece as CommitPiece
  if (text === piece.text) return commit
  const shown = (item: Item) => (text.includes(item.title) ? item : { ...item, title: '' })
  return {
    ...commit,
    message: text,
    pull_request: commit.pull_request && shown(commit.pull_request),
    issues: commit.issues.map(shown),
  }
}

export const blameFields = {
  path: Type.String(),
  ref: Type.String(),
  sha: Type.String({ description: 'Commit at which the file was looked at' }),
  kind: Type.Unsafe<'text' | 'empty' | 'binary'>(
    Type.String({ enum: ['text', 'empty', 'binary'] }),
  ),
  start_line: Nullable(Type.Integer()),
  end_line: Nullable(Type.Integer()),
  lines: Type.Integer({ description: 'Lines that the file has' }),
  commits: Type.Array(BlamedCommit, { description: 'In the order of their first lines' }),
}
