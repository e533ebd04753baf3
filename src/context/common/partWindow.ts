import { Type } from '@sinclair/typebox'
import { invalid } from '../../core/errors.ts'

/** Which entries of one part of an answer are wanted: by place, or after one of GitHub's cursors. */
export interface PartWindow {
  readonly offset?: number
  readonly limit?: number
  readonly after?: string
  /** Within the one thread that is wanted. */
  readonly comments_after?: string
}

const ALONE = 'of the one part in `include`, which then comes alone'

/** Params of a type whose parts can be read window by window. */
export const partWindowParams = {
  offset: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 100_000, description: `Entries to skip ${ALONE}` }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1_000, description: `Entries at most ${ALONE}` }),
  ),
}

export const Cursor = (what: string, pattern?: string) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 400,
      ...(pattern === undefined ? {} : { pattern }),
      description: `${what}; take it from \`omitted[].next\``,
    }),
  )

/**
 * The window of the one part that is asked for; undefined where parts come as usual.
 * @throws ServiceError `invalid_request` for a window of several parts, or of none
 */
export function partWindowOf({
  after,
  comments_after,
  include,
  limit,
  offset,
}: PartWindow & { readonly include?: readonly string[] }): PartWindow | undefined {
  const given = Object.entries({ after, comments_after, limit, offset }).filter(
    ([, value]) => value !== undefined,
  )
  if (given.length === 0) return undefined
  if (include?.length !== 1) {
    const names = given.map(([name]) => name).join(', ')
    throw invalid('/params/include', `must name exactly one part where ${names} is given.`)
  }
  return Object.fromEntries(given)
}
