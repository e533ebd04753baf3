import { Type } from '@sinclair/typebox'
import { type Draft, defineProvider, type Piece } from '../core/provider.ts'
import { blockFields, Nullable, type Omission, Ref, repositoryParams } from '../core/schemas.ts'
import { commitOf, type GitHubCommit, shortSha, sourceOfRef } from './change/commits.ts'
import { type FilesPart, filesPart, missingPaths, type PlacedFile } from './change/files.ts'
import {
  ChangedFile,
  checkFileParams,
  detailParam,
  fileParams,
  nextFiles,
  windowParams,
} from './change/params.ts'
import type { DiffEntry } from './change/patches.ts'
import { absentWhere422 } from './common/absent.ts'
import { policyFor } from './common/freshness.ts'
import { facts, lines } from './common/render.ts'
import { refsTag } from './common/tags.ts'

/** As documented: files come 300 a page, and never more than 3,000 (docs.github.com/rest/commits/commits#get-a-commit). */
const PAGE = 300
const MOST_FILES = 3_000

export const githubCommit = defineProvider({
  type: 'github_commit',
  blockType: 'github_commit',
  title: 'One commit',
  description:
    'A commit: its message, people, parents and counts, the files that it changed, and on request their patches by hunk.',
  uri: 'github://{owner}/{repo}/commit/{sha}',
  pages: ['github://{owner}/{repo}/pull/{_}/commits/{sha}'],
  params: Type.Object(
    {
      ...repositoryParams,
      sha: Type.String({ ...Ref, description: 'Commit sha, full or shortened; branch or tag' }),
      detail: detailParam(
        ['none', 'stats', 'patch'],
        'stats',
        '`none`: the message alone; `stats`: also the changed files; `patch`: also their hunks',
      ),
      ...fileParams,
      ...windowParams('Files', 1_000, PAGE),
      // None unless given: that says that the files come alone.
      offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100_000,
          description: 'Files to skip; they then come alone, without the message',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    sha: Type.String(),
    author: Nullable(Type.String({ description: 'Login, where GitHub knows the account' })),
    author_name: Nullable(Type.String({ description: 'As the commit says, which nobody checks' })),
    committer: Nullable(Type.String()),
    authored_at: Nullable(Type.String()),
    date: Nullable(Type.String({ description: 'When it was committed' })),
    verified: Type.Boolean({ description: 'Whether GitHub verified its signature' }),
    message: Type.String(),
    parents: Type.Array(Type.String()),
    additions: Type.Integer(),
    deletions: Type.Integer(),
    files: Type.Array(ChangedFile),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', sha: '6dcb09b5b57' },
  cache: { freshFor: 60, staleFor: 300, keepFor: 86_400 },
  tags: ({ owner, repo }) => [refsTag(owner, repo)],
  async fetch(params, { github }) {
    checkFileParams(params)
    const { detail = 'stats', limit = PAGE, offset = 0, owner, paths, repo, sha } = params
    // A file is looked for in all pages unless a window says where.
    const isSearch = paths !== undefined && offset === 0 && limit === PAGE
    const window = { offset, limit: isSearch ? MOST_FILES : limit }
    const { head, items, more } = await github
      .list<DiffEntry>('/repos/{owner}/{repo}/commits/{sha}', {
        params: { owner, repo, sha },
        under: 'files',
        fixedPage: PAGE,
        ...window,
      })
      .catch(absentWhere422('commit, branch or tag'))
    const commit = head as GitHubCommit
    const repository = repositoryOf(commit)
    const found = items.map((entry, index) => ({ entry, position: offset + index }))
    const files = paths ? found.filter(({ entry }) => paths.includes(entry.filename)) : found
    const next = nextFiles('github_commit', { ...repository, sha: commit.sha })
    const part = filesPart({
      files: detail === 'none' ? [] : files,
      by: sourceOfRef(sha),
      detail: detail === 'patch' ? 'patch' : 'stats',
      hunks: params.hunks,
      rank: 1,
      next,
    })
    const end = offset + items.length
    const beyond: Omission[] = more
      ? [
          {
            what: 'files',
            reason: 'limit',
            next: next({ offset: end, limit, ...detailOf(detail) }),
          },
        ]
      : end >= MOST_FILES
        ? [{ what: 'files', reason: 'github_limit' }]
        : []
    return {
      repository,
      visibility: 'repository',
      omitted: [
        ...(detail === 'none' ? [] : paths ? missingPaths(paths, files) : beyond),
        ...part.omitted,
        ...withoutDetail(detail, files, paths, next),
      ],
      cache: () => policyFor(sha),
      blocks: [draftOf(commit, sha, part, params.offset !== undefined)],
    }
  },
})

const detailOf = (detail: string) => (detail === 'patch' ? { detail: 'patch' as const } : {})

/** What the usual level of detail left out. Who asks for the message alone knows that there are files. */
function withoutDetail(
  detail: string,
  files: readonly PlacedFile[],
  paths: readonly string[] | undefined,
  next: ReturnType<typeof nextFiles>,
): Omission[] {
  const [first] = files
  if (detail !== 'stats' || !first) return []
  const window = paths ? { paths } : { offset: first.position, limit: files.length }
  return [
    {
      what: 'patches',
      count: files.length,
      reason: 'detail',
      next: next({ ...window, detail: 'patch' }),
    },
  ]
}

/** @param goesOn where files are asked for from a place on: who does has read the message */
function draftOf(source: GitHubCommit, ref: string, files: FilesPart, goesOn: boolean): Draft {
  const commit = commitOf(source)
  const { owner, repo } = repositoryOf(source)
  const by = sourceOfRef(ref)
  const message: Piece = {
    part: 'message',
    text: commit.message.trim() || '(no message)',
    by,
    rank: 0,
  }
  const own = ownFields(source)
  return {
    id: `github_commit:${owner}/${repo}@${commit.sha}`,
    title: `Commit ${shortSha(commit.sha)} of ${owner}/${repo}`,
    url: commit.url,
    head: lines(
      `# Commit ${commit.sha} of ${owner}/${repo}`,
      commit.url,
      facts({
        Author: commit.author ?? commit.author_name,
        Committed: commit.date,
        Parents: own.parents.map(shortSha).join(', ') || 'none',
        Changes: `+${own.additions} −${own.deletions}`,
        Signature: own.verified && 'verified',
      }),
    ),
    by: 'service',
    pieces: goesOn ? files.pieces : [message, ...files.pieces],
    fields(kept) {
      const text = kept.find(({ piece }) => piece === message)?.text ?? ''
      return {
        ...commit,
        url: commit.url,
        ...own,
        message: commit.message.trim() ? text : '',
        ...files.fields(kept),
      }
    },
    omit(dropped, cut, reason) {
      const isLost = [...dropped, ...cut].includes(message)
      const params = { owner, repo, sha: commit.sha, detail: 'none' }
      const whole: Omission = {
        what: 'message',
        count: 1,
        reason,
        next: { context_type: 'github_commit', params },
      }
      return [...(isLost ? [whole] : []), ...files.omit(dropped, cut, reason)]
    },
  }
}

function ownFields({ commit, committer, parents, stats }: GitHubCommit) {
  return {
    committer: committer && 'login' in committer ? (committer.login ?? null) : null,
    authored_at: commit.author?.date ?? null,
    verified: commit.verification?.verified ?? false,
    parents: parents.map(({ sha }) => sha ?? ''),
    additions: stats?.additions ?? 0,
    deletions: stats?.deletions ?? 0,
  }
}

/** GitHub's own spelling of the names, also after a rename. */
function repositoryOf({ url }: Pick<GitHubCommit, 'url'>): { owner: string; repo: string } {
  const [, owner = '', repo = ''] = /\/repos\/([^/]+)\/([^/]+)\/commits\//.exec(url) ?? []
  return { owner, repo }
}
