import { Type } from '@sinclair/typebox'
import { type Draft, defineProvider } from '../core/provider.ts'
import { blockFields, type Omission, repositoryParams } from '../core/schemas.ts'
import {
  Commit,
  type CommitPiece,
  commitPieces,
  type GitHubCommit,
  isCommitPiece,
  keptCommits,
  shortSha,
  sourceOfRef,
} from './change/commits.ts'
import { type Comparison, checkForks, compare, type Ends } from './change/comparison.ts'
import { type FilesPart, filesPart, missingPaths } from './change/files.ts'
import {
  ChangedFile,
  checkFileParams,
  detailParam,
  fileParams,
  nextFiles,
  windowParams,
} from './change/params.ts'
import { isSha, policyFor } from './common/freshness.ts'
import { facts, lines } from './common/render.ts'
import { refsTag } from './common/tags.ts'
import { type Window, windowsOf } from './common/windows.ts'

/** Files of a comparison that GitHub tells at most (docs.github.com/rest/commits/commits#compare-two-commits). */
const MOST_FILES = 300
/** After source files, before what tools wrote. */
const COMMITS_RANK = 28

/** A ref, also of a fork: `owner:branch`, `owner:repo:branch`. */
const end = (description: string) =>
  Type.String({
    maxLength: 400,
    pattern: '^(?!.*\\.\\.)(?:[A-Za-z0-9._-]+:){0,2}[^\\x00-\\x20\\x7f~^:?*\\[\\\\]+$',
    description,
  })

export const githubCompare = defineProvider({
  type: 'github_compare',
  blockType: 'github_compare',
  title: 'Two commits compared',
  description:
    'What one branch, tag or commit has that another has not: its commits and files, on request with their patches by hunk.',
  uri: 'github://{owner}/{repo}/compare/{base}...{head}',
  params: Type.Object(
    {
      ...repositoryParams,
      base: end('Branch, tag or sha to compare with; of a fork `owner:branch`'),
      head: end('Branch, tag or sha that is compared; of a fork `owner:branch`'),
      detail: detailParam(
        ['none', 'stats', 'patch'],
        'stats',
        '`none`: commits alone; `stats`: also the changed files; `patch`: also their hunks',
      ),
      ...fileParams,
      ...windowParams('Files', MOST_FILES, MOST_FILES),
      commits_offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100_000,
          default: 0,
          description: 'Commits to skip, from the oldest on',
        }),
      ),
      commits_limit: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 1_000, default: 100, description: 'Commits at most' }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    base: Type.String(),
    head: Type.String(),
    status: Type.String({ description: '`ahead`, `behind`, `diverged` or `identical`' }),
    ahead_by: Type.Integer({ description: 'Commits that head has and base has not' }),
    behind_by: Type.Integer({ description: 'Commits that base has and head has not' }),
    merge_base: Type.String({ description: 'Sha of the commit where the two parted' }),
    commits: Type.Array(Commit),
    files: Type.Array(ChangedFile),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', base: 'master', head: 'new-topic' },
  cache: { freshFor: 60, staleFor: 300, keepFor: 86_400 },
  tags: ({ owner, repo }) => [refsTag(owner, repo)],
  async fetch(params, context) {
    checkFileParams(params)
    const { base, detail = 'stats', head, limit = MOST_FILES, offset = 0, paths } = params
    const { commits_limit = 100, commits_offset = 0 } = params
    checkForks(params, context)
    const commits = { offset: commits_offset, limit: commits_limit }
    const { comparison, items } = await compare(context.github, params, commits, detail !== 'none')
    const repository = repositoryOf(comparison)
    const by = sourceOfRef(head)
    const all = (comparison.files ?? []).map((entry, position) => ({ entry, position }))
    const found = all.slice(offset, offset + limit)
    const files = paths ? all.filter(({ entry }) => paths.includes(entry.filename)) : found
    const ends = { ...repository, base, head }
    const next = nextFiles('github_compare', { ...ends, commits_limit: 0 })
    const part = filesPart({
      files: detail === 'none' ? [] : files,
      by,
      detail: detail === 'patch' ? 'patch' : 'stats',
      hunks: params.hunks,
      rank: 1,
      next,
    })
    const rest = all.length - offset - found.length
    const level = detail === 'patch' ? { detail: 'patch' as const } : {}
    const beyond: Omission[] = [
      ...(rest > 0
        ? [
            {
              what: 'files',
              count: rest,
              reason: 'limit',
              next: next({ offset: offset + limit, limit, ...level }),
            },
          ]
        : []),
      // Said at once: who goes on asks for no more commits, by which to divide the way.
      ...(all.length >= MOST_FILES && (offset === 0 || rest <= 0)
        ? beyondMost(comparison, ends, items, rest > 0)
        : []),
    ]
    return {
      repository,
      // Another owner's branch is of another repository.
      visibility: `${base}${head}`.includes(':') ? 'private' : 'repository',
      omitted: [
        ...restOfCommits(comparison, ends, commits, items.length),
        ...(detail === 'none' ? [] : paths ? missingPaths(paths, files) : beyond),
        ...part.omitted,
        ...withoutDetail(detail, all.length, paths ?? { offset, limit: found.length }, next),
      ],
      cache: () => (isSha(base) ? policyFor(head) : undefined),
      blocks: [draftOf(comparison, ends, items, commits_offset, part)],
    }
  },
})

