import { Type } from '@sinclair/typebox'
import { defineProvider, type Kept, type Piece } from '../core/provider.ts'
import { oneLine } from '../core/quote.ts'
import { blockFields, repositoryParams, Timestamp } from '../core/schemas.ts'
import {
  authorOf,
  type GitHubIssue,
  issueFacts,
  issueFields,
  issueFieldsOf,
  repositoryOf,
} from './issueFields.ts'
import { type FoundIssue, scanIssues } from './issueScan.ts'
import { lines } from './render.ts'
import { issuesTag } from './tags.ts'

const EXCERPT_CHARACTERS = 280

const ListedIssue = Type.Object({
  title: Type.String(),
  url: Type.String(),
  ...issueFields,
  excerpt: Type.String({ description: 'The start of the text' }),
  body: Type.Optional(Type.String({ description: 'The whole text, with `texts: whole`' })),
})

export const githubIssues = defineProvider({
  type: 'github_issues',
  blockType: 'github_issues',
  title: 'Issues of a repository',
  description:
    'A list of issues, pull requests left out: state, labels, people, dates and the start of each text.',
  uri: 'github://{owner}/{repo}/issues',
  params: Type.Object(
    {
      ...repositoryParams,
      state: Type.Optional(
        Type.Union([Type.Literal('open'), Type.Literal('closed'), Type.Literal('all')], {
          default: 'open',
        }),
      ),
      labels: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
          maxItems: 20,
          uniqueItems: true,
          description: 'Issues that have all of these labels',
        }),
      ),
      since: Type.Optional(Timestamp),
      sort: Type.Optional(
        Type.Union([Type.Literal('created'), Type.Literal('updated'), Type.Literal('comments')], {
          default: 'created',
          description: 'Newest, last updated or most commented first',
        }),
      ),
      texts: Type.Optional(
        Type.Union([Type.Literal('start'), Type.Literal('whole')], {
          default: 'start',
          description: 'How much of each text',
        }),
      ),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 100, default: 30, description: 'Issues at most' }),
      ),
      offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100_000,
          default: 0,
          description:
            "Entries of GitHub's own list to skip, pull requests counted too; take it from `omitted[].next`",
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    state: Type.String(),
    issues: Type.Array(ListedIssue),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', state: 'open', limit: 10 },
  cache: { freshFor: 60, staleFor: 300, keepFor: 86_400 },
  tags: ({ owner, repo }) => [issuesTag(owner, repo)],
  async fetch(params, { github, webUrl }) {
    const {
      owner,
      repo,
      state = 'open',
      labels,
      since,
      sort = 'created',
      texts = 'start',
      limit = 30,
      offset = 0,
    } = params
    const scan = await scanIssues(github, {
      params: { owner, repo },
      query: { state, labels: labels?.join(','), since, sort, direction: 'desc' },
      offset,
      limit,
    })
    const [first] = scan.issues
    const [realOwner, realRepo] = first ? repositoryOf(first.issue) : [owner, repo]
    const name = `${realOwner}/${realRepo}`
    const window = (change: { offset: number; limit: number }) => ({
      context_type: 'github_issues',
      params: { ...params, owner: realOwner, repo: realRepo, ...change },
    })
    const pieces = scan.issues.map((found, index) => pieceOf(found, index, texts === 'whole'))
    const reason = scan.issues.length < limit ? 'scan_limit' : 'limit'
    return {
      repository: { owner: realOwner, repo: realRepo },
      visibility: 'private',
      omitted: scan.more
        ? [{ what: 'issues', reason, next: window({ offset: scan.end, limit }) }]
        : [],
      blocks: [
        {
          id: `github_issues:${name}`,
          title: `Issues of ${name}`,
          url: `${webUrl}/${name}/issues`,
          head: `# ${scan.issues.length} ${state === 'all' ? '' : `${state} `}issues of ${name}`,
          by: 'service',
          pieces,
          fields: (kept) => ({ state, issues: kept.map(listed) }),
          omit: (dropped, _cut, reason) =>
            runsOf(scan.issues, new Set(dropped), pieces).map((run) => ({
              what: 'issues',
              count: run.limit,
              reason,
              next: window(run),
            })),
        },
      ],
    }
  },
})

interface IssuePiece extends Piece {
  readonly found: FoundIssue
  /** Whether it holds the whole text. */
  readonly complete: boolean
}

function pieceOf(found: FoundIssue, index: number, complete: boolean): IssuePiece {
  const { issue } = found
  return {
    part: 'issues',
    heading: lines(`## #${issue.number}`, issueFacts(issue)),
    text: lines(oneLine(issue.title), complete ? issue.body?.trim() : excerptOf(issue)),
    by: authorOf(issue),
    rank: index,
    whole: true,
    found,
    complete,
  }
}

function listed({ piece }: Kept) {
  const { complete, found } = piece as IssuePiece
  const { issue } = found
  return {
    title: issue.title,
    url: issue.html_url,
    ...issueFieldsOf(issue),
    excerpt: excerptOf(issue),
    ...(complete ? { body: issue.body?.trim() ?? '' } : {}),
  }
}

/** The start of an issue's text on one line. */
function excerptOf({ body }: GitHubIssue): string {
  const text = (body ?? '').replaceAll(/\s+/g, ' ').trim()
  if (text.length <= EXCERPT_CHARACTERS) return text
  return `${text.slice(0, text.lastIndexOf(' ', EXCERPT_CHARACTERS))} …`
}

/** Unbroken runs of lost issues, as windows of GitHub's list. */
function runsOf(issues: readonly FoundIssue[], lost: ReadonlySet<Piece>, pieces: readonly Piece[]) {
  const runs: { offset: number; limit: number }[] = []
  let open = false
  issues.forEach(({ position }, index) => {
    const isLost = lost.has(pieces[index] as Piece)
    const run = runs.at(-1)
    if (isLost && open && run) run.limit += 1
    else if (isLost) runs.push({ offset: position, limit: 1 })
    open = isLost
  })
  return runs
}
