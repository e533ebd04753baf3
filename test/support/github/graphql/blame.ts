import { type BlameRange, blame, pullsOf } from '../blames.ts'
import { commitNamed } from '../commits.ts'
import { accountOf } from '../files.ts'
import { entryAt, type GitBlob, type GitCommit } from '../git.ts'
import { mayRead } from '../principals.ts'
import type { Repository } from '../types.ts'
import { actor } from './actors.ts'
import { connection, type PageArgs } from './connection.ts'
import { issueNode } from './issues.ts'
import { demand } from './problems.ts'
import { repositoryNode } from './repository.ts'
import type { GraphContext, In, Of, Resolvers } from './types.ts'

type OfCommit = In<GitCommit>
type OfTag = In<{ name: string; commit: GitCommit }>
type Info = Parameters<typeof connection>[2]

const commitNode = (of: GitCommit, repository: Repository): OfCommit => ({
  __typename: 'Commit',
  of,
  repository,
})

interface ObjectArgs {
  expression?: string | null
  oid?: string | null
}

/** By `ref`, `ref:path`, `HEAD`, `refs/heads/…` or a sha; null where nothing is there. */
function object({ of: repository }: Of<Repository>, args: ObjectArgs, context: GraphContext) {
  demand(context, repository, 'contents=read')
  const { git } = repository
  const [, ref = '', path] =
    /^([^:]*)(?::([\s\S]*))?$/.exec(args.expression ?? args.oid ?? '') ?? []
  const commit = commitNamed(repository, ref)
  if (!commit) return null
  const name = ref.replace(/^refs\/tags\//, '')
  if (path === undefined) {
    return git.annotated.has(name)
      ? { __typename: 'Tag', of: { name, commit }, repository }
      : commitNode(commit, repository)
  }
  const entry = entryAt(git, commit.tree, path)
  const blob = entry && git.blobs.get(entry.sha)
  if (blob) return { __typename: 'Blob', of: blob, repository }
  return entry?.mode === '40000' ? { __typename: 'Tree', of: entry, repository } : null
}

/** A path that is not there has no ranges. */
function blameOf({ of: commit, repository }: OfCommit, { path }: { path: string }) {
  const ranges = blame(repository, commit, path)
  const ages = agesOf(ranges)
  return {
    ranges: ranges.map(({ startingLine, endingLine, commit: writer }, index) => ({
      startingLine,
      endingLine,
      age: ages[index],
      commit: commitNode(writer, repository),
    })),
  }
}

/** From 1, new, to 10, old. */
function agesOf(ranges: readonly BlameRange[]): number[] {
  const dateOf = ({ commit }: BlameRange) => commit.committer.date
  const dates = [...new Set(ranges.map(dateOf))].sort().reverse()
  return ranges.map((range) =>
    Math.floor((dates.indexOf(dateOf(range)) * 9) / Math.max(1, dates.length - 1) + 1),
  )
}

function pulls(
  { of: { sha }, repository }: OfCommit,
  args: PageArgs,
  context: GraphContext,
  info: Info,
) {
  demand(context, repository, 'pull_requests=read')
  const { principal } = context.ask
  const seen = pullsOf(repository, sha).filter((pull) => mayRead(principal, pull.repository))
  return connection(seen, args, info, ({ body }) => body.id, issueNode)
}

const git = {
  abbreviatedOid: ({ of: { sha } }: OfCommit | In<GitBlob>) => sha.slice(0, 7),
  oid: ({ of: { sha } }: OfCommit | In<GitBlob>) => sha,
  repository: ({ repository }: In<unknown>) => repositoryNode(repository),
}

const isBinary = ({ of: { bytes } }: In<GitBlob>) => bytes.subarray(0, 8_000).includes(0)

export default {
  Repository: { object },
  Commit: {
    ...git,
    associatedPullRequests: pulls,
    author: ({ of: { author } }: OfCommit, _: unknown, { ask }: GraphContext) => ({
      ...author,
      user: actor(accountOf(ask.world, author)),
    }),
    blame: blameOf,
    committedDate: ({ of: { committer } }: OfCommit) => committer.date,
    message: ({ of: { message } }: OfCommit) => message.replace(/\n+$/, ''),
    messageBody: ({ of: { message } }: OfCommit) => message.split('\n').slice(1).join('\n').trim(),
    messageHeadline: ({ of: { message } }: OfCommit) => message.split('\n', 1)[0],
    url: ({ of: { sha }, repository }: OfCommit) =>
      `https://github.com/${repository.body.full_name}/commit/${sha}`,
  },
  Tag: {
    name: ({ of: { name } }: OfTag) => name,
    target: ({ of: { commit }, repository }: OfTag) => commitNode(commit, repository),
  },
  Blob: {
    ...git,
    byteSize: ({ of: { bytes } }: In<GitBlob>) => bytes.length,
    isBinary,
    isTruncated: () => false,
    text: (source: In<GitBlob>) => (isBinary(source) ? null : source.of.bytes.toString()),
  },
} satisfies Resolvers
