import { mayRead } from '../principals.ts'
import type { Blame, BlamedCommit, BlameRange, Repository } from '../types.ts'
import { actor } from './actors.ts'
import { connection, type PageArgs } from './connection.ts'
import { issueNode } from './issues.ts'
import { demand } from './problems.ts'
import { repositoryNode } from './repository.ts'
import type { GraphContext, In, Of, Resolvers } from './types.ts'

/** A commit, of which a branch's head is known by its name and files alone. */
type OfCommit = In<BlamedCommit | { oid: string }>
type Info = Parameters<typeof connection>[2]

/** By `branch`, `branch:path`, `HEAD`, `refs/heads/branch` or a sha; null where nothing is there. */
function object(
  { of: repository }: Of<Repository>,
  { expression, oid }: { expression?: string | null; oid?: string | null },
  context: GraphContext,
) {
  demand(context, repository, 'contents=read')
  const [, name = '', path] = /^([^:]*)(?::(.*))?$/.exec(expression ?? oid ?? '') ?? []
  const ref = name === 'HEAD' ? String(repository.body.default_branch) : branchOf(name)
  const blames = repository.blames.filter(({ branch, sha }) => branch === ref || isSha(name, sha))
  const [first] = blames
  if (path === undefined) {
    const commit = first ? { oid: first.sha } : commitOf(repository, name)
    return commit && { __typename: 'Commit', of: commit, repository }
  }
  const file = blames.find((known) => known.path === path)
  return file && { __typename: 'Blob', of: file, repository }
}

const branchOf = (name: string) => name.replace(/^refs\/heads\//, '')
const isSha = (name: string, sha: string) => /^[0-9a-f]{7,40}$/.test(name) && sha.startsWith(name)

const commitOf = ({ blames }: Repository, name: string) =>
  blames
    .flatMap(({ ranges }) => ranges.map(({ commit }) => commit))
    .find(({ oid }) => isSha(name, oid))

/** A path that is not there has no ranges. */
function blame({ of: { oid }, repository }: OfCommit, { path }: { path: string }) {
  const found = repository.blames.find((known) => known.sha === oid && known.path === path)
  const ages = agesOf(found?.ranges ?? [])
  return {
    ranges: (found?.ranges ?? []).map(({ startingLine, endingLine, commit }, index) => ({
      startingLine,
      endingLine,
      age: ages[index],
      commit: { __typename: 'Commit', of: commit, repository },
    })),
  }
}

/** From 1, new, to 10, old. */
function agesOf(ranges: readonly BlameRange[]): number[] {
  const dates = [...new Set(ranges.map(({ commit }) => commit.committedDate))].sort().reverse()
  return ranges.map(({ commit }) =>
    Math.floor((dates.indexOf(commit.committedDate) * 9) / Math.max(1, dates.length - 1) + 1),
  )
}

/** What only a commit that wrote lines is known by. */
const detail =
  <T>(read: (commit: BlamedCommit) => T) =>
  ({ of: commit }: OfCommit) =>
    'message' in commit ? read(commit) : null

function pulls({ of: commit }: OfCommit, args: PageArgs, { ask }: GraphContext, info: Info) {
  const all = 'pulls' in commit ? commit.pulls : []
  const seen = all.filter(({ repository }) => mayRead(ask.principal, repository))
  return connection(seen, args, info, ({ body }) => body.id, issueNode)
}

const shortOf = ({ of: { oid } }: OfCommit) => oid.slice(0, 7)

export default {
  Repository: { object },
  Commit: {
    abbreviatedOid: shortOf,
    associatedPullRequests: pulls,
    author: detail(({ author, committedDate }) => ({
      name: author.name,
      email: author.email,
      date: committedDate,
      user: actor(author.user),
    })),
    blame,
    committedDate: detail(({ committedDate }) => committedDate),
    message: detail(({ message }) => message),
    messageBody: detail(({ message }) => message.split('\n').slice(1).join('\n').trim()),
    messageHeadline: detail(({ message }) => message.split('\n', 1)[0]),
    oid: ({ of: { oid } }: OfCommit) => oid,
    repository: ({ repository }: OfCommit) => repositoryNode(repository),
    url: ({ of: { oid }, repository }: OfCommit) =>
      `https://github.com/${repository.body.full_name}/commit/${oid}`,
  },
  Blob: {
    byteSize: ({ of: { text } }: In<Blame>) => Buffer.byteLength(text),
    isBinary: ({ of: { text } }: In<Blame>) => text.includes('\0'),
    isTruncated: () => false,
    text: ({ of: { text } }: In<Blame>) => (text.includes('\0') ? null : text),
  },
} satisfies Resolvers