function restOfCommits(
  { total_commits }: Comparison,
  ends: Ends,
  { offset, limit }: Window,
  count: number,
): Omission[] {
  const from = offset + count
  const left = total_commits - from
  // Who asks for none knows that there may be some.
  if (left <= 0 || count === 0) return []
  return [commitsOmission(ends, { commits_offset: from, commits_limit: limit }, left, 'limit')]
}

function commitsOmission(
  ends: Ends,
  window: { commits_offset: number; commits_limit: number },
  count: number,
  reason: string,
): Omission {
  const params = { ...ends, detail: 'none', ...window }
  return { what: 'commits', count, reason, next: { context_type: 'github_compare', params } }
}

/** What lies beyond GitHub's limit comes by comparing over half of the way, and then the other. */
function beyondMost(
  { ahead_by }: Comparison,
  { base, head, owner, repo }: Ends,
  commits: readonly GitHubCommit[],
  goesOn: boolean,
): Omission[] {
  const omission = (context_type: string, params: object): Omission => ({
    what: 'files',
    reason: 'github_limit',
    next: { context_type, params: { owner, repo, ...params } },
  })
  if (ahead_by === 1) return [omission('github_commit', { sha: head, offset: MOST_FILES })]
  const half = commits[Math.floor((commits.length - 1) / 2)]
  if (!half || commits.length < 2) {
    return goesOn ? [] : [{ what: 'files', reason: 'github_limit' }]
  }
  return [
    omission('github_compare', { base, head: half.sha }),
    omission('github_compare', { base: half.sha, head }),
  ]
}

/** What the usual level of detail left out. */
function withoutDetail(
  detail: string,
  count: number,
  shown: Window | readonly string[],
  next: ReturnType<typeof nextFiles>,
): Omission[] {
  if (detail !== 'stats' || count === 0) return []
  const isWindow = 'offset' in shown
  return [
    {
      what: 'patches',
      count: isWindow ? shown.limit : shown.length,
      reason: 'detail',
      next: next({ ...(isWindow ? shown : { paths: shown }), detail: 'patch' }),
    },
  ]
}

function draftOf(
  comparison: Comparison,
  ends: Ends,
  items: readonly GitHubCommit[],
  offset: number,
  files: FilesPart,
): Draft {
  const { base, head, owner, repo } = ends
  const commits = newestFirst(commitPieces(items, offset, 0, sourceOfRef(head)))
  const range = `${base}...${head}`
  const own = {
    base,
    head,
    status: comparison.status,
    ahead_by: comparison.ahead_by,
    behind_by: comparison.behind_by,
    merge_base: comparison.merge_base_commit.sha,
  }
  return {
    id: `github_compare:${owner}/${repo}@${range}`,
    title: `${range} of ${owner}/${repo}`,
    url: comparison.html_url,
    head: lines(
      `# ${head} compared with ${base}, ${owner}/${repo}`,
      comparison.html_url,
      facts({
        Status: own.status,
        Ahead: own.ahead_by,
        Behind: own.behind_by,
        'Merge base': shortSha(own.merge_base),
        Files: comparison.files?.length ?? false,
      }),
    ),
    by: 'service',
    pieces: [...commits, ...files.pieces],
    fields: (kept) => ({ ...own, commits: keptCommits(kept), ...files.fields(kept) }),
    omit(dropped, cut, reason) {
      const lost = [...dropped, ...cut].filter(isCommitPiece).map(({ position }) => position)
      return [
        ...windowsOf(lost).map((window) =>
          commitsOmission(
            ends,
            { commits_offset: window.offset, commits_limit: window.limit },
            window.limit,
            reason,
          ),
        ),
        ...files.omit(dropped, cut, reason),
      ]
    },
  }
}

/** Shown from the oldest on, as GitHub lists them; the newest matter most. */
function newestFirst(pieces: readonly CommitPiece[]): CommitPiece[] {
  return pieces.map((piece, index) => ({ ...piece, rank: COMMITS_RANK + pieces.length - index }))
}

/** GitHub's own spelling of the names, also after a rename. */
function repositoryOf({ url }: Comparison): { owner: string; repo: string } {
  const [, owner = '', repo = ''] = /\/repos\/([^/]+)\/([^/]+)\/compare\//.exec(url) ?? []
  return { owner, repo }
}
