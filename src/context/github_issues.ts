import { Type } from '@sinclair/typebox'
import { defineProvider } from '../core/provider.ts'
import { blockFields, repositoryParams, Timestamp } from '../core/schemas.ts'
import { DELIVERED } from './common/freshness.ts'
import { presentName } from './common/presentName.ts'
import { issuesTag } from './common/tags.ts'
import { repositoryOf } from './issue/fields.ts'
import { issuePieces, ListedIssue, listedIssues, runsOf } from './issue/list.ts'
import { scanIssues } from './issue/scan.ts'

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
  cache: DELIVERED,
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
    const told = scan.any && repositoryOf(scan.any)
    const place = await presentName(
      github,
      { owner, repo },
      told && { owner: told[0], repo: told[1] },
    )
    const name = `${place.owner}/${place.repo}`
    const window = (change: { offset: number; limit: number }) => ({
      context_type: 'github_issues',
      params: { ...params, ...place, ...change },
    })
    const pieces = issuePieces(scan.issues, ({ number }) => `#${number}`, texts === 'whole')
    const reason = scan.issues.length < limit ? 'scan_limit' : 'limit'
    return {
      repository: place,
      visibility: 'repository',
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
          fields: (kept) => ({ state, issues: listedIssues(kept) }),
          omit: (dropped, _cut, reason) =>
            runsOf(pieces, new Set(dropped)).map((run) => ({
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
