import { Type } from '@sinclair/typebox'
import { invalid } from '../core/errors.ts'
import type { Listing } from '../core/github.ts'
import {
  type Draft,
  defineProvider,
  type FitReason,
  type Kept,
  type Piece,
} from '../core/provider.ts'
import { blockFields, IssueNumber, type Omission, repositoryParams } from '../core/schemas.ts'
import { DELIVERED, UNTOLD } from './common/freshness.ts'
import { Cursor, type PartWindow, partWindowOf, partWindowParams } from './common/partWindow.ts'
import { lines } from './common/render.ts'
import { issueTag } from './common/tags.ts'
import { windowsOf } from './common/windows.ts'
import {
  Comment,
  commentPieces,
  commentsOmission,
  type GitHubComment,
  type IssueRef,
  keptComments,
  omittedComments,
  pickComment,
} from './issue/comments.ts'
import {
  authorOf,
  type GitHubIssue,
  issueFacts,
  issueFields,
  issueFieldsOf,
  issueName,
} from './issue/fields.ts'
import {
  IssueEvent,
  type IssueHistory,
  isEventPiece,
  readHistory,
  windowsOfEvents,
} from './issue/history.ts'
import {
  type IssueLinks,
  isLinkPiece,
  LINKS_AFTER,
  LinkedItem,
  NO_LINKS,
  readLinks,
} from './issue/links.ts'
import { ISSUE, readIssue, tagOf } from './issue/moved.ts'

const SUMMARISED = 3
const PARTS = ['timeline', 'linked', 'sub_issues'] as const
const NO_COMMENTS: Listing<GitHubComment> = { items: [], more: false }
const NO_HISTORY: IssueHistory = { pieces: [], rest: undefined }
type Part = (typeof PARTS)[number]

export const githubIssue = defineProvider({
  type: 'github_issue',
  blockType: 'github_issue',
  title: 'Issue with its comments',
  description:
    'An issue: its text, state, labels, people, comments, and on request its history and what is linked to it.',
  uri: 'github://{owner}/{repo}/issues/{issue_number}',
  params: Type.Object(
    {
      ...repositoryParams,
      issue_number: IssueNumber,
      max_comments: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 1_000,
          default: 30,
          description:
            'Comments at most, from the first on; 1,000 unless given where `query` chooses from them for `max_tokens`',
        }),
      ),
      include: Type.Optional(
        Type.Array(Type.String({ pattern: `^(?:${PARTS.join('|')})$` }), {
          maxItems: PARTS.length,
          uniqueItems: true,
          description:
            '`timeline`: labels, states, people; `linked`: pull requests that close it and what mentions it; `sub_issues`: parent and sub-issues. The last two need a credential',
        }),
      ),
      ...partWindowParams,
      after: Cursor('Entries of `linked` or `sub_issues` after this cursor', LINKS_AFTER),
    },
    { additionalProperties: false },
  ),
  block: Type.Object({
    ...blockFields,
    ...issueFields,
    body: Type.String(),
    comments: Type.Array(Comment),
    comments_summary: Type.Array(Type.String(), {
      description: 'The first three, `Comment by LOGIN: BODY`',
    }),
    timeline: Type.Optional(Type.Array(IssueEvent)),
    linked: Type.Optional(Type.Array(LinkedItem)),
    sub_issues: Type.Optional(
      Type.Array(LinkedItem, { description: 'The parent first, where there is one' }),
    ),
  }),
  example: { owner: 'octocat', repo: 'Hello-World', issue_number: 1347 },
  defaultsWithQuery: { max_comments: 1_000 },
  cache: DELIVERED,
  tags: ({ owner, repo, issue_number }) => [issueTag(owner, repo, issue_number)],
  async fetch(asked, context) {
    const { include = [], issue_number, owner, repo } = asked
    const window = windowOf(asked)
    const max_comments = window ? 0 : (asked.max_comments ?? 30)
    const parts = new Set(include)
    const nothing = { comments: NO_COMMENTS, allLinks: NO_LINKS, history: NO_HISTORY }
    const { issue, ref, rest } = await readIssue(
      context,
      { owner, repo, issue_number },
      async (place, count) => {
        const params = { ...place }
        const limit = Math.min(max_comments, count ?? max_comments)
        const [comments, allLinks, history] = await Promise.all([
          limit === 0
            ? NO_COMMENTS
            : context.github.list<GitHubComment>(`${ISSUE}/comments`, {
                params,
                limit,
                eager: count !== undefined,
                pick: pickComment,
              }),
          readLinks(context, place, parts, window?.after),
          parts.has('timeline') ? readHistory(context, ISSUE, params, window) : NO_HISTORY,
        ])
        return { comments, allLinks, history }
      },
      nothing,
    )
    const { allLinks, comments, history } = rest
    const missing = window ? 0 : Math.max(0, issue.comments - comments.items.length)
    const links = window ? linksIn(allLinks, window) : allLinks
    return {
      repository: { owner: ref.owner, repo: ref.repo },
      // What mentions it may lie in repositories that others may not read, and changes unheard.
      visibility: include.length === 0 ? 'repository' : 'private',
      cache: () => (include.length === 0 ? undefined : UNTOLD),
      tags: [tagOf(ref)],
      omitted: [
        ...(missing > 0 ? [theRest(ref, comments.items.length, missing)] : []),
        ...beyond(ref, allLinks, history, window),
      ],
      blocks: [draftOf(issue, comments.items, ref, { links, history, parts, window })],
    }
  },
})

