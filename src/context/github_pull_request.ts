import { Type } from '@sinclair/typebox'
import { invalid } from '../core/errors.ts'
import { type CachePolicy, type Draft, defineProvider, type Piece } from '../core/provider.ts'
import { blockFields, Nullable, type Omission, repositoryParams } from '../core/schemas.ts'
import { DELIVERED, UNTOLD } from './common/freshness.ts'
import { facts, lines, loginOf } from './common/render.ts'
import { branchTag, checksTag, issueTag, pullChecksTag, pullTag } from './common/tags.ts'
import { githubIssueComments } from './github_issue_comments.ts'
import { commentsOmission } from './issue/comments.ts'
import { checksBlock, readChecks } from './pull/checks.ts'
import { readComments } from './pull/comments.ts'
import { commitsBlock, readCommits } from './pull/commits.ts'
import {
  type GitHubPull,
  PullNumber,
  pullAuthor,
  pullFacts,
  pullFields,
  pullFieldsOf,
  pullName,
  pullRepository,
  pullVisibility,
  pullWord,
} from './pull/fields.ts'
import { pullFilesBlock, pullFilesNext, readFiles } from './pull/files.ts'
import { linkedBlock, readLinked } from './pull/links.ts'
import {
  nextPart,
  orRefused,
  PARTS,
  type PartName,
  type PartRequest,
  type PartWindow,
  PULL,
  type PullPart,
} from './pull/parts.ts'
import { readReviews, reviewsBlock } from './pull/reviews.ts'
import { readThreads, threadsBlock } from './pull/threads.ts'

const USUAL: readonly PartName[] = ['reviews', 'checks', 'files']
/** Everything with words of its own: what is not asked for is left out again. */
const SEARCHED = ['reviews', 'checks', 'patches', 'comments', 'commits'] satisfies PartName[]
const MOST_ENTRIES = 1_000
/** GitHub finds out within seconds whether a pull request can be merged. */
const COMPUTING: CachePolicy = { freshFor: 2, staleFor: 0, keepFor: 300 }

