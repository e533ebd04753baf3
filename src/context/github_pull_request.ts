import { Type } from '@sinclair/typebox'
import { invalid } from '../core/errors.ts'
import { type CachePolicy, defineProvider } from '../core/provider.ts'
import { repositoryParams } from '../core/schemas.ts'
import { DELIVERED, UNTOLD } from './common/freshness.ts'
import { Cursor, type PartWindow, partWindowOf, partWindowParams } from './common/partWindow.ts'
import { branchTag, checksTag, issueTag, pullChecksTag, pullTag } from './common/tags.ts'
import { githubIssueComments } from './github_issue_comments.ts'
import { LINKS_AFTER } from './issue/links.ts'
import { checksBlock } from './pull/checks.ts'
import { commitsBlock } from './pull/commits.ts'
import { pullBlock, pullDraft } from './pull/draft.ts'
import {
  type GitHubPull,
  PullNumber,
  pullRepository,
  pullVisibility,
  pullWord,
} from './pull/fields.ts'
import { pullFilesBlock } from './pull/files.ts'
import { notIncluded, readParts } from './pull/included.ts'
import { linkedBlock } from './pull/links.ts'
import { PARTS, type PartName, PULL, type PullPart } from './pull/parts.ts'
import { reviewsBlock } from './pull/reviews.ts'
import { threadsBlock } from './pull/threads.ts'

const USUAL: readonly PartName[] = ['reviews', 'checks', 'files']
/** Everything with words of its own: what is not asked for is left out again. */
const SEARCHED = ['reviews', 'checks', 'patches', 'comments', 'commits'] satisfies PartName[]
const MOST_ENTRIES = 1_000
const IS_LINK = new RegExp(LINKS_AFTER)
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
      ...partWindowParams,
      max_entries: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: MOST_ENTRIES,
          description:
            'Files, reviews, comments and commits at most, of each, where `limit` does not say; 30 comments and 100 of the others unless given, all up to 1,000 where `query` chooses from them for `max_tokens`',
        }),
      ),
      after: Cursor('Entries of `threads` or `linked` after this cursor'),
      comments_after: Cursor('Comments after this cursor, of the one thread that comes first'),
    },
    { additionalProperties: false },
  ),
  block: pullBlock,
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
    const wanted = new Set((include as PartName[] | undefined) ?? USUAL)
    const parts = readParts(wanted, {
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
        ...(isUsual(include) && !window ? notIncluded(pull, wanted) : []),
      ]
    })
    omitted.catch(() => {})
    return {
      repository: pullRepository(pull),
      // What is linked may lie in repositories that others may not read.
      visibility: isLinking ? 'private' : pullVisibility(pull),
      said: [pullWord(pull)],
      tags: tagsOf(pull),
      blocks: [
        pullDraft(pull, window !== undefined),
        ...parts.map(async (part) => (await part).draft),
      ],
      omitted,
      cache: () =>
        isComputing(pull)
          ? COMPUTING
          : (known.map(({ cache }) => cache).find(Boolean) ?? (isLinking ? UNTOLD : undefined)),
    }
  },
})

/** @throws ServiceError `invalid_request` for a window of several parts, or a cursor of another list */
function windowOf(
  asked: PartWindow & { readonly include?: readonly string[] },
): PartWindow | undefined {
  const window = partWindowOf(asked)
  const { after, comments_after, offset } = window ?? {}
  const part = after !== undefined && IS_LINK.test(after) ? 'linked' : 'threads'
  if (after !== undefined && asked.include?.[0] !== part) {
    throw invalid('/params/after', `is of \`${part}\`, which include must name.`)
  }
  if (after !== undefined && part === 'threads' && offset !== undefined) {
    throw invalid('/params/after', 'is not for threads together with offset.')
  }
  if (comments_after !== undefined && asked.include?.[0] !== 'threads') {
    throw invalid('/params/comments_after', 'is of `threads`, which include must name.')
  }
  return window
}

/** Whether the caller did not say which parts. */
const isUsual = (include: readonly string[] | undefined) =>
  include === undefined || include.toSorted().join() === SEARCHED.toSorted().join()

/** Whether it can be merged depends on its base too; checks of a fork's commit name no pull request. */
function tagsOf(pull: GitHubPull): string[] {
  const { owner, repo } = pullRepository(pull)
  const name = [owner.toLowerCase(), repo.toLowerCase()] as const
  return [branchTag(...name, pull.base.ref), checksTag(...name, pull.head.sha)]
}

const isComputing = ({ mergeable, state }: GitHubPull) => mergeable === null && state === 'open'
