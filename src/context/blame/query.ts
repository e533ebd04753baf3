import { invalid, ServiceError } from '../../core/errors.ts'
import type { GitHub } from '../../core/github.ts'
import type { Actor, GraphRepository } from '../common/graph.ts'

/** A commit that wrote lines. */
export interface GraphCommit {
  readonly oid: string
  readonly message: string
  readonly committedDate: string
  readonly url: string
  readonly author: { readonly name: string | null; readonly user: Actor } | null
}

export interface GraphRange {
  readonly startingLine: number
  readonly endingLine: number
  readonly commit: GraphCommit
}

/** An issue or a pull request behind a commit. */
export interface GraphItem {
  readonly number: number
  readonly title: string
  readonly url: string
  readonly author: Actor
  readonly authorAssociation: string
  readonly repository: GraphRepository
}

export interface GraphPull extends GraphItem {
  readonly pullState: string
  readonly closingIssuesReferences: {
    readonly nodes: readonly ((GraphItem & { readonly issueState: string }) | null)[] | null
  } | null
}

interface Found extends GraphRepository {
  readonly at: { readonly __typename: string } | null
  readonly file: {
    readonly __typename: string
    readonly isBinary?: boolean | null
    readonly byteSize?: number
  } | null
}

interface Blamed {
  readonly oid: string
  readonly blame: { readonly ranges: readonly GraphRange[] }
}

export interface BlameOf {
  readonly owner: string
  readonly repo: string
  readonly ref: string
  readonly path: string
}

/** Who wrote the lines of a file as it is at one commit. */
export interface FileBlame {
  readonly repository: GraphRepository
  readonly sha: string
  readonly kind: 'text' | 'empty' | 'binary'
  /** From the first line to the last; none unless there is text. */
  readonly ranges: readonly GraphRange[]
}

const FILE_QUERY = `query($owner: String!, $repo: String!, $ref: String!, $file: String!) {
  repository(owner: $owner, name: $repo) {
    nameWithOwner visibility
    at: object(expression: $ref) { __typename }
    file: object(expression: $file) { __typename ... on Blob { isBinary byteSize } }
  }
}`

/** An annotated tag is an object of its own, which leads to the commit. */
const BLAME_QUERY = `query($owner: String!, $repo: String!, $ref: String!, $path: String!) {
  repository(owner: $owner, name: $repo) {
    at: object(expression: $ref) { ...blamed ... on Tag { target { ...blamed } } }
  }
}
fragment blamed on Commit {
  oid
  blame(path: $path) {
    ranges {
      startingLine endingLine
      commit { oid message committedDate url author { name user { login } } }
    }
  }
}`

/**
 * Whether there is such a file is asked beside: of one that is not there GitHub gives no blame, and
 * does not say why.
 * @throws ServiceError `not_found`; `invalid_request` for a folder
 */
export async function readBlame(github: GitHub, file: BlameOf): Promise<FileBlame> {
  const { owner, path, ref, repo } = file
  const blame = github.graphql<{ repository: { at: Partial<Blamed> & { target?: Blamed } } }>(
    BLAME_QUERY,
    { owner, repo, ref, path },
  )
  // What becomes of it matters only where there is a file.
  blame.catch(() => {})
  const { repository } = await github.graphql<{ repository: Found }>(FILE_QUERY, {
    owner,
    repo,
    ref,
    file: `${ref}:${path}`,
  })
  const kind = kindOf(repository)
  const { at } = (await blame).repository
  const { oid, blame: found } = at.target ?? at
  if (oid === undefined || found === undefined) throw noCommit()
  return { repository, sha: oid, kind, ranges: kind === 'text' ? found.ranges : [] }
}

function kindOf({ at, file }: Found): FileBlame['kind'] {
  if (!at) throw noCommit()
  if (file?.__typename === 'Tree') {
    throw invalid('/params/path', 'is a folder. Ask github_tree for what is in it.')
  }
  if (file?.__typename !== 'Blob') {
    throw new ServiceError(
      'not_found',
      'The repository has no file at this path. Check path and ref; github_tree lists what there is.',
    )
  }
  if (file.byteSize === 0) return 'empty'
  return file.isBinary ? 'binary' : 'text'
}

function noCommit(): ServiceError {
  return new ServiceError(
    'not_found',
    'The repository has no branch, tag or commit of this name. Check ref.',
  )
}

const ITEM =
  'number title url author { login } authorAssociation repository { nameWithOwner visibility }'

/** GitHub's names of objects: SHA-1, or SHA-256. */
const OID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

/** The pull requests that brought commits in, by commit, with the issues that they close. */
export async function readPulls(
  github: GitHub,
  { owner, repo }: BlameOf,
  shas: readonly string[],
): Promise<ReadonlyMap<string, readonly GraphPull[]>> {
  const wanted = shas.filter((sha) => OID.test(sha))
  if (wanted.length === 0) return new Map()
  // One field for each commit, under a name of its own.
  const query = `query($owner: String!, $repo: String!) {
  repository(owner: $owner, name: $repo) {
    ${wanted.map((sha, index) => `c${index}: object(oid: "${sha}") { ...behind }`).join('\n    ')}
  }
}
fragment behind on Commit {
  associatedPullRequests(first: 5) {
    nodes {
      ${ITEM} pullState: state
      closingIssuesReferences(first: 5) { nodes { ${ITEM} issueState: state } }
    }
  }
}`
  interface Behind {
    readonly associatedPullRequests?: {
      readonly nodes: readonly (GraphPull | null)[] | null
    } | null
  }
  const { repository } = await github.graphql<{ repository: Record<string, Behind | null> }>(
    query,
    {
      owner,
      repo,
    },
  )
  return new Map(
    wanted.map((sha, index) => {
      const nodes = repository[`c${index}`]?.associatedPullRequests?.nodes ?? []
      return [sha, nodes.filter((pull) => pull !== null)]
    }),
  )
}