export const githubPullRequest = defineProvider({
  type: 'github_pull_request',
  blockType: 'github_pull_request',
  title: 'Pull request',
  description:
    'A pull request: its text, state and mergeability; reviews, unresolved threads, failing checks, changed files; on request patches, comments, commits and what is linked.',
  uri: 'github://{owner}/{repo}/pull/{pull_number}',
  pages: [
    'github://{owner}/{repo}/pull/{pull_number}/commits',
    'github://{owner}/{repo}/pull/{pull_number}/checks',
  ],
  params: Type.Object(
    {
      ...repositoryParams,
      pull_number: PullNumber,
      include: Type.Optional(
        Type.Array(Type.String({ pattern: `^(?:${PARTS.join('|')})$` }), {
          maxItems: PARTS.length,
          uniqueItems: true,
          description:
            'Parts, each a block: `files`, `patches` (files with hunks), `reviews` (with unresolved threads), `threads` (all), `comments`, `commits`, `checks` (with statuses), `statuses`, `linked`. Unless given: reviews, checks, files; also patches, comments, commits where `query` chooses from them for `max_tokens`. Empty: the description alone',
        }),
      ),
      offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100_000,
          description: 'Entries to skip of the one part in `include`, which then comes alone',
        }),
      ),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 1_000,
          description: 'Entries at most of the one part in `include`, which then comes alone',
        }),
      ),
      max_entries: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: MOST_ENTRIES,
          description:
            'Files, reviews, comments and commits at most, of each, where `limit` does not say; 30 comments and 100 of the others unless given, all up to 1,000 where `query` chooses from them for `max_tokens`',
        }),
      ),
      after: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 200,
          description: 'Threads after this cursor; take it from `omitted[].next`',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    ...pullFields,
    body: Type.String(),
    mergeable: Type.Union([Type.Boolean(), Type.Null()], {
      description: 'Null while GitHub is finding out, and when it is closed',
    }),
    mergeable_state: Type.String({
      description:
        '`clean`, `dirty` (conflicts), `blocked`, `behind`, `unstable`, `draft`, `unknown`',
    }),
    merged_by: Nullable(Type.String()),
    auto_merge: Type.Boolean({ description: 'Whether it is merged as soon as it can be' }),
    additions: Type.Integer(),
    deletions: Type.Integer(),
    changed_files: Type.Integer(),
    commits_count: Type.Integer(),
    comments_count: Type.Integer(),
    review_comments_count: Type.Integer(),
  }),
  alsoBlocks: {
    github_pull_request_files: pullFilesBlock,
    github_pull_request_reviews: reviewsBlock,
    github_pull_request_threads: threadsBlock,
    github_pull_request_checks: checksBlock,
    github_pull_request_commits: commitsBlock,
    github_pull_request_linked: linkedBlock,
    github_issue_comments: githubIssueComments.block,
  },
  example: { owner: 'octocat', repo: 'Hello-World', pull_number: 1347 },
  defaultsWithQuery: { include: SEARCHED, max_entries: MOST_ENTRIES },
  cache: DELIVERED,
  tags: ({ owner, repo, pull_number }) => [
    pullTag(owner, repo, pull_number),
    issueTag(owner, repo, pull_number),
    pullChecksTag(owner, repo, pull_number),
  ],
  async fetch(params, context) {
    const { include, max_entries: most, owner, pull_number, repo } = params
    const place = { owner, repo, pull_number }
    const window = windowOf(params)
    const reading = context.github.get<GitHubPull>(PULL, 'mergeable', { params: place })
    const parts = readParts(new Set((include as PartName[] | undefined) ?? USUAL), {
      context,
      place,
      pull: reading,
      window,
      ...(most === undefined ? {} : { most }),
    })
    // What fails while the pull request itself is awaited has been heard.
    for (const part of parts) part.catch(() => {})
    const pull = await reading
    const isLinking = include?.includes('linked') ?? false
    const known: PullPart[] = []
    const omitted = Promise.all(parts).then((all) => {
      known.push(...all)
      return [
        ...all.flatMap((part) => part.omitted),
        ...(include || window ? [] : notIncluded(pull)),
      ]
    })
    omitted.catch(() => {})
    return {
      repository: pullRepository(pull),
      // What is linked may lie in repositories that others may not read.
      visibility: isLinking ? 'private' : pullVisibility(pull),
      said: [pullWord(pull)],
      tags: tagsOf(pull),
      blocks: [draftOf(pull, window), ...parts.map(async (part) => (await part).draft)],
      omitted,
      cache: () =>
        isComputing(pull)
          ? COMPUTING
          : (known.map(({ cache }) => cache).find(Boolean) ?? (isLinking ? UNTOLD : undefined)),
    }
  },
})

/** @throws ServiceError `invalid_request` for a window of several parts, or of none */
function windowOf({
  after,
  include,
  limit,
  offset,
}: PartWindow & { readonly include?: readonly string[] }): PartWindow | undefined {
  if (after === undefined && limit === undefined && offset === undefined) return undefined
  if (include?.length !== 1) {
    throw invalid(
      '/params/include',
      'must name exactly one part where offset, limit or after is given.',
    )
  }
  if (after !== undefined && (include[0] !== 'threads' || offset !== undefined)) {
    throw invalid('/params/after', 'is only for threads, and not together with offset.')
  }
  return {
    ...(after === undefined ? {} : { after }),
    ...(limit === undefined ? {} : { limit }),
    ...(offset === undefined ? {} : { offset }),
  }
}

/** In the order of the blocks: what needs a second round comes last. */
function readParts(wanted: ReadonlySet<PartName>, common: PartRequest): Promise<PullPart>[] {
  const alone = common.window !== undefined
  const parts: Promise<PullPart>[] = []
  const read = (
    name: PartName,
    type: string,
    reader: (request: PartRequest) => Promise<PullPart>,
    nothing: Record<string, unknown>,
  ) => {
    const request = { ...common, context: common.context.part() }
    parts.push(orRefused(name, request, reader(request), nothing, `github_pull_request_${type}`))
  }
  if (wanted.has('reviews')) read('reviews', 'reviews', readReviews, { reviews: [] })
  const files = (detail: 'stats' | 'patch') =>
    readFiles({ ...common, context: common.context.part() }, detail)
  // What threads are about is then shown before them.
  const patches = wanted.has('patches') ? files('patch') : undefined
  if (patches) parts.push(patches)
  if (wanted.has('threads') || (wanted.has('reviews') && !alone)) {
    // Asked for by name they all come.
    const all = wanted.has('threads') ? { window: common.window ?? {} } : {}
    read('threads', 'threads', (request) => readThreads({ ...request, ...all }, patches), {
      threads: [],
    })
  }
  if (wanted.has('comments'))
    parts.push(readComments({ ...common, context: common.context.part() }))
  if (wanted.has('files') && !patches) parts.push(files('stats'))
  if (wanted.has('commits')) parts.push(readCommits({ ...common, context: common.context.part() }))
  if (wanted.has('linked')) read('linked', 'linked', readLinked, { linked: [] })
  if (wanted.has('checks') || wanted.has('statuses')) {
    const both = wanted.has('checks') && !alone ? new Set<PartName>(['checks', 'statuses']) : wanted
    const nothing = { sha: '', failing: 0, pending: 0, checks: [] }
    read('checks', 'checks', (request) => readChecks(request, both), nothing)
  }
  return parts
}

