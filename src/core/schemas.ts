import { type Static, Type } from '@sinclair/typebox'
import { Trust } from './trust.ts'

/** GitHub's rule for account names: alphanumerics and single hyphens inside, at most 39; `_` for managed users. */
export const Owner = Type.String({
  pattern: '^[A-Za-z0-9](?:[A-Za-z0-9]|[-_](?=[A-Za-z0-9])){0,38}$',
  description: 'Account that owns the repository, for example `octocat`',
  examples: ['octocat'],
})

/** GitHub's rule for repository names: at most 100 of `A–Z a–z 0–9 . _ -`, and neither `.` nor `..`. */
export const Repo = Type.String({
  pattern: '^(?!\\.{1,2}$)[A-Za-z0-9._-]{1,100}$',
  description: 'Repository name without its owner, for example `Hello-World`',
  examples: ['Hello-World'],
})

export const repositoryParams = { owner: Owner, repo: Repo }

/** A number that GitHub gives to an issue or pull request. */
export const IssueNumber = Type.Integer({
  minimum: 1,
  maximum: 2_147_483_647,
  description: 'Number of the issue (a numeric string is accepted)',
  examples: [1347],
})

/** Any path that git can hold, so no `.` or `..` in it; a slash at either end changes nothing. */
export const Path = Type.String({
  minLength: 1,
  maxLength: 4_096,
  pattern: '^(?!(?:[\\s\\S]*/)?\\.{1,2}(?:/|$))[^\\0]+$',
  description: 'Path in the repository, for example `src/main.ts`',
  examples: ['README'],
})

/** git's rules for names of refs (git-scm.com/docs/git-check-ref-format), and shas. */
export const Ref = Type.String({
  maxLength: 255,
  pattern: '^(?!.*\\.\\.)[^\\x00-\\x20\\x7f~^:?*\\[\\\\]+$',
  description: 'Branch, tag or commit sha; the default branch unless given',
  examples: ['main'],
})

/** ISO 8601, as GitHub writes and takes it. */
export const Timestamp = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d+)?(?:Z|[+-]\\d{2}:\\d{2})$',
  description: 'Point in time, ISO 8601, for example `2026-01-31T00:00:00Z`',
  examples: ['2026-01-31T00:00:00Z'],
})

export const Nullable = <
  T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>,
>(
  schema: T,
) => Type.Union([schema, Type.Null()])

const count = (description: string) => Type.Optional(Type.Integer({ minimum: 1, description }))

/** What was taken out of the texts of a block; what there was none of is absent. */
export const Removed = Type.Object(
  {
    control_characters: count('Control characters and terminal sequences'),
    hidden_characters: count(
      'Zero-width, bidirectional, tag and other characters that nobody sees',
    ),
    html_comments: count('HTML comments, with what was in them'),
    secrets: count('What looks like a credential, replaced by `[masked …]`'),
  },
  {
    additionalProperties: false,
    description: "What was removed from others' texts and masked in them; absent where nothing was",
  },
)
export type Removed = Static<typeof Removed>

/** What every block has, whatever its type. */
export const blockFields = {
  id: Type.String({ description: 'Stable name of the thing, for example `github_issue:o/r#1`' }),
  title: Type.String(),
  url: Type.String({ description: 'Page for people' }),
  trust: { ...Trust, description: 'The lowest of those whose words are in the block' },
  content: Type.String({
    description:
      'Text rendering, ready for a prompt. Every line that others wrote begins with `> `, a line number or a sign of a diff',
  }),
  tokens: Type.Integer({ description: 'Tokens of `content` (o200k_base)' }),
  removed: Type.Optional(Removed),
}

export const Omission = Type.Object(
  {
    what: Type.String({ description: 'The part that was left out' }),
    count: Type.Optional(
      Type.Integer({ description: 'How many; absent where GitHub does not tell' }),
    ),
    reason: Type.String({ description: 'The limit that left it out, for example `max_tokens`' }),
    next: Type.Optional(
      Type.Object(
        { context_type: Type.String(), params: Type.Record(Type.String(), Type.Unknown()) },
        { description: 'The request that fetches it' },
      ),
    ),
  },
  { $id: 'Omission', title: 'Omission' },
)
export type Omission = Static<typeof Omission>
