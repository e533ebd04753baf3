import { Type } from '@sinclair/typebox'
import { invalid } from '../../core/errors.ts'
import { Nullable, type Omission, Path } from '../../core/schemas.ts'
import type { NextFiles } from './files.ts'
import { HUNKS_PATTERN, type PatchKind } from './patches.ts'

/** How much of a change's files is shown. */
export const detailParam = (values: readonly string[], defaultValue: string, description: string) =>
  Type.Optional(
    Type.String({
      pattern: `^(?:${values.join('|')})$`,
      default: defaultValue,
      description,
    }),
  )

export const windowParams = (what: string, most: number, usual: number) => ({
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 100_000,
      default: 0,
      description: `${what} to skip, in GitHub's order`,
    }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: most, default: usual, description: `${what} at most` }),
  ),
})

/** The request for other files of the same change. */
export const nextFiles =
  (contextType: string, change: Readonly<Record<string, unknown>>) =>
  (files: NextFiles): Omission['next'] => ({
    context_type: contextType,
    params: { ...change, ...files },
  })

/** Which of a change's files, and what of them. */
export const fileParams = {
  paths: Type.Optional(
    Type.Array(Path, { minItems: 1, maxItems: 100, description: 'Only these files' }),
  ),
  hunks: Type.Optional(
    Type.String({
      pattern: HUNKS_PATTERN,
      maxLength: 1_000,
      description: 'Only these hunks of the one file in `paths`, for example `2-4,7`',
    }),
  ),
}

export const ChangedFile = Type.Object({
  path: Type.String(),
  previous_path: Nullable(Type.String({ description: 'Where it was renamed or copied from' })),
  status: Type.String({
    description: '`added`, `removed`, `modified`, `renamed`, `copied`, `changed`, `unchanged`',
  }),
  additions: Type.Integer(),
  deletions: Type.Integer(),
  kind: Type.Unsafe<PatchKind>(
    Type.String({
      enum: ['patch', 'binary', 'too_large', 'renamed', 'mode', 'empty'],
      description: 'Whether GitHub shows a patch, and if not, why',
    }),
  ),
  hunks_count: Type.Integer(),
  hunks: Type.Array(
    Type.Object({
      number: Type.Integer({ description: 'From 1, in the order of the file' }),
      text: Type.String({ description: 'The `@@` line, and each line with its sign' }),
    }),
    { description: 'Those that are shown' },
  ),
})

/** @throws ServiceError `invalid_request` for hunks without the one file that they are of */
export function checkFileParams({
  hunks,
  paths,
}: {
  readonly paths?: readonly string[]
  readonly hunks?: string
}): void {
  if (hunks !== undefined && paths?.length !== 1) {
    throw invalid('/params/hunks', 'needs exactly one file in paths.')
  }
}
