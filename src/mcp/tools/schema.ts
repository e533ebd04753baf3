import type { TObject, TSchema } from '@sinclair/typebox'

/** JSON Schema as a client gets it. */
export interface ObjectSchema {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, object>>
  readonly required?: readonly string[]
}

/** Characters of a tool's description at most: every client pays for it in every conversation. */
const LONGEST_DESCRIPTION = 64
/** Less than that tells no more than the name. */
const LEAST_DESCRIPTION = 24

/**
 * The arguments of a tool in as few tokens as tell a model what to send: names, types and choices.
 * Bounds and patterns are left out, as the service checks them anyway and says what it wants.
 */
export function argumentsOf(params: TObject, common: Readonly<Record<string, object>>) {
  const own = Object.entries(params.properties).map(([name, schema]) => [name, terse(schema)])
  const { required } = params
  return {
    type: 'object',
    properties: { ...Object.fromEntries(own), ...common },
    ...(required && required.length > 0 ? { required } : {}),
  } satisfies ObjectSchema
}

function terse(schema: TSchema): object {
  const choices = choicesOf(schema)
  if (choices) return { type: 'string', enum: choices }
  if (schema.type === 'array') return { type: 'array', items: terse(schema.items) }
  if (Array.isArray(schema.anyOf)) return terse(schema.anyOf[0])
  return { type: schema.type }
}

/** The values of a union of constants. */
function choicesOf({ anyOf, enum: listed }: TSchema): unknown[] | undefined {
  const values = listed ?? anyOf?.map((member: TSchema) => member.const)
  return values?.every((value: unknown) => typeof value === 'string') ? values : undefined
}

/** The start of a description, up to the end of a sentence or clause. */
export function brief(description: string): string {
  if (description.length <= LONGEST_DESCRIPTION) return description
  const start = description.slice(0, LONGEST_DESCRIPTION)
  const lastOf = (...marks: string[]) => Math.max(...marks.map((mark) => start.lastIndexOf(mark)))
  const whole = lastOf('. ', '; ', ': ')
  const end = whole >= LEAST_DESCRIPTION ? whole : Math.max(lastOf(', '), whole)
  return `${start.slice(0, end > 0 ? end : start.lastIndexOf(' '))}.`
}
