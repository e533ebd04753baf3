import { Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Omission } from '../../core/schemas.ts'

/** What of an answer can be checked before it is asked for its fields and omissions. */
const Answer = Type.Object({
  blocks: Type.Array(Type.Unknown(), { maxItems: 1_000 }),
  omitted: Type.Unknown(),
  visibility: Type.Union([Type.Literal('public'), Type.Literal('private')]),
  repository: Type.Optional(Type.Object({ owner: Type.String(), repo: Type.String() })),
  tags: Type.Optional(Type.Array(Type.String({ maxLength: 300 }), { maxItems: 1_000 })),
})

const Source = Type.Union([
  Type.Literal('repository'),
  Type.Literal('service'),
  Type.Object({ login: Type.String(), association: Type.String() }),
])

const Draft = Type.Object({
  type: Type.Optional(Type.String()),
  id: Type.String({ minLength: 1 }),
  title: Type.String(),
  url: Type.String(),
  head: Type.String({ minLength: 1 }),
  by: Source,
  pieces: Type.Array(
    Type.Object({
      part: Type.String({ minLength: 1 }),
      heading: Type.Optional(Type.String()),
      group: Type.Optional(Type.String()),
      further: Type.Optional(Type.String()),
      shows: Type.Optional(Type.String()),
      repeats: Type.Optional(
        Type.Object({ shows: Type.String(), heading: Type.String(), text: Type.String() }),
      ),
      text: Type.String(),
      by: Source,
      marked: Type.Optional(Type.Boolean()),
      rank: Type.Number(),
      whole: Type.Optional(Type.Boolean()),
    }),
  ),
})

export const answerShape = TypeCompiler.Compile(Answer)
export const draftShape = TypeCompiler.Compile(Draft)
export const omissionsShape = TypeCompiler.Compile(Type.Array(Omission))
