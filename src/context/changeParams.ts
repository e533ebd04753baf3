import { Type } from '@sinclair/typebox'
import type { Omission } from '../core/schemas.ts'
import type { NextFiles } from './changedFiles.ts'

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