/** Whether it can be merged depends on its base too; checks of a fork's commit name no pull request. */
function tagsOf(pull: GitHubPull): string[] {
  const { owner, repo } = pullRepository(pull)
  const name = [owner.toLowerCase(), repo.toLowerCase()] as const
  return [branchTag(...name, pull.base.ref), checksTag(...name, pull.head.sha)]
}

const isComputing = ({ mergeable, state }: GitHubPull) => mergeable === null && state === 'open'

/** What comes only on request. */
function notIncluded(pull: GitHubPull): Omission[] {
  const { changed_files, comments, commits } = pull
  const ref = { ...pullRepository(pull), issue_number: pull.number }
  const reason = 'include'
  return [
    ...(comments > 0
      ? [commentsOmission(ref, { offset: 0, limit: Math.min(1_000, comments) }, comments, reason)]
      : []),
    ...(changed_files > 0
      ? [
          {
            what: 'patches',
            count: changed_files,
            reason,
            next: pullFilesNext(pull)({ offset: 0, limit: Math.min(1_000, changed_files) }),
          },
        ]
      : []),
    ...(commits > 0
      ? [
          {
            what: 'commits',
            count: commits,
            reason,
            next: nextPart(pull, 'commits', { offset: 0 }),
          },
        ]
      : []),
    { what: 'linked', reason, next: nextPart(pull, 'linked', { offset: 0 }) },
  ]
}

function draftOf(pull: GitHubPull, window: PartWindow | undefined): Draft {
  const by = pullAuthor(pull)
  const text = pull.body?.trim() ?? ''
  const body: Piece = { part: 'body', text: text || '(no description)', by, rank: 0 }
  const own = {
    mergeable: pull.mergeable,
    mergeable_state: pull.mergeable_state,
    merged_by: pull.merged_by ? loginOf(pull.merged_by) : null,
    auto_merge: pull.auto_merge !== null,
    additions: pull.additions,
    deletions: pull.deletions,
    changed_files: pull.changed_files,
    commits_count: pull.commits,
    comments_count: pull.comments,
    review_comments_count: pull.review_comments,
  }
  return {
    id: `github_pull_request:${pullName(pull)}`,
    title: pull.title,
    url: pull.html_url,
    head: lines(
      `# Pull request ${pullName(pull)}`,
      pull.html_url,
      pullFacts(pull),
      facts({
        Mergeable: pull.state === 'open' && mergeability(pull),
        'Merged by': own.merged_by,
        Files: own.changed_files,
        Changes: `+${own.additions} −${own.deletions}`,
        Commits: own.commits_count,
        Comments: own.comments_count,
        'Review comments': own.review_comments_count,
      }),
    ),
    by,
    // A window of one part is for who has read this.
    pieces: window ? [] : [body],
    fields(kept) {
      const shown = kept.find(({ piece }) => piece === body)?.text ?? ''
      return { ...pullFieldsOf(pull), body: text && shown, ...own }
    },
    omit(dropped, cut, reason) {
      if (![...dropped, ...cut].includes(body)) return []
      const params = { ...pullRepository(pull), pull_number: pull.number, include: [] }
      return [
        { what: 'body', count: 1, reason, next: { context_type: 'github_pull_request', params } },
      ]
    },
  }
}

function mergeability({ auto_merge, mergeable, mergeable_state }: GitHubPull): string {
  const auto = auto_merge ? ', merges itself as soon as it can' : ''
  if (mergeable === null) return `not known yet, GitHub is finding out${auto}`
  return `${mergeable ? 'yes' : 'no'} (${mergeable_state === 'dirty' ? 'conflicts' : mergeable_state})${auto}`
}