function theRest(issue: IssueRef, offset: number, count: number): Omission {
  return commentsOmission(issue, { offset, limit: Math.min(count, 1_000) }, count, 'max_comments')
}

/** @throws ServiceError `invalid_request` for a window of several parts, or a cursor of another list */
function windowOf(asked: PartWindow & { readonly include?: readonly string[] }) {
  const window = partWindowOf(asked)
  const part = window?.after?.startsWith('sub_issue:') ? 'sub_issues' : 'linked'
  if (window?.after !== undefined && asked.include?.[0] !== part) {
    throw invalid('/params/after', `is of \`${part}\`, which include must name.`)
  }
  return window
}

/** Of the one part that was read. */
function linksIn({ more, pieces }: IssueLinks, { limit, offset = 0 }: PartWindow): IssueLinks {
  const shown = pieces.slice(offset, limit === undefined ? undefined : offset + limit)
  return { more, pieces: shown }
}

function nextPart(issue: IssueRef, part: Part, window: PartWindow): Omission['next'] {
  return { context_type: 'github_issue', params: { ...issue, include: [part], ...window } }
}

/** What comes after that which was read: of a page of links first its end, then the next page. */
function beyond(
  ref: IssueRef,
  { more, pieces }: IssueLinks,
  { rest }: IssueHistory,
  { after, limit = pieces.length, offset = 0 }: PartWindow = {},
): Omission[] {
  const count = pieces.length - offset - limit
  const part = pieces[0]?.part
  const omission = (what: Part, window: PartWindow, left?: number): Omission => ({
    what,
    ...(left === undefined ? {} : { count: left }),
    reason: 'limit',
    next: nextPart(ref, what, window),
  })
  const ofPage = { ...(after === undefined ? {} : { after }), offset: offset + limit, limit }
  return [
    ...(count > 0 && part
      ? [omission(part, ofPage, count)]
      : more.map((page) => omission(page.part, { after: page.after }, page.count))),
    ...(rest ? [omission('timeline', rest)] : []),
  ]
}

interface Extras {
  readonly links: IssueLinks
  readonly history: IssueHistory
  readonly parts: ReadonlySet<string>
  /** Of the one part that then comes alone. */
  readonly window: PartWindow | undefined
}

function draftOf(
  issue: GitHubIssue,
  comments: readonly GitHubComment[],
  ref: IssueRef,
  { links, history, parts, window }: Extras,
): Draft {
  const by = authorOf(issue)
  /** Places of lost entries of one part. */
  const windowsIn = (part: Part, lost: ReadonlySet<Piece>) => {
    if (part === 'timeline') return windowsOfEvents(history, lost)
    const all = links.pieces.filter((piece) => piece.part === part)
    const places = all.flatMap((piece, at) => (lost.has(piece) ? [(window?.offset ?? 0) + at] : []))
    const page = window?.after === undefined ? {} : { after: window.after }
    return windowsOf(places).map((at) => ({ ...page, ...at, count: at.limit }))
  }
  const body: Piece = { part: 'body', text: issue.body?.trim() || '(no description)', by, rank: 0 }
  return {
    id: `github_issue:${issueName(issue)}`,
    title: issue.title,
    url: issue.html_url,
    head: lines(`# Issue ${issueName(issue)}`, issue.html_url, issueFacts(issue)),
    by,
    // A window of one part is for who has read the rest.
    pieces: [
      ...(window ? [] : [body]),
      ...links.pieces,
      ...commentPieces(comments, 0),
      ...history.pieces,
    ],
    fields(kept: readonly Kept[]) {
      const shown = keptComments(kept)
      const text = kept.find(({ piece }) => piece === body)?.text ?? ''
      return {
        ...issueFieldsOf(issue),
        body: issue.body?.trim() ? text : '',
        comments: shown,
        comments_summary: shown
          .slice(0, SUMMARISED)
          .map((comment) => `Comment by ${comment.author}: ${comment.body}`),
        ...keptExtras(kept, parts),
      }
    },
    omit(dropped: readonly Piece[], cut: readonly Piece[], reason: FitReason): Omission[] {
      const lost = [...dropped, ...cut]
      const next = { context_type: 'github_issue', params: { ...ref, max_comments: 0 } }
      return [
        ...(lost.includes(body) ? [{ what: 'body', count: 1, reason, next }] : []),
        ...omittedComments(lost, ref, reason),
        ...PARTS.flatMap((part) =>
          windowsIn(part, new Set(lost)).map(({ count, ...at }) => ({
            what: part,
            count,
            reason,
            next: nextPart(ref, part, at),
          })),
        ),
      ]
    },
  }
}

/** The parts that were asked for, also where they are empty. */
function keptExtras(kept: readonly Kept[], parts: ReadonlySet<string>) {
  const pieces = kept.map(({ piece }) => piece)
  const items = (part: string) =>
    pieces.filter(isLinkPiece).flatMap((piece) => (piece.part === part ? [piece.item] : []))
  return {
    ...(parts.has('timeline')
      ? { timeline: pieces.filter(isEventPiece).map(({ event }) => event) }
      : {}),
    ...(parts.has('linked') ? { linked: items('linked') } : {}),
    ...(parts.has('sub_issues') ? { sub_issues: items('sub_issues') } : {}),
  }
}
