import { Type } from '@sinclair/typebox'
import { invalid } from '../core/errors.ts'
import {
  type Answer,
  type Draft,
  defineProvider,
  type FetchContext,
  type Piece,
} from '../core/provider.ts'
import { blockFields, type Omission, Path, Ref, repositoryParams } from '../core/schemas.ts'
import { countOf, nameOfLines, touching, type Written, writersOf } from './blame/lines.ts'
import {
  type Behind,
  blameFields,
  type CommitPiece,
  commitPieces,
  keptCommit,
} from './blame/pieces.ts'
import {
  type BlameOf,
  type FileBlame,
  type GraphItem,
  type GraphPull,
  readBlame,
  readPulls,
} from './blame/query.ts'
import { isSha, policyFor } from './common/freshness.ts'
import { repositoryIn } from './common/graph.ts'
import { facts, lines } from './common/render.ts'
import { issueTag, pullTag, refsTag } from './common/tags.ts'
import type { LineRange } from './file/lines.ts'

const Line = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000, description }))

export const githubBlame = defineProvider({
  type: 'github_blame',
  blockType: 'github_blame',
  title: 'Why lines of a file are so',
  description:
    'Who wrote which lines of a file, by commit: its message, the pull request that brought it in, and the issues that it closes.',
  uri: 'github://{owner}/{repo}/blame/{ref}/{+path}',
  params: Type.Object(
    {
      ...repositoryParams,
      path: Path,
      ref: Type.Optional(Ref),
      start_line: Line('First line wanted, counted from 1'),
      end_line: Line('Last line wanted'),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 100,
          default: 30,
          description: 'Commits at most, in the order of their first lines',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({ ...blockFields, ...blameFields }),
  example: { owner: 'octocat', repo: 'Hello-World', path: 'README' },
  cache: { freshFor: 300, staleFor: 3_600, keepFor: 86_400 },
  tags: ({ owner, repo, ref }) => (isSha(ref) ? [] : [refsTag(owner, repo)]),
  async fetch(params, context) {
    const { owner, repo, ref = 'HEAD', limit = 30 } = params
    const path = params.path.replace(/^\/+|\/+$/g, '')
    const asked: BlameOf = { owner, repo, ref, path }
    const blame = await readBlame(context.github, asked)
    const total = blame.ranges.at(-1)?.endingLine ?? 0
    const window = windowOf(params, total)
    const { rest, writers } = writersOf(blame.ranges, window, limit)
    const shas = writers.map(({ commit }) => commit.oid)
    const pulls = await readPulls(context.github, asked, shas)
    return answerOf(context, { ...asked, blame, limit, pulls, rest, total, window, writers })
  },
})

interface Found extends BlameOf {
  readonly blame: FileBlame
  readonly limit: number
  readonly pulls: ReadonlyMap<string, readonly GraphPull[]>
  readonly rest: LineRange | undefined
  readonly total: number
  readonly window: LineRange
  readonly writers: readonly Written[]
}

function windowOf(
  { start_line = 1, end_line }: { start_line?: number; end_line?: number },
  total: number,
): LineRange {
  if (total > 0 && start_line > total) {
    throw invalid('/params/start_line', `the file has ${total} lines.`)
  }
  if (end_line !== undefined && end_line < start_line) {
    throw invalid('/params/end_line', 'must not be less than start_line.')
  }
  return { start_line, end_line: Math.min(end_line ?? total, total) }
}

function answerOf({ allowed, webUrl }: FetchContext, found: Found): Answer {
  const { blame, pulls, ref, rest } = found
  const { repository, visibility } = repositoryIn(blame.repository)
  const permitted = (item: GraphItem) => allowed(repositoryIn(item.repository).repository)
  const behind = new Map<string, Behind>()
  for (const [sha, all] of pulls) {
    const pull = behindOf(all.filter(permitted), blame.repository.nameWithOwner)
    if (!pull) continue
    const issues = (pull.closingIssuesReferences?.nodes ?? []).filter((issue) => issue !== null)
    behind.set(sha, { pull, issues: issues.filter(permitted) })
  }
  const all = [...behind.values()]
  const items = all.flatMap(({ issues, pull }) => [pull, ...issues])
  const open = items.every((item) => repositoryIn(item.repository).visibility === 'public')
  return {
    repository,
    visibility: open ? visibility : 'private',
    omitted: rest ? [omission(found, rest, 'limit')] : [],
    blocks: [draftOf(found, behind, webUrl)],
    cache: () => policyFor(ref),
    tags: [
      ...all.map(({ pull }) => tagOf(pullTag, pull)),
      ...all.flatMap(({ issues }) => issues.map((issue) => tagOf(issueTag, issue))),
    ],
  }
}

/** Of several pull requests with a commit the one that was merged, here rather than in a fork. */
function behindOf(pulls: readonly GraphPull[], name: string): GraphPull | undefined {
  const merged = pulls.filter(({ pullState }) => pullState === 'MERGED')
  const here = merged.find(({ repository }) => repository.nameWithOwner === name)
  return here ?? merged[0] ?? pulls[0]
}

function tagOf(tag: typeof pullTag, item: GraphItem): string {
  const { owner, repo } = repositoryIn(item.repository).repository
  return tag(owner.toLowerCase(), repo.toLowerCase(), item.number)
}

function draftOf(found: Found, behind: ReadonlyMap<string, Behind>, webUrl: string): Draft {
  const { blame, path, ref, total, window, writers } = found
  const { kind, sha } = blame
  const name = blame.repository.nameWithOwner
  const shown = touching(writers)
  const end = shown.at(-1)?.end_line
  const address = `${webUrl}/${name}/blame/${sha}/${path.split('/').map(encodeURIComponent).join('/')}`
  const whole = window.start_line === 1 && end === total
  const url = whole || !end ? address : `${address}#L${window.start_line}-L${end}`
  const note: Piece = { part: 'note', text: noteOn(kind), by: 'service', rank: 0, whole: true }
  return {
    id: `github_blame:${name}@${ref}:${path}${whole || !end ? '' : `#L${window.start_line}-L${end}`}`,
    title: path,
    url,
    head: lines(
      `# Who wrote a file of ${name}, and why`,
      url,
      facts({
        Ref: ref,
        Lines: end && `${nameOfLines({ ...window, end_line: end })} of ${total}`,
        Commits: writers.length,
      }),
    ),
    by: 'repository',
    pieces: kind === 'text' ? commitPieces(writers, behind, name) : [note],
    fields: (kept) => ({
      path,
      ref,
      sha,
      kind,
      start_line: end ? window.start_line : null,
      end_line: end ?? null,
      lines: total,
      commits: kept.filter(({ piece }) => piece !== note).map(keptCommit),
    }),
    omit(dropped, cut, reason) {
      const lost = [...dropped, ...cut].filter((piece) => piece !== note) as CommitPiece[]
      const ranges = touching(lost.map(({ written }) => written))
      return ranges.map((range) => omission(found, range, reason))
    },
  }
}

const noteOn = (kind: FileBlame['kind']) =>
  kind === 'empty' ? 'The file is empty.' : 'The file is binary: it has no lines.'

/** Of the same commit, so that nothing is missed when the branch moves on. */
function omission(
  { blame, limit, path }: Found,
  { start_line, end_line }: LineRange,
  reason: string,
): Omission {
  const { repository } = repositoryIn(blame.repository)
  const params = { ...repository, path, ref: blame.sha, start_line, end_line, limit }
  return {
    what: `lines ${nameOfLines({ start_line, end_line })}`,
    count: countOf({ start_line, end_line }),
    reason,
    next: { context_type: 'github_blame', params },
  }
}
